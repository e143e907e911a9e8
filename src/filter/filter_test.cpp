#include "filter/filter.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "filter/filter_index.h"

namespace pagoda::filter {
namespace {

columns::Column text_column(std::string name, const std::vector<const char*>& cells) {
  columns::Column column;
  column.name = std::move(name);
  for (const char* cell : cells) cell ? column.push_text(cell) : column.push_null();
  return column;
}

columns::Column typed_column(std::string name, columns::ColumnType type, std::vector<int64_t> values,
                             std::vector<uint8_t> valid = {}) {
  columns::Column column;
  column.name = std::move(name);
  column.type = type;
  column.integers = std::move(values);
  column.valid = std::move(valid);
  return column;
}

// Five items; the last has no year.
//   row   title    year   price  new    released     tags     csv_year  genre
data::Attributes films() {
  data::Attributes a;
  for (const char* id : {"a", "b", "c", "d", "e"}) a.ids.add(id);
  a.columns.push_back(text_column("title", {"Alien", "Brazil", "Clue", "Dune's", "\"E\""}));
  a.columns.push_back(typed_column("year", columns::ColumnType::integer, {1979, 1985, 1985, 2021, 0}, {1, 1, 1, 1, 0}));
  columns::Column price;
  price.name = "price";
  price.type = columns::ColumnType::real;
  price.reals = {1.5, 2.5, -3, 0.1, 100};
  a.columns.push_back(price);
  a.columns.push_back(typed_column("new", columns::ColumnType::boolean, {0, 1, 0, 1, 0}));
  std::vector<int64_t> times;
  for (const char* t : {"1979-05-25", "1985-02-20", "1985-12-13T12:00:00Z", "2021-10-22", "2024-01-01"})
    times.push_back(*columns::parse_time_us(t));
  a.columns.push_back(typed_column("released", columns::ColumnType::time, times));
  columns::Column tags;
  tags.name = "tags";
  tags.type = columns::ColumnType::texts;
  for (const auto& list :
       std::vector<std::vector<std::string>>{{"scifi", "horror"}, {"scifi"}, {}, {"scifi", "7"}, {"drama"}}) {
    for (const auto& tag : list) tags.elements.push({tag.data(), tag.size()});
    tags.element_offsets.push_back(tags.elements.size());
  }
  a.columns.push_back(tags);
  a.columns.push_back(text_column("csv_year", {"1979", "985", "NA", "2021", ""}));
  a.columns.push_back(text_column("csv_date", {"1979-05-25", "1985-02-20T10:00:00Z", "", "2021-10-22", "2024-01-01"}));
  a.columns.push_back(text_column("csv_flag", {"true", "false", nullptr, "true", "false"}));
  a.columns.push_back(text_column("seen", {"x", "y", "x", "y", "x"}));
  a.columns.push_back(text_column("mixed", {"10", "9", "ten", "", "11"}));
  return a;
}

// The ids that match, as one word.
std::string matching(std::string_view expression) {
  const data::Attributes a = films();
  const std::vector<uint32_t> row_of{0, 1, 2, 3, 4};
  const Filter filter = evaluate_filter_rowwise(expression, a, row_of, 5);
  EXPECT_EQ(FilterIndex(a, row_of, 5).compile(expression).items.rows(), filter.items.rows()) << expression;
  std::string ids;
  for (const uint32_t row : filter.items.rows()) ids += a.ids[row];
  return ids;
}

std::string message_of(std::string_view expression) {
  const auto of_index = [&]() -> std::string {
    const data::Attributes a = films();
    try {
      FilterIndex(a, std::vector<uint32_t>{0, 1, 2, 3, 4}, 5).compile(expression);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  try {
    matching(expression);
  } catch (const Error& e) {
    EXPECT_EQ(of_index(), e.what());
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    return e.what();
  }
  return "no error";
}

TEST(Filter, NumbersCompareWithEveryOperator) {
  EXPECT_EQ(matching("year = 1985"), "bc");
  EXPECT_EQ(matching("year == 1985"), "bc");
  EXPECT_EQ(matching("year<1985"), "a");
  EXPECT_EQ(matching("year <= 1985"), "abc");
  EXPECT_EQ(matching("year > 1985"), "d");
  EXPECT_EQ(matching("year>=1985"), "bcd");
  EXPECT_EQ(matching("year >= 1984.5"), "bcd");
  EXPECT_EQ(matching("price = 0.1"), "d");
  EXPECT_EQ(matching("price < -2.5e0"), "c");
  EXPECT_EQ(matching("price > +2"), "be");
  EXPECT_EQ(matching("year = \"1985\""), "bc");
}

TEST(Filter, ANullCellMatchesNeitherATestNorItsOpposite) {
  EXPECT_EQ(matching("year != 1985"), "ad");
  EXPECT_EQ(matching("not year = 1985"), "ad");
  EXPECT_EQ(matching("year not in (1985)"), "ad");
  EXPECT_EQ(matching("not (year < 3000 and price < 1000)"), "");
  EXPECT_EQ(matching("year < 3000 or not year < 3000"), "abcd");
  EXPECT_EQ(matching("year = 1 or price = 100"), "e");
}

TEST(Filter, AnIntegerIsComparedExactlyBeyondTheDigitsOfADouble) {
  data::Attributes a;
  a.ids.add("a");
  a.ids.add("b");
  a.columns.push_back(typed_column("n", columns::ColumnType::integer, {9007199254740993, 9007199254740992}));
  const std::vector<uint32_t> row_of{0, 1};
  EXPECT_EQ(evaluate_filter_rowwise("n = 9007199254740993", a, row_of, 2).items.rows(), std::vector<uint32_t>{0});
}

TEST(Filter, AndBindsTighterThanOrAndNotTightest) {
  EXPECT_EQ(matching("year = 1979 or year = 1985 and new"), "ab");
  EXPECT_EQ(matching("(year = 1979 or year = 1985) and new"), "b");
  EXPECT_EQ(matching("not new and price < 2"), "ac");
  EXPECT_EQ(matching("not (new or price < 2)"), "e");
  EXPECT_EQ(matching("not not new"), "bd");
}

TEST(Filter, InTakesAnyOfItsValues) {
  EXPECT_EQ(matching("year in (1979, 2021)"), "ad");
  EXPECT_EQ(matching("title in ('Clue','Alien')"), "ac");
  EXPECT_EQ(matching("title not in ('Clue','Alien')"), "bde");
}

TEST(Filter, TextStandsInEitherQuotesWithEscapes) {
  EXPECT_EQ(matching("title = \"Dune's\""), "d");
  EXPECT_EQ(matching("title = 'Dune\\'s'"), "d");
  EXPECT_EQ(matching("title = '\"E\"'"), "e");
  EXPECT_EQ(matching("`title` = 'Alien'"), "a");
  EXPECT_EQ(matching("title >= 'Brazil'"), "bcd");
}

TEST(Filter, BooleansStandAloneOrCompare) {
  EXPECT_EQ(matching("new"), "bd");
  EXPECT_EQ(matching("new = false"), "ace");
  EXPECT_EQ(matching("new != true"), "ace");
  EXPECT_EQ(matching("csv_flag"), "ad");
  EXPECT_EQ(matching("csv_flag = FALSE"), "be");
  EXPECT_EQ(matching("not csv_flag"), "be");
}

TEST(Filter, TimesCompareWithIsoText) {
  EXPECT_EQ(matching("released >= \"1985-12-13\""), "cde");
  EXPECT_EQ(matching("released >= \"1985-12-13T12:00:01Z\""), "de");
  EXPECT_EQ(matching("released = '2024-01-01'"), "e");
  EXPECT_EQ(matching("csv_date < '1985-02-20T11:00:00+00:00'"), "ab");
  EXPECT_EQ(matching("csv_date = '2024-01-01T00:00:00Z'"), "e");
}

TEST(Filter, ATextColumnOfNumbersComparesAsNumbers) {
  EXPECT_EQ(matching("csv_year > 1000"), "ad");
  EXPECT_EQ(matching("csv_year < 1000"), "b");
  EXPECT_EQ(matching("csv_year = 1979.0"), "a");
  EXPECT_EQ(matching("csv_year != 1979"), "bd");
  EXPECT_EQ(matching("mixed = 10"), "a");
  EXPECT_EQ(matching("mixed >= '11'"), "bce");  // as text: "9" > "11"
  EXPECT_EQ(matching("csv_year > '1000'"), "ad");
  EXPECT_EQ(matching("csv_year in ('1979', '2021.0')"), "ad");
}

TEST(Filter, TwoSpellingsOfAValueAreEqual) {
  EXPECT_EQ(matching("mixed = 10.0"), "a");
  EXPECT_EQ(matching("mixed = '1e1'"), "a");
  EXPECT_EQ(matching("csv_date = '2021-10-22T00:00:00Z'"), "d");
  EXPECT_EQ(matching("csv_date = '2021-10-22T02:00:00+02:00'"), "d");
  EXPECT_EQ(matching("csv_flag = 'TRUE'"), "ad");
  EXPECT_EQ(matching("csv_flag = 1"), "ad");
  EXPECT_EQ(matching("tags = '7.0'"), "d");
}

TEST(Filter, IsNullAsksForWhatNoComparisonFinds) {
  EXPECT_EQ(matching("year is null"), "e");
  EXPECT_EQ(matching("year IS NOT NULL"), "abcd");
  EXPECT_EQ(matching("not year is null"), "abcd");
  EXPECT_EQ(matching("csv_date is null"), "c");
  EXPECT_EQ(matching("csv_flag is null or mixed is null"), "cd");
  EXPECT_EQ(matching("tags is null"), "");
  EXPECT_EQ(message_of("year is"),
            "expected 'null' or 'not null' after 'is', found the end (at character 8 of the filter)");
  EXPECT_EQ(message_of("year is not 5"), "expected 'null', found '5' (at character 13 of the filter)");
  // Items 5 and 6 have no attributes.
  const data::Attributes a = films();
  const std::vector<uint32_t> row_of{0, 1, 2, 3, 4};
  for (const auto& [filter, rows] :
       std::vector<std::pair<std::string, std::vector<uint32_t>>>{{"year is null", {4, 5, 6}},
                                                                  {"not year is not null", {4, 5, 6}},
                                                                  {"year is null and new", {}},
                                                                  {"year is null or new", {1, 3, 4, 5, 6}},
                                                                  {"tags is not null", {0, 1, 2, 3, 4}}}) {
    EXPECT_EQ(evaluate_filter_rowwise(filter, a, row_of, 7).items.rows(), rows) << filter;
    EXPECT_EQ(FilterIndex(a, row_of, 7).compile(filter).items.rows(), rows) << filter;
  }
}

TEST(Filter, OnAListAnyElementMayMatch) {
  EXPECT_EQ(matching("tags = 'scifi'"), "abd");
  EXPECT_EQ(matching("tags in ('horror', 'drama')"), "ae");
  EXPECT_EQ(matching("tags != 'scifi'"), "ce");
  EXPECT_EQ(matching("tags = 7"), "d");
}

TEST(Filter, NotSeenIsReportedAndNotAnAttribute) {
  const data::Attributes a = films();
  const std::vector<uint32_t> row_of{0, 1, 2, 3, 4};
  const Filter both = evaluate_filter_rowwise("year = 1985 and (new and not seen)", a, row_of, 5);
  EXPECT_TRUE(both.not_seen);
  EXPECT_EQ(both.items.rows(), std::vector<uint32_t>{1});
  const Filter alone = evaluate_filter_rowwise("Not Seen", a, row_of, 7);
  EXPECT_TRUE(alone.not_seen);
  EXPECT_EQ(alone.items.count(), 7u);
  EXPECT_FALSE(evaluate_filter_rowwise("new", a, row_of, 5).not_seen);
  EXPECT_EQ(matching("`seen` = 'y'"), "bd");
  for (const char* wrong : {"seen", "not seen or new", "not (not seen)", "new and seen", "not (seen or new)"})
    EXPECT_NE(message_of(wrong).find("'seen' may occur only as 'not seen'"), std::string::npos) << wrong;
}

TEST(Filter, ItemsAreFoundByTheirRowsAndThoseOutsideTheCatalogueLeftOut) {
  const data::Attributes a = films();
  const std::vector<uint32_t> row_of{3, columns::Interner::kNone, 0, 1, 6};
  EXPECT_EQ(evaluate_filter_rowwise("price > -100", a, row_of, 8).items.rows(), (std::vector<uint32_t>{0, 1, 3, 6}));
  EXPECT_EQ(evaluate_filter_rowwise("not price > 2", a, row_of, 8).items.rows(), (std::vector<uint32_t>{0, 1, 3}));
}

TEST(Filter, ErrorsNameThePlaceAndTheRemedy) {
  EXPECT_EQ(message_of("yaer >= 1990"),
            "unknown field 'yaer' in filter; did you mean 'year'? (at character 1 of the filter)");
  EXPECT_EQ(message_of("new and yaer >= 1990"),
            "unknown field 'yaer' in filter; did you mean 'year'? (at character 9 of the filter)");
  EXPECT_EQ(message_of("year >="), "expected a value after >=, found the end (at character 8 of the filter)");
  EXPECT_EQ(message_of("year = 1985 new"),
            "expected 'and', 'or' or the end, found 'new' (at character 13 of the filter)");
  EXPECT_EQ(message_of("(new"), "expected ')', found the end (at character 5 of the filter)");
  EXPECT_EQ(message_of("year in ()"), "expected a value after 'in', found ')' (at character 10 of the filter)");
  EXPECT_EQ(message_of("year in 5"), "expected '(' after 'in', found '5' (at character 9 of the filter)");
  EXPECT_EQ(message_of("title = Alien"),
            "'Alien' is neither a number nor true or false; write a text in quotes (at character 9 of the filter)");
  EXPECT_EQ(message_of("released > 2024-01-01"),
            "write a time in quotes: \"2024-01-01\" (at character 12 of the filter)");
  EXPECT_EQ(message_of("title = 'Alien"), "the text that starts here has no closing ' (at character 9 of the filter)");
  EXPECT_EQ(message_of("  "), "the filter is empty (at character 3 of the filter)");
  EXPECT_EQ(message_of("and new"), "expected a field, found 'and' (at character 1 of the filter)");
  EXPECT_EQ(message_of("title = 'é' and )"), "expected a field, found ')' (at character 17 of the filter)");
}

TEST(Filter, AnOrderBetweenATextAndANumberIsAnError) {
  EXPECT_EQ(message_of("mixed > 5"),
            "field 'mixed' is text (such as 'ten') and cannot be compared with the number 5; put the value in quotes "
            "to compare "
            "as text (at character 9 of the filter)");
  EXPECT_EQ(message_of("year > 'x'"),
            "field 'year' is a number and cannot be compared with the text x; compare it with a number (at character "
            "8 of the "
            "filter)");
  EXPECT_NE(message_of("released > 'yesterday'").find("is a time"), std::string::npos);
  EXPECT_NE(message_of("tags < 'x'").find("is a list"), std::string::npos);
  EXPECT_NE(message_of("new < true").find("has no order"), std::string::npos);
  EXPECT_NE(message_of("year").find("is not true or false"), std::string::npos);
  EXPECT_NE(message_of("csv_year < 'x'").find("is a number"), std::string::npos);
  EXPECT_NE(message_of("csv_year < '2021-01-01'").find("is a number"), std::string::npos);
  EXPECT_NE(message_of("year = true").find("is a number"), std::string::npos);
}

TEST(Filter, NestingIsLimitedAndLongChainsAreNot) {
  std::string deep(5000, '('), chain = "new";
  EXPECT_NE(message_of(deep + "new").find("nested more than"), std::string::npos);
  for (int i = 0; i < 5000; ++i) chain += " or new";
  EXPECT_EQ(matching(chain), "bd");
  std::string nots;
  for (int i = 0; i < 5000; ++i) nots += "not ";
  EXPECT_NE(message_of(nots + "new").find("nested more than"), std::string::npos);
}

}  // namespace
}  // namespace pagoda::filter
