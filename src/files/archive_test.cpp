#include "files/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include "files/files_test.h"
#include "files/source_files.h"
#include "files/text_encoding.h"
#include "files/text_lines.h"

namespace pagoda::files {
namespace {

class ArchiveTest : public FilesTest {
 protected:
  using Members = std::vector<std::pair<std::string, std::string>>;

  // Writes an archive of these files; format and filter by the names that libarchive has for them.
  std::string pack(const std::string& name, const Members& members, const char* format, const char* filter) const {
    archive* out = archive_write_new();
    archive_write_set_format_by_name(out, format);
    if (std::string_view(filter) != "none") archive_write_add_filter_by_name(out, filter);
    archive_write_open_filename(out, path(name).c_str());
    for (const auto& [member, text] : members) {
      archive_entry* entry = archive_entry_new();
      archive_entry_set_pathname(entry, member.c_str());
      archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
      archive_entry_set_filetype(entry, AE_IFREG);
      archive_entry_set_perm(entry, 0644);
      archive_write_header(out, entry);
      archive_write_data(out, text.data(), text.size());
      archive_entry_free(entry);
    }
    archive_write_free(out);
    return path(name);
  }
  static std::string text_of(const std::string& path) {
    TextLines lines(path);
    std::string text;
    for (std::string_view line; lines.next(line);) text.append(line) += '\n';
    return text;
  }
  static std::vector<std::string> found(const std::string& path) {
    std::vector<std::string> paths;
    for (const auto& file : find_files({path})) paths.push_back(file.path);
    return paths;
  }
};

const std::string kLog = "user_id,item_id\nu1,i1\n";

TEST_F(ArchiveTest, CompressedFilesAreReadWhateverTheirName) {
  std::string log = "user_id,item_id\n";
  for (int i = 0; i < 200000; ++i) log += fmt::format("u{},i{}\n", i, i * 7 % 1000);
  for (const char* filter : {"bzip2", "xz", "lz4"})
    for (const char* name : {"a.csv", "a.csv.bz2"}) {
      EXPECT_EQ(text_of(pack(name, {{"a", log}}, "raw", filter)), log) << filter;
      const auto bytes = read_file(path(name));
      write_file(path("cut.csv"), bytes.substr(0, bytes.size() / 2));
      EXPECT_TRUE(error_of([&] { text_of(path("cut.csv")); }).says("damaged")) << filter;
    }
  write_file(path("named.csv.xz"), log);
  EXPECT_TRUE(error_of([&] { text_of(path("named.csv.xz")); }).says("its name says compressed"));
}

TEST_F(ArchiveTest, AFileInAnArchiveIsNamedLikeOneInAFolder) {
  const Members members{{"ml/ratings.dat", kLog}, {"ml/movies.dat", "1::x\n"}, {"ml/README.txt", "read me"}};
  for (const auto& [format, filter] :
       {std::pair("zip", "none"), {"ustar", "none"}, {"ustar", "gzip"}, {"ustar", "xz"}, {"7zip", "none"}}) {
    const auto archive = pack("ml.zip", members, format, filter);
    EXPECT_EQ(text_of(archive + "/ml/ratings.dat"), kLog) << format;
    EXPECT_EQ(found(archive + "/ml/movies.dat"), std::vector{archive + "/ml/movies.dat"});
    EXPECT_EQ(found(archive + "/ml"), (std::vector{archive + "/ml/movies.dat", archive + "/ml/ratings.dat"}));
    EXPECT_EQ(found(archive + "/ml/r*.dat"), std::vector{archive + "/ml/ratings.dat"});
    EXPECT_EQ(found(archive + "/ml/README.txt").size(), 1u) << "named outright";
    const auto error = error_of([&] { found(archive); });
    EXPECT_TRUE(error.says("is an archive of 2 files; name the one that is meant:\n  ") &&
                error.says("ml/ratings.dat"));
    EXPECT_TRUE(error_of([&] { found(archive + "/ml/rating.dat"); }).says("did you mean 'ml/ratings.dat'?"));
  }
}

TEST_F(ArchiveTest, AnArchiveOfOneTableStandsForIt) {
  const auto archive = pack("a.zip", {{"log.csv", kLog}, {"__MACOSX/._log.csv", "x"}, {"LICENSE", "x"}}, "zip", "none");
  EXPECT_EQ(found(archive), std::vector{archive + "/log.csv"});
  EXPECT_EQ(text_of(archive + "/log.csv"), kLog);
  EXPECT_TRUE(error_of([&] { found(pack("none.zip", {{"LICENSE", "x"}}, "zip", "none")); }).says("has no file in it"));
  const auto bytes = read_file(archive);
  write_file(path("cut.zip"), bytes.substr(0, 40));
  EXPECT_EQ(error_of([&] { text_of(path("cut.zip") + "/log.csv"); }).kind, ErrorKind::input);
}

TEST_F(ArchiveTest, PathsThatGoOnBehindAFileAreSplit) {
  const auto archive = file("x", "x");
  const auto split = split_member_path(archive + "/a/b.csv");
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(split->archive, archive);
  EXPECT_EQ(split->member, "a/b.csv");
  EXPECT_FALSE(split_member_path(archive));
  EXPECT_FALSE(split_member_path(path("none/a.csv")));
  EXPECT_FALSE(split_member_path("-"));
}

TEST(EncodingSurvey, MostLinesDecide) {
  EncodingSurvey ascii, utf8, latin, windows;
  ascii.add("plain", 1);
  EXPECT_EQ(ascii.encoding(), "auto");
  for (const char* line : {"caf\xc3\xa9", "na\xc3\xafve", "damaged \xe9"}) utf8.add(line, 1);
  EXPECT_EQ(utf8.encoding(), "auto");
  EXPECT_EQ(utf8.lines_not_utf8(), 1u);
  latin.add("plain", 1);
  latin.add("caf\xe9", 2);
  EXPECT_EQ(latin.encoding(), "latin-1");
  EXPECT_EQ(latin.first_not_utf8(), 2u);
  windows.add("it\x92s", 1);
  EXPECT_EQ(windows.encoding(), "windows-1252");
}

}  // namespace
}  // namespace pagoda::files
