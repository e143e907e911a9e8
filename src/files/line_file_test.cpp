#include "files/line_file.h"

#include <algorithm>

#include "files/files_test.h"

namespace pagoda::files {
namespace {

class LineFileTest : public FilesTest {
 protected:
  // The ids that the lines say, where only `known` are known.
  std::vector<std::string> ids(const std::string& path, const std::vector<std::string>& known = {}) {
    notices_ = {};
    const auto file = read_lines(path);
    std::vector<std::string> ids;
    const auto is_known = [&](std::string_view id) { return std::ranges::find(known, id) != known.end(); };
    for (const auto& line : file.lines) ids.push_back(id_of_line(file, line, is_known, notices_));
    return ids;
  }
  columns::Notices notices_;
  using Ids = std::vector<std::string>;
};

TEST_F(LineFileTest, MarksLineEndsAndBlankLinesAreNoPartOfAnId) {
  const Ids two{"u1", "u2"};
  EXPECT_EQ(ids(file("a.txt", "u1\nu2\n")), two);
  EXPECT_EQ(ids(file("b.txt", "\xef\xbb\xbfu1\r\n\r\n \t\nu2")), two);
  EXPECT_EQ(ids(file("c.txt.gz", "\xef\xbb\xbfu1\nu2\n")), two);
  EXPECT_EQ(ids(file("d.txt.zst", "u1\r\r\n\xef\xbb\xbfu2\r")), two);
  EXPECT_TRUE(notices_.empty());
  const auto lines = read_lines(path("b.txt")).lines;
  EXPECT_EQ(lines[1].number, 4u);
  EXPECT_TRUE(ids(file("e.txt", "")).empty());
}

TEST_F(LineFileTest, BlanksAreLeftOutAndCountedButOfAKnownId) {
  const auto path = file("a.txt", " u1\nu2\t\nu 3\n u4 \n");
  EXPECT_EQ(ids(path), (Ids{"u1", "u2", "u 3", "u4"}));
  EXPECT_EQ(notices_.texts(),
            (Ids{"3 lines have blanks around their value, which were dropped (first at " + path + ":1)"}));
  EXPECT_EQ(ids(path, {" u1"}), (Ids{" u1", "u2", "u 3", "u4"}));
}

TEST_F(LineFileTest, ALineInDoubleQuotesIsAJsonText) {
  const auto path = file("a.txt", "\"{x}\"\n\"a\\tb\\u00fc\"\n\"The Bank\" 1915\n\"open\n \"q\" \n\"\n");
  EXPECT_EQ(ids(path), (Ids{"{x}", "a\tb\xc3\xbc", "\"The Bank\" 1915", "\"open", "q", "\""}));
  EXPECT_EQ(ids(path, {"\"{x}\""})[0], "\"{x}\"") << "a known id as it stands";
}

TEST_F(LineFileTest, WhatIsNoLineOfTextIsAnErrorOfThatLine) {
  using namespace std::string_literals;
  const auto error = [&](const std::string& text) { return error_of([&] { read_lines(file("x.txt", text)); }); };
  EXPECT_EQ(error("u1\nu\0x\n"s).kind, ErrorKind::input);
  EXPECT_TRUE(error("u1\nu\0x\n"s).says("x.txt:2: holds a NUL byte"));
  EXPECT_TRUE(error("u1\ru2\ru3").says("x.txt:1: has a carriage return inside it"));
  EXPECT_TRUE(error("u1\n\nM\xfc\n").says("x.txt:3: 'M\\xfc' is not UTF-8"));
  EXPECT_TRUE(error("u\0"
                    "1\0"
                    "\n\0"s)
                  .says("x.txt:1: holds a NUL byte: is it UTF-16"));
  EXPECT_TRUE(error_of([&] { read_lines(path("none.txt")); }).says("no such file"));
  EXPECT_TRUE(error_of([&] { read_lines(folder_); }).says("is a folder"));
}

TEST(Line, AnIdThatBreaksItsFormIsNamed) {
  using namespace std::string_literals;
  EXPECT_EQ(why_not_a_line("u1"), "");
  EXPECT_EQ(why_not_a_line("u\t1"), "") << "a line is one value";
  EXPECT_EQ(why_not_a_line("\"u"), "") << "half a quote is a text";
  for (const auto& id : {" u"s, "u "s, "a\nb"s, "a\rb"s, "a\0b"s, "\"u\""s, "\xef\xbb\xbfu"s})
    EXPECT_NE(why_not_a_line(id), "") << id;
  EXPECT_EQ(why_not_a_tsv_cell(" u "), "");
  EXPECT_EQ(why_not_a_tsv_cell(""), "");
  for (const auto& id : {"a\tb"s, "a\nb"s, "a\rb"s, "a\0b"s, "\"u"s}) EXPECT_NE(why_not_a_tsv_cell(id), "") << id;
}

}  // namespace
}  // namespace pagoda::files
