#include "core/file.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"

namespace pagoda {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "pagoda_file_" + std::to_string(getpid());
    fs::remove_all(folder_);
    make_folder(folder_ + "/a/b");
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  size_t files_in_folder() const {
    size_t n = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) n += entry.is_regular_file();
    return n;
  }
  std::string folder_;
};

ErrorKind kind_of(const std::function<void()>& f, std::string* message = nullptr) {
  try {
    f();
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::failed;
}

TEST_F(FileTest, WhatIsWrittenIsReadWholeAndMapped) {
  const std::string bytes = std::string(3000000, 'x') + std::string("\0end", 4);
  write_file(path("f"), bytes);
  EXPECT_EQ(read_file(path("f")), bytes);
  const MappedFile mapped(path("f"));
  ASSERT_EQ(mapped.bytes().size(), bytes.size());
  EXPECT_EQ(mapped.bytes().back(), std::byte{'d'});
  write_file(path("empty"), "");
  EXPECT_EQ(read_file(path("empty")), "");
  EXPECT_TRUE(MappedFile(path("empty")).bytes().empty());
}

TEST_F(FileTest, AMappedFileIsMovedWithItsBytes) {
  write_file(path("a1"), "one");
  write_file(path("a2"), "three");
  MappedFile a(path("a1")), b(path("a2"));
  a = std::move(b);
  EXPECT_EQ(a.bytes().size(), 5u);
  const MappedFile c = std::move(a);
  EXPECT_EQ(c.bytes().size(), 5u);
  EXPECT_EQ(c.path(), path("a2"));
}

TEST_F(FileTest, AMissingFileAndAFolderAreInputErrorsThatNameThePath) {
  std::string message;
  EXPECT_EQ(kind_of([&] { MappedFile(path("nothing")); }, &message), ErrorKind::input);
  EXPECT_EQ(message, path("nothing") + ": no such file");
  EXPECT_EQ(kind_of([&] { read_file(path("nothing")); }, &message), ErrorKind::input);
  EXPECT_EQ(message, path("nothing") + ": no such file");
  EXPECT_EQ(kind_of([&] { MappedFile{folder_}; }, &message), ErrorKind::input);
  EXPECT_EQ(kind_of([&] { read_file(folder_); }, &message), ErrorKind::input);
  EXPECT_EQ(message, folder_ + ": Is a directory");
}

TEST_F(FileTest, APipeIsReadToItsEndButNotMapped) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(kind_of([&] { MappedFile(path("pipe")); }), ErrorKind::input);
  std::jthread writer([&] {
    FILE* f = fopen(path("pipe").c_str(), "w");
    for (int i = 0; i < 30000; ++i) fputs("0123456789", f);
    fclose(f);
  });
  EXPECT_EQ(read_file(path("pipe")).size(), 300000u);
}

TEST_F(FileTest, WithoutCommitTheOldFileStaysAndNothingIsLeft) {
  write_file(path("f"), "old");
  {
    AtomicFile file(path("f"));
    file.write("new");
    EXPECT_EQ(files_in_folder(), 2u);
  }
  EXPECT_EQ(read_file(path("f")), "old");
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, UntilCommitTheOldFileIsSeen) {
  write_file(path("f"), "old");
  AtomicFile file(path("f"));
  file.write(std::string(5 << 20, 'n'));
  EXPECT_EQ(read_file(path("f")), "old");
  file.commit();
  EXPECT_EQ(read_file(path("f")).size(), size_t{5} << 20);
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, WriteAtOverwritesWhatWasWritten) {
  AtomicFile file(path("f"));
  file.write("0123456789");
  file.write_at(2, "ab", 2);
  file.write("X");
  EXPECT_EQ(file.size(), 11u);
  file.commit();
  EXPECT_EQ(read_file(path("f")), "01ab456789X");
}

TEST_F(FileTest, WhatAKilledWriterLeftIsRemovedByTheNext) {
  const pid_t child = fork();
  if (child == 0) {
    AtomicFile file(path("f"));
    file.write(std::string(2 << 20, 'k'));
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(files_in_folder(), 1u) << "the orphan";
  ASSERT_FALSE(file_exists(path("f")));
  write_file(path("g"), "another name");
  EXPECT_EQ(files_in_folder(), 2u);
  write_file(path("f"), "whole");
  EXPECT_EQ(files_in_folder(), 2u);
  EXPECT_EQ(read_file(path("f")), "whole");
}

// Two containers on one volume may both be process 1, and neither sees the other's processes. The writers of this test
// share a process id too.
TEST_F(FileTest, WritersOfOneNameDoNotDisturbEachOther) {
  AtomicFile first(path("f"));
  first.write(std::string(3 << 20, '1'));
  AtomicFile second(path("f"));
  second.write(std::string(2 << 20, '2'));
  first.write("1");
  first.commit();
  EXPECT_EQ(read_file(path("f")), std::string((3 << 20) + 1, '1'));
  second.write("2");
  second.commit();
  EXPECT_EQ(read_file(path("f")), std::string((2 << 20) + 1, '2'));
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, AWriterInAnotherProcessIdNamespaceKeepsItsTemporaryFile) {
  int ready[2], go[2];
  ASSERT_EQ(pipe(ready) + pipe(go), 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) _exit(3);
    if (const pid_t inner = fork(); inner != 0) {  // process 1 of its namespace
      int status = 0;
      waitpid(inner, &status, 0);
      _exit(WEXITSTATUS(status));
    }
    try {
      AtomicFile file(path("f"));
      file.write(std::string(2 << 20, 'i'));
      if (write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1) _exit(1);
      file.commit();
      _exit(0);
    } catch (const Error&) {
      _exit(2);
    }
  }
  close(ready[1]);
  char byte = 0;
  const bool began = read(ready[0], &byte, 1) == 1;
  if (began) {
    write_file(path("f"), "outer");
    ASSERT_EQ(write(go[1], "g", 1), 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  for (const int fd : {ready[0], go[0], go[1]}) close(fd);
  if (WEXITSTATUS(status) == 3) GTEST_SKIP() << "a namespace of process ids is not allowed here";
  EXPECT_TRUE(began);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read_file(path("f")), std::string(2 << 20, 'i'));
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, ASymbolicLinkStaysAndItsTargetIsWritten) {
  write_file(path("a/target"), "old");
  fs::create_symlink("a/target", path("link"));
  fs::create_symlink(path("link"), path("link_to_link"));
  write_file(path("link_to_link"), "new");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("link_to_link")));
  EXPECT_EQ(read_file(path("a/target")), "new");
  EXPECT_EQ(files_in_folder(), 2u) << "no temporary file is left beside the links";
  fs::create_symlink("a/b/not_yet", path("dangling"));
  write_file(path("dangling"), "made");
  EXPECT_TRUE(fs::is_symlink(path("dangling")));
  EXPECT_EQ(read_file(path("a/b/not_yet")), "made");
}

TEST_F(FileTest, ALinkThatLeadsNowhereIsToldWithItsTarget) {
  std::string message;
  fs::create_symlink(path("no/such/f"), path("link"));
  EXPECT_EQ(kind_of([&] { AtomicFile(path("link")); }, &message), ErrorKind::failed);
  EXPECT_NE(message.find("a link to " + path("no/such/f")), message.npos) << message;
  fs::create_symlink("loop", path("loop"));
  EXPECT_EQ(kind_of([&] { AtomicFile(path("loop")); }, &message), ErrorKind::failed);
  EXPECT_NE(message.find("Too many levels of symbolic links"), message.npos) << message;
}

TEST_F(FileTest, AFileThatIsReplacedKeepsItsPermissionsAndItsOwner) {
  struct stat info{};
  const auto mode_of = [&](const std::string& name) {
    return stat(path(name).c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  };
  const mode_t before = umask(022);
  write_file(path("new"), "x");
  EXPECT_EQ(mode_of("new"), 0644u);
  umask(before);
  for (const mode_t mode : {0600, 0664, 0444}) {
    write_file(path("f"), "old");
    ASSERT_EQ(chmod(path("f").c_str(), mode), 0);
    {
      AtomicFile file(path("f"));
      file.write("new");
      for (const auto& entry : fs::directory_iterator(folder_)) {
        if (entry.path().filename().string().starts_with(".f.tmp-")) {
          EXPECT_EQ(mode_of(entry.path().filename().string()), 0600u) << "not readable by others before it is whole";
        }
      }
      file.commit();
    }
    EXPECT_EQ(mode_of("f"), mode);
    EXPECT_EQ(read_file(path("f")), "new");
    fs::remove(path("f"));
  }
  if (geteuid() != 0) return;
  write_file(path("f"), "old");
  ASSERT_EQ(chown(path("f").c_str(), 1234, 2345), 0);
  write_file(path("f"), "new");
  mode_of("f");
  EXPECT_EQ(info.st_uid, 1234u);
  EXPECT_EQ(info.st_gid, 2345u);
}

TEST_F(FileTest, AFullDiskIsReportedAndTheOldFileStays) {
  write_file(path("f"), "old");
  const pid_t child = fork();  // a limit on a file's size fails a write as a full disk does
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{3 << 20, 3 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    int result = 1;
    try {
      AtomicFile file(path("f"));
      for (int i = 0; i < 10; ++i) file.write(std::string(700000, 'x'));
      file.commit();
    } catch (const Error& error) {
      const std::string message = error.what();
      const bool says = message.starts_with(path("f") + ": writing failed after 3145728 bytes: ") &&
                        message.ends_with("free some space or write elsewhere");
      result = error.kind() == ErrorKind::failed && says ? 0 : 2;
    }
    _exit(result);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read_file(path("f")), "old");
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, WhereNothingCanBeWrittenTheErrorComesAtOnce) {
  std::string message;
  EXPECT_EQ(kind_of([&] { AtomicFile(path("no/such/f")); }, &message), ErrorKind::failed);
  EXPECT_NE(message.find("No such file or directory; does the folder exist"), message.npos) << message;
  EXPECT_EQ(kind_of([&] { AtomicFile(path("a")); }, &message), ErrorKind::failed);
  EXPECT_EQ(kind_of([&] { AtomicFile("/dev/null"); }, &message), ErrorKind::failed);
  EXPECT_EQ(message, "/dev/null: cannot be written: it exists and is not a regular file");
  write_file(path("f"), "");
  EXPECT_EQ(kind_of([&] { make_folder(path("f/sub")); }, &message), ErrorKind::failed);
}

TEST_F(FileTest, AFileInTheWorkingFolderNeedsNoFolderName) {
  const auto before = fs::current_path();
  fs::current_path(folder_);
  write_file("here", "x");
  EXPECT_EQ(read_file("here"), "x");
  fs::current_path(before);
}

}  // namespace
}  // namespace pagoda
