#include "core/printable.h"

#include <gtest/gtest.h>

namespace pagoda {
namespace {

TEST(Printable, LeavesTextAloneAndEscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("plain 'text' \\ M\xc3\xbc \xe2\x82\xac \xf0\x9f\x8f\x9b"),
            "plain 'text' \\ M\xc3\xbc \xe2\x82\xac \xf0\x9f\x8f\x9b");
  EXPECT_EQ(printable(std::string_view("a\tb\nc\rd\0e", 9)), "a\\tb\\nc\\rd\\x00e");
  EXPECT_EQ(printable("\x1b[31mred\x7f"), "\\x1b[31mred\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "a control character beyond ASCII";
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("M\xfcller"), "M\\xfcller");
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82") << "cut short";
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond the last character";
}

TEST(Printable, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(printable("0123456789", 10), "0123456789");
  EXPECT_EQ(printable("0123456789a", 10), "0123456789...");
  EXPECT_EQ(printable("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 4), "\xe2\x82\xac\xe2\x82\xac...");
}

TEST(Printable, KeepsTheLineEndsOfAMessage) {
  EXPECT_EQ(printable_lines("one\ntwo \x1b[2J\xff\n"), "one\ntwo \\x1b[2J\\xff\n");
  const std::string unusual(500, 'x');
  EXPECT_EQ(printable_lines(unusual), unusual);
}

}  // namespace
}  // namespace pagoda
