#include "columns/decimal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace pagoda::columns {
namespace {

std::string text_of(std::string_view text) {
  const auto number = Decimal::parse(text);
  return number ? number->text() : "nothing";
}

TEST(Decimal, HasOneTextForAllSpellingsOfANumber) {
  for (const auto* spelling : {"2", "2.0", "+2", "02.00", "2e0", "0.2e1", "20E-1", " 2 "})
    EXPECT_EQ(text_of(spelling), "2");
  for (const auto* zero : {"0", "-0", "0.000", "0e9", ".0"}) EXPECT_EQ(text_of(zero), "0");
  EXPECT_EQ(text_of("0.350"), "0.35");
  EXPECT_EQ(text_of("-.5"), "-0.5");
  EXPECT_EQ(text_of("1e-5"), "0.00001");
  EXPECT_EQ(text_of("12.5e1"), "125");
}

TEST(Decimal, KeepsEveryDigit) {
  for (const auto* digits : {"1700000000123456003", "18446744073709551624", "-170141183460469231731687303715884105728",
                             "0.10000000000000000000000000000000000001", "100000000000000000000"})
    EXPECT_EQ(text_of(digits), digits);
  EXPECT_EQ(text_of("1e200"), "1e+200");
  EXPECT_EQ(text_of("-12.5e-200"), "-1.25e-199");
}

TEST(Decimal, IsNothingOtherThanANumber) {
  for (const auto* text :
       {"", " ", ".", "-", "1e", "1e+", "1e+-5", "e5", "1 2", "0x10", "inf", "nan", "1,5", "--1", "1e9999999"})
    EXPECT_EQ(text_of(text), "nothing") << text;
}

TEST(Decimal, OrdersByValue) {
  const char* rising[] = {"-1e300",
                          "-18446744073709551616",
                          "-2.5",
                          "-2.49",
                          "-1e-400",
                          "0",
                          "1e-400",
                          "0.0999",
                          "0.1",
                          "0.10000000000000000001",
                          "9",
                          "10",
                          "9007199254740992",
                          "9007199254740993",
                          "1e300"};
  for (size_t i = 0; i < std::size(rising); ++i)
    for (size_t j = 0; j < std::size(rising); ++j)
      EXPECT_EQ(*Decimal::parse(rising[i]) <=> *Decimal::parse(rising[j]), i <=> j) << rising[i] << " " << rising[j];
}

TEST(Decimal, OrdersAsDoublesDoAtRandom) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const auto draw = [&] {
      return std::ldexp(static_cast<double>(static_cast<int64_t>(random())), -static_cast<int>(random() % 80));
    };
    const double a = draw(), b = i % 3 ? draw() : a;
    EXPECT_EQ(Decimal::of(a) < Decimal::of(b), a < b);
    EXPECT_EQ(Decimal::of(a) == Decimal::of(b), a == b);
    EXPECT_EQ(Decimal::of(a).as_double(), a);
  }
}

TEST(Decimal, IsAnIntegerOnlyWhenItFits) {
  EXPECT_EQ(Decimal::parse("9223372036854775807")->as_int64(), INT64_MAX);
  EXPECT_EQ(Decimal::parse("-9223372036854775808")->as_int64(), INT64_MIN);
  EXPECT_EQ(Decimal::parse("9223372036854775808")->as_int64(), std::nullopt);
  EXPECT_EQ(Decimal::parse("1e3")->as_int64(), 1000);
  EXPECT_EQ(Decimal::parse("0.5")->as_int64(), std::nullopt);
  EXPECT_EQ(Decimal::parse("9223372036854775807.9")->floor_int64(), INT64_MAX);
  EXPECT_EQ(Decimal::parse("9223372036854775808")->floor_int64(), std::nullopt);
  EXPECT_EQ(Decimal::parse("-9223372036854775808")->floor_int64(), INT64_MIN);
  EXPECT_EQ(Decimal::parse("-9223372036854775808.1")->floor_int64(), std::nullopt);
  EXPECT_EQ(Decimal::parse("-100.5")->floor_int64(), -101);
  EXPECT_EQ(Decimal::parse("-1e-300")->floor_int64(), -1);
  EXPECT_EQ(Decimal::parse("1e-300")->floor_int64(), 0);
  EXPECT_EQ(Decimal::of(INT64_MIN).text(), "-9223372036854775808");
  EXPECT_EQ(Decimal::parse("1e400")->as_double(), INFINITY);
  EXPECT_EQ(Decimal::parse("-1e-400")->as_double(), 0);
}

TEST(FormatNumber, WritesWholeNumbersWithAllTheirDigits) {
  EXPECT_EQ(format_number(2.0), "2");
  EXPECT_EQ(format_number(-0.0), "0");
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(1700000000123456000.0), "1700000000123456000");
  EXPECT_EQ(format_number(1e22), "10000000000000000000000");
  EXPECT_EQ(format_number(1e-7), "0.0000001");
}

TEST(ValueKey, IsOneForTheSpellingsOfAValue) {
  EXPECT_EQ(value_key("2.0"), "2");
  EXPECT_EQ(value_key("2"), "2");
  EXPECT_EQ(value_key("True"), "true");
  EXPECT_EQ(value_key("FALSE"), "false");
  EXPECT_EQ(value_key("1970-01-02"), "1970-01-02T00:00:00Z");
  EXPECT_EQ(value_key("1970-01-02T02:00:00.000+02:00"), "1970-01-02T00:00:00Z");
  EXPECT_EQ(value_key("phone"), std::nullopt);
  EXPECT_EQ(value_key(""), std::nullopt);
}

TEST(Decimal, AWholeFloatIsTheIntegerOfThatValue) {
  EXPECT_EQ(format_number(0x1p60), "1152921504606846976");
  EXPECT_EQ(format_number(-0x1p63), "-9223372036854775808");
  EXPECT_EQ(format_number(0x1p64), "18446744073709552000");  // beyond the integers
  EXPECT_EQ(format_number(-0.0), "0");
  EXPECT_EQ(shortest_double(67108832.f), 67108832.0);
  EXPECT_EQ(shortest_double_of_half(65504), 65504.0);
  EXPECT_EQ(shortest_double_of_half(static_cast<_Float16>(0.1)), 0.1);
}

TEST(Decimal, AFloatIsTheShortestDecimalThatReadsBackAsIt) {
  EXPECT_EQ(shortest_double(0.1f), 0.1);
  EXPECT_EQ(shortest_double(9.99f), 9.99);
  EXPECT_EQ(shortest_double(-0.35f), -0.35);
  EXPECT_EQ(shortest_double(16777216.f), 16777216.0);
  EXPECT_EQ(shortest_double(3.4028235e38f), 3.4028235e38);
  EXPECT_EQ(shortest_double(1e-45f), 1e-45);
  EXPECT_TRUE(std::isinf(shortest_double(std::numeric_limits<float>::infinity())));
}

TEST(Decimal, OnlyTheCanonicalTextOfAnIntegerIsOne) {
  EXPECT_EQ(canonical_int64("12"), 12);
  EXPECT_EQ(canonical_int64("-9223372036854775808"), INT64_MIN);
  for (const char* text : {"", "-0", "+1", "012", " 1", "1.0", "1e3", "9223372036854775808", "x"})
    EXPECT_FALSE(canonical_int64(text)) << text;
}

TEST(CanonicalText, IsTheKeyOfAValueAndOtherTextsThemselves) {
  std::string scratch;
  for (const auto* text : {"", " ", "phone", "10", "9007199254740993", "0", "-5", "0.35", "true", "t", "1a", "2024-05",
                           "+", "{2.0}", "1970-01-02T00:00:00Z"})
    EXPECT_EQ(canonical_text(text, scratch), text);
  for (const auto& [spelling, text] :
       std::vector<std::pair<std::string, std::string>>{{"007", "7"},
                                                        {"10.", "10"},
                                                        {"+5", "5"},
                                                        {".50", "0.5"},
                                                        {" 2", "2"},
                                                        {"1e3", "1000"},
                                                        {"False", "false"},
                                                        {"1970-01-02", "1970-01-02T00:00:00Z"},
                                                        {"1" + std::string(99, '0'), "1e+99"}})
    EXPECT_EQ(canonical_text(spelling, scratch), text);
}

}  // namespace
}  // namespace pagoda::columns
