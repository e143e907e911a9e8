#include "core/file.h"

#include <gtest/gtest.h>
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
  write_file(path("a1"), "one"), write_file(path("a2"), "three");
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
  const std::string orphan = path(".f.tmp-" + std::to_string(child));
  ASSERT_TRUE(file_exists(orphan));
  ASSERT_FALSE(file_exists(path("f")));
  const std::string of_a_living_writer = path(".f.tmp-" + std::to_string(getppid()));
  write_file(of_a_living_writer, "");
  write_file(path("g"), "another name");
  EXPECT_TRUE(file_exists(orphan));
  write_file(path("f"), "whole");
  EXPECT_FALSE(file_exists(orphan));
  EXPECT_TRUE(file_exists(of_a_living_writer));
  EXPECT_EQ(read_file(path("f")), "whole");
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
  EXPECT_EQ(message, "/dev/null: can not be written: it exists and is not a regular file");
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
