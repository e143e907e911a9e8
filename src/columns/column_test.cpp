#include "columns/column.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "columns/decimal.h"

namespace pagoda::columns {
namespace {

Column texts_of(const std::vector<std::string>& values) {
  Column column;
  for (const auto& value : values) column.push_text(value);
  return column;
}

std::vector<std::string> elements_of(const Column& column, size_t row, char separator) {
  std::vector<std::string> parts;
  column.for_each_element(row, separator, [&](std::string_view part) { parts.emplace_back(part); });
  return parts;
}

TEST(CellText, NumbersAreTakenWholeOrNotAtAll) {
  EXPECT_EQ(parse_number(" 12.5 "), 12.5);
  EXPECT_EQ(parse_number("-3e2"), -300);
  EXPECT_EQ(parse_number("+7"), 7);
  for (const char* bad : {"", "12x", "N/A", "nan", "inf", "1e999", "1,5", "+-3", "0x10", "1 2"})
    EXPECT_FALSE(parse_number(bad)) << bad;
}

TEST(CellText, IntegersAreTakenWholeOrNotAtAll) {
  const auto read = [](std::string_view text) {
    int64_t value = 0;
    return parse_integer(text, value) ? std::optional(value) : std::nullopt;
  };
  EXPECT_EQ(read("0"), 0);
  EXPECT_EQ(read("-0"), 0);
  EXPECT_EQ(read("007"), 7);
  EXPECT_EQ(read("-999999999999999999"), -999999999999999999);
  EXPECT_EQ(read("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(read("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(read("00000000000000000000007"), 7);
  for (const char* text : {"", "-", "+7", "--7", " 7", "7 ", "7.0", "1e3", "9223372036854775808", "12345678901234567a"})
    EXPECT_EQ(read(text), std::nullopt) << text;
}

TEST(CellText, TimesOfIso8601AreMicrosecondsOfUtc) {
  EXPECT_EQ(parse_time_us("1970-01-01"), 0);
  EXPECT_EQ(parse_time_us("2024-05-01"), 1714521600000000);
  EXPECT_EQ(parse_time_us("2024-05-01T10:00:00Z"), 1714557600000000);
  EXPECT_EQ(parse_time_us("2024-05-01 10:00"), 1714557600000000);
  EXPECT_EQ(parse_time_us("2024-05-01T12:00:00+02:00"), 1714557600000000);
  EXPECT_EQ(parse_time_us("1900-01-01 05:21:10+05:21:10"), -2208988800000000);  // Kolkata, as Python writes it
  EXPECT_EQ(parse_time_us("2024-05-01T04:30:00-0530"), 1714557600000000);
  EXPECT_EQ(parse_time_us("2024-05-01T10:00:00.25Z"), 1714557600250000);
  EXPECT_EQ(parse_time_us("2024-05-01 10:00:00.123456789 UTC"), 1714557600123456);
  EXPECT_EQ(parse_time_us("1969-12-31T23:59:59Z"), -1000000);
  EXPECT_EQ(parse_time_us("2024-02-29"), 1709164800000000);
  for (const char* bad : {"2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-05-01T25:00:00",
                          "2024-05-01T10", "2024-05-01x", "2024-05-01T10:00:00+2", "yesterday", "", "nan"})
    EXPECT_FALSE(parse_time_us(bad)) << bad;
}

TEST(CellText, ANumberOfATimeTellsItsUnitByItsSize) {
  constexpr int64_t kMoment = 1714557600000000;
  EXPECT_EQ(parse_time_us("1714557600"), kMoment);
  EXPECT_EQ(parse_time_us("1714557600000"), kMoment);
  EXPECT_EQ(parse_time_us("1714557600000000"), kMoment);
  EXPECT_EQ(parse_time_us("1714557600000000000"), kMoment);
  EXPECT_EQ(parse_time_us("1714557600.5"), kMoment + 500000);
  EXPECT_EQ(time_of_number(99999999999.0), 99999999999000000);  // the last second before it is milliseconds
  EXPECT_EQ(time_of_number(int64_t{100000000000}), 100000000000000);
  EXPECT_FALSE(time_of_number(std::numeric_limits<double>::quiet_NaN()));
}

TEST(CellText, TimesAreWrittenAsTheyAreRead) {
  EXPECT_EQ(format_time_us(1714557600000000), "2024-05-01T10:00:00Z");
  EXPECT_EQ(format_time_us(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_time_us(INT64_MIN), "-290308-12-21T19:59:05.224192Z");  // on a day that begins before all of int64
  EXPECT_EQ(format_time_us(-62198755200000000), "-0001-01-01T00:00:00Z");
  for (int64_t t = -400000000000000000; t < 4000000000000000; t += 1234567890123457) {
    if (format_time_us(t)[0] != '-') {
      EXPECT_EQ(parse_time_us(format_time_us(t)), t) << format_time_us(t);
    }
  }
}

TEST(CellText, DurationsHaveAUnit) {
  EXPECT_EQ(parse_duration_us("45s"), 45000000);
  EXPECT_EQ(parse_duration_us("30m"), 1800000000);
  EXPECT_EQ(parse_duration_us("12h"), 43200000000);
  EXPECT_EQ(parse_duration_us("7d"), 604800000000);
  EXPECT_EQ(parse_duration_us("2w"), 1209600000000);
  EXPECT_EQ(parse_duration_us("1.5h"), 5400000000);
  for (const char* bad : {"", "7", "d", "7 days", "-1d", "0.1", "7y"}) EXPECT_FALSE(parse_duration_us(bad)) << bad;
}

TEST(CellText, Utf8IsCheckedByItsDefinition) {
  for (const char* good :
       {"", "plain ascii, long enough for a word", "M\xc3\xbcnchen", "\xe2\x82\xac", "\xf0\x9f\x8e\xb2"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"caf\xe9", "\xc3", "12345678\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Column, ACellReadsAsTextNumberAndTimeWhateverItsType) {
  std::string scratch;
  Column integers{.type = ColumnType::integer}, reals{.type = ColumnType::real}, booleans{.type = ColumnType::boolean},
      times{.type = ColumnType::time};
  integers.push_integer(-12);
  reals.push_real(12);
  reals.push_real(0.1);
  reals.push_real(std::numeric_limits<double>::quiet_NaN());
  booleans.push_integer(1);
  times.push_integer(1714557600000000);
  EXPECT_EQ(integers.as_text(0, scratch), "-12");
  EXPECT_EQ(reals.as_text(0, scratch), "12");
  EXPECT_EQ(reals.as_text(1, scratch), "0.1");
  EXPECT_EQ(booleans.as_text(0, scratch), "true");
  EXPECT_EQ(times.as_text(0, scratch), "2024-05-01T10:00:00Z");
  EXPECT_EQ(integers.as_number(0), -12);
  EXPECT_EQ(booleans.as_number(0), 1);
  EXPECT_EQ(times.as_number(0), 1714557600);
  EXPECT_FALSE(reals.as_number(2));
  EXPECT_FALSE(reals.absent(2)) << "a NaN is there, and is no number";
  EXPECT_EQ(texts_of({"2024-05-01T10:00:00Z"}).as_time_us(0), 1714557600000000);
  EXPECT_FALSE(booleans.as_time_us(0));
}

TEST(Column, TheWordsForNothingAreAbsentButAreTheirOwnText) {
  std::string scratch;
  const Column column = texts_of({"", "NA", "N/A", "null", "NULL", "None", " NA ", "0", "none at all"});
  for (size_t row = 0; row < 7; ++row) EXPECT_TRUE(column.absent(row)) << row;
  EXPECT_FALSE(column.absent(7));
  EXPECT_FALSE(column.absent(8));
  EXPECT_EQ(column.as_text(1, scratch), "NA");
  EXPECT_FALSE(column.is_null(0));
}

TEST(Column, ATextIsSplitIntoTrimmedPartsAndAListIsTakenAsItIs) {
  const Column column = texts_of({"Crime|Drama", "J.K. Rowling, Mary Grand", "||", "one"});
  EXPECT_EQ(elements_of(column, 0, '|'), (std::vector<std::string>{"Crime", "Drama"}));
  EXPECT_EQ(elements_of(column, 1, ','), (std::vector<std::string>{"J.K. Rowling", "Mary Grand"}));
  EXPECT_TRUE(elements_of(column, 2, '|').empty());
  EXPECT_EQ(elements_of(column, 1, '\0'), (std::vector<std::string>{"J.K. Rowling, Mary Grand"}));

  Column list{.type = ColumnType::texts};
  list.push_element("a|b");
  list.push_element("c");
  list.end_list();
  list.push_null();
  EXPECT_EQ(list.rows(), 2u);
  EXPECT_EQ(elements_of(list, 0, '|'), (std::vector<std::string>{"a|b", "c"}));
  EXPECT_TRUE(elements_of(list, 1, '|').empty());
}

TEST(Column, PushingACellOfAnotherTypeWidensTheColumn) {
  std::string scratch;
  Column integers{.type = ColumnType::integer}, reals{.type = ColumnType::real};
  integers.push_integer(3);
  reals.push_real(0.5);
  const Column text = texts_of({"many"});

  Column column;
  column.push_null();
  column.push_cell(integers, 0);
  EXPECT_EQ(column.type, ColumnType::integer) << "nulls take any type";
  column.push_cell(reals, 0);
  EXPECT_EQ(column.type, ColumnType::decimal) << "holds both exactly";
  column.push_cell(integers, 0);
  column.push_cell(text, 0);
  EXPECT_EQ(column.type, ColumnType::text);
  ASSERT_EQ(column.rows(), 5u);
  EXPECT_TRUE(column.is_null(0));
  for (const auto& [row, expected] :
       std::vector<std::pair<size_t, const char*>>{{1, "3"}, {2, "0.5"}, {3, "3"}, {4, "many"}})
    EXPECT_EQ(column.as_text(row, scratch), expected);
}

TEST(Column, ACellOfAnotherPrecisionMakesAColumnOfDoubles) {
  Column doubles{.type = ColumnType::real}, floats{.type = ColumnType::real, .precision = RealPrecision::f32};
  doubles.push_real(0.1);
  floats.push_real(0.1);
  Column column;
  column.push_null();
  column.push_cell(floats, 0);
  column.push_cell(floats, 0);
  EXPECT_EQ(column.type, ColumnType::real);
  EXPECT_EQ(column.precision, RealPrecision::f32);
  column.push_cell(doubles, 0);
  EXPECT_EQ(column.precision, RealPrecision::f64);
}

TEST(Column, ANumberIsNearestToWhatItsPrecisionHolds) {
  const auto nearest = [](RealPrecision precision, const char* number) {
    return nearest_in(precision, *Decimal::parse(number));
  };
  EXPECT_EQ(nearest(RealPrecision::f32, "0.10000000149011612"), 0.1);
  EXPECT_EQ(nearest(RealPrecision::f32, "16777217"), 16777216);
  EXPECT_EQ(nearest(RealPrecision::f32, "1e39"), INFINITY);
  EXPECT_EQ(nearest(RealPrecision::f32, "1e-60"), 0);
  EXPECT_EQ(nearest(RealPrecision::f16, "0.0999755859375"), 0.1);
  EXPECT_EQ(nearest(RealPrecision::f16, "2049"), 2048);
  EXPECT_EQ(nearest(RealPrecision::f16, "-65504"), -65504) << "a whole number keeps its digits";
  EXPECT_EQ(nearest(RealPrecision::f16, "65520"), INFINITY);
  EXPECT_EQ(nearest(RealPrecision::f16, "5.96e-8"), 6e-8);
  EXPECT_EQ(nearest(RealPrecision::f64, "9007199254740993"), 9007199254740992);
}

}  // namespace
}  // namespace pagoda::columns
