#include "data/id_overlap.h"

#include <gtest/gtest.h>

#include "formats/formats_test.h"

namespace pagoda::data {
namespace {

columns::Interner of(const std::vector<std::string>& ids) {
  columns::Interner interner;
  for (const auto& id : ids) interner.add(id);
  return interner;
}

IdOverlap met(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto asked = of(a), known = of(b);
  return count_overlap({&asked}, {&known});
}

TEST(IdOverlap, CountsWhatBothSidesHave) {
  const auto m = met({"a", "b", "c", "d"}, {"c", "x", "a"});
  EXPECT_EQ(m.asked, 4u);
  EXPECT_EQ(m.met, 2u);
  EXPECT_EQ(m.known, 3u);
  EXPECT_EQ(m.missing, (std::vector<std::string>{"b", "d"}));
  EXPECT_EQ(m.others, (std::vector<std::string>{"x"}));
  EXPECT_FALSE(m.change);
  EXPECT_DOUBLE_EQ(m.share(), 0.5);
}

TEST(IdOverlap, AsksForSomeOfAnInterner) {
  const auto a = of({"a", "b", "c"}), b = of({"a", "b"});
  const auto m = count_overlap({&a, [](uint32_t i) { return i > 0; }}, {&b, [](uint32_t i) { return i == 0; }});
  EXPECT_EQ(m.asked, 2u);
  EXPECT_EQ(m.met, 0u);
}

// Each pair would match in one way, which is found, counted and shown by example.
TEST(IdOverlap, FindsTheSpellingThatWouldMatch) {
  const std::string uuid = "0F8FAD5B-D9CB-469F-A165-70867728950E";
  struct {
    std::vector<std::string> asked, known;
    std::string how;
    size_t more;
  } cases[] = {
      {{"000000", "000001", "000002"}, {"0", "1", "2"}, "without leading zeros", 3},
      {{"7", "8"}, {"007", "009"}, "without leading zeros", 1},
      {{"u1 ", " u2", "u3"}, {"u1", "u2", "u3"}, "without blanks around them", 2},
      {{"\xEF\xBB\xBFu1", "u2"}, {"u1", "u2"}, "without blanks around them", 1},
      {{"\xC2\xA0u1\xC2\xA0"}, {"u1"}, "without blanks around them", 1},
      {{"ABC", "DEF"}, {"abc", "def", "ghi"}, "without regard to case", 2},
      {{"12.0", "13.0"}, {"12", "13"}, "without '.0' at their ends", 2},
      {{"12", "13"}, {"12.0", "13.00"}, "without '.0' at their ends", 2},
      {{"item_1", "item_2"}, {"1", "2", "3"}, "without the prefix 'item_'", 2},
      {{"1", "2"}, {"i1", "i2"}, "without the prefix 'i'", 2},
      {{"urn:a:1", "urn:a:2"}, {"item/1", "item/2"}, "without the prefix 'urn:a:' and 'item/'", 2},
      {{"\"1\"", "\"2\""}, {"1", "2"}, "without quotes around them", 2},
      {{uuid}, {"{0f8fad5b-d9cb-469f-a165-70867728950e}"}, "without the hyphens and braces of a UUID", 1},
      {{"item_007", "item_012"},
       {"7.0", "12.0"},
       "without blanks, quotes, prefixes, leading zeros, '.0' and regard to case",
       2},
  };
  for (const auto& c : cases) {
    const auto m = met(c.asked, c.known);
    ASSERT_TRUE(m.change) << c.asked[0];
    EXPECT_EQ(m.change->how, c.how) << c.asked[0];
    EXPECT_EQ(m.change->more, c.more) << c.asked[0];
  }
  const auto m = met({"000000", "000007"}, {"5", "7"});
  EXPECT_EQ(m.change->from, "000007");
  EXPECT_EQ(m.change->to, "7");
}

TEST(IdOverlap, IdsOfOtherWorldsMatchInNoSpelling) {
  EXPECT_FALSE(met({"tt0111161", "tt0068646"}, {"Q45602", "Q47703"}).change);
  EXPECT_FALSE(met({"1.5", "a-b"}, {"1", "b.c"}).change);
}

TEST(IdOverlap, NothingInCommonIsAnErrorWithExamplesOfBothSides) {
  const auto m = met({"000000", "000001", "000002", "000003"}, {"0", "1"});
  const auto e = files::error_of([&] { report_overlap(m, {"items.csv", "items of the log", "write them alike"}); });
  EXPECT_EQ(e.kind, ErrorKind::input);
  EXPECT_EQ(e.message,
            "items.csv: none of the 4 items of the log is there (such as '000000', '000001', '000002', ..., where it "
            "has '0', '1'); without leading zeros, 2 of them would be ('000000' is '0' there); write them alike");
  report_overlap(m, {"items.csv", "items of the log", ""}, true);  // unknown ids that are allowed are a warning
  report_overlap(met({"a", "b"}, {"a"}), {"items.csv", "items of the log", ""});
}

TEST(IdOverlap, TheColumnOfATableWithMostIds) {
  Attributes table;
  for (const auto* id : {"1", "2", "3"}) table.ids.add(id);
  table.columns.resize(2);
  table.columns[0].name = "title";
  table.columns[1].name = "sku";
  for (const auto* title : {"One", "Two", "a"}) table.columns[0].push_text(title);
  for (const auto* sku : {"a", "b", "b"}) table.columns[1].push_text(sku);
  const auto ids = of({"a", "b", "c"});
  EXPECT_EQ(column_with_most_ids({&ids}, table), (std::pair<std::string, size_t>("sku", 2)));
  const auto none = of({"zz"});
  EXPECT_EQ(column_with_most_ids({&none}, table).second, 0u);
}

}  // namespace
}  // namespace pagoda::data
