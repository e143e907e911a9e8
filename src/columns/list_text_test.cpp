#include "columns/list_text.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace pagoda::columns {
namespace {

using List = std::optional<std::vector<std::string>>;

TEST(ListText, ReadsListsAsProgramsPrintThem) {
  const std::pair<const char*, List> cases[] = {
      {"[6285, 194]", List({"6285", "194"})},
      {" [\"a\", \"b, c\"] ", List({"a", "b, c"})},
      {"['a','it\\'s']", List({"a", "it's"})},
      {"[1 2\n 3]", List({"1", "2", "3"})},
      {"['a' 'b']", List({"a", "b"})},
      {"[Crime, Science Fiction]", List({"Crime", "Science Fiction"})},
      {"[1.5, None, nan, 2]", List({"1.5", "2"})},
      {"('a',)", List({"a"})},
      {"{a,b}", List({"a", "b"})},
      {"{'a', 'b'}", List({"a", "b"})},
      {"[np.int64(5), np.str_('x')]", List({"5", "x"})},
      {"[]", List(std::vector<std::string>{})},
      {"[True, False]", List({"true", "false"})},
      {"[Live] x|y", std::nullopt},
      {"[a] and [b]", std::nullopt},
      {"(Remastered)", std::nullopt},
      {"{00000000-0000-0000-0000-000000000000}", std::nullopt},
      {"[0 1 2 ... 97 98 99]", std::nullopt},
      {"[two words, 1 2]", std::nullopt},
      {"Crime|Drama", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_list(text), expected) << text;
}

TEST(ListText, ElementsOfACellAreThoseOfItsListOrBetweenItsSeparators) {
  Column column;
  column.name = "genres";
  for (const char* text : {"[6285, 194]", "Crime, Drama", "[0 1 ... 9]"}) column.push_text(text);
  const auto elements = [&](size_t row) {
    std::vector<std::string> all;
    for_each_listed(column, row, ',', [&](std::string_view element) { all.emplace_back(element); });
    return all;
  };
  EXPECT_EQ(elements(0), (std::vector<std::string>{"6285", "194"}));
  EXPECT_EQ(elements(1), (std::vector<std::string>{"Crime", "Drama"}));
  EXPECT_THROW(elements(2), Error);
}

}  // namespace
}  // namespace pagoda::columns
