#include "features/feature.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/warnings.h"
#include "features/ngrams.h"
#include "formats/formats_test.h"

namespace pagoda::features {
namespace {

constexpr int64_t kHour = 3'600'000'000, kDay = 24 * kHour;

columns::Column text_column(const std::vector<std::string>& cells) {
  columns::Column c;
  c.name = "c";
  for (const auto& cell : cells) cell == "<null>" ? c.push_null() : c.push_text(cell);
  return c;
}

columns::Column real_column(const std::vector<double>& cells) {
  columns::Column c;
  c.type = columns::ColumnType::real;
  for (double v : cells) c.push_real(v);
  return c;
}

FeatureOptions options(FeatureKind kind) {
  FeatureOptions o;
  o.column = "c";
  o.kind = kind;
  return o;
}

FeatureOptions numeric(NumericForm form) {
  auto o = options(FeatureKind::numeric);
  o.form = form;
  return o;
}

using Rows = std::vector<uint32_t>;
using Weights = std::vector<float>;

EncodedColumns encoded(const Feature& f, const columns::Column& column) {
  EncodedColumns out;
  for (size_t row = 0; row < column.rows(); ++row) f.encode(column, row, out);
  return out;
}
EncodedColumns encoded(const Feature& f, std::string_view text) {
  EncodedColumns out;
  f.encode_text(text, out);
  return out;
}

TEST(Feature, CategoricalReadsOneRowAndNullNone) {
  const auto column = text_column({"red", "blue", "red", "<null>", "", "green"});
  const auto f = Feature::fit(options(FeatureKind::categorical), &column, {});
  EXPECT_EQ(f.rows(), 3u + 16);
  EXPECT_EQ(f.buckets(), 16u);
  EXPECT_FALSE(f.is_dense());
  const auto cells = encoded(f, column);
  EXPECT_EQ(cells.bag.rows.values, (Rows{0, 1, 0, 2}));
  EXPECT_EQ(cells.bag.rows.offsets, (std::vector<uint64_t>{0, 1, 2, 3, 3, 3, 4}));
  EXPECT_EQ(cells.bag.weights, (Weights{1, 1, 1, 1}));
  const auto unknown = encoded(f, "mauve");
  ASSERT_EQ(unknown.bag.rows.values.size(), 1u);
  EXPECT_GE(unknown.bag.rows.values[0], 3u);
  EXPECT_EQ(encoded(f, "").bag.rows.values.size(), 0u);
}

TEST(Feature, CategoricalOfNumbersReadsThemAsText) {
  columns::Column c;
  c.type = columns::ColumnType::integer;
  for (int64_t v : {7, 8, 7}) c.push_integer(v);
  const auto f = Feature::fit(options(FeatureKind::categorical), &c, {});
  EXPECT_EQ(encoded(f, c).bag.rows.values, (Rows{0, 1, 0}));
  EXPECT_EQ(encoded(f, "8").bag.rows.values, (Rows{1}));
}

TEST(Feature, TwoSpellingsOfAValueAreOne) {
  columns::Column reals = real_column({2, 0.35});
  const auto typed = Feature::fit(options(FeatureKind::categorical), &reals, {});
  EXPECT_EQ(encoded(typed, text_column({"2", "2.0", "0.350", "35e-2"})).bag.rows.values, (Rows{0, 0, 1, 1}));
  const auto texts = text_column({"2.0", "0.35", "2", "True", "2024-05-01"});
  const auto f = Feature::fit(options(FeatureKind::categorical), &texts, {});
  EXPECT_EQ(f.rows(), 4u + 16);
  EXPECT_EQ(encoded(f, texts).bag.rows.values, (Rows{0, 1, 0, 2, 3}));
  EXPECT_EQ(encoded(f, reals).bag.rows.values, (Rows{0, 1}));
  columns::Column times{.type = columns::ColumnType::time}, yes{.type = columns::ColumnType::boolean};
  times.push_integer(*columns::parse_time_us("2024-05-01"));
  yes.push_integer(1);
  EXPECT_EQ(encoded(f, times).bag.rows.values, (Rows{3}));
  EXPECT_EQ(encoded(f, yes).bag.rows.values, (Rows{2}));
  auto multi = options(FeatureKind::multi);
  multi.separator = "|";
  const auto lists = text_column({"1|2.0", "02"});
  EXPECT_EQ(encoded(Feature::fit(multi, &lists, {}), lists).bag.rows.values, (Rows{0, 1, 1}));
}

TEST(Feature, ANumberIsReadFromATextAsFromATypedCell) {
  columns::Column yes{.type = columns::ColumnType::boolean}, times{.type = columns::ColumnType::time};
  for (const int64_t v : {0, 1}) {
    yes.push_integer(v);
    times.push_integer(v * 86'400'000'000);
  }
  const auto f = Feature::fit(numeric(NumericForm::standardise), &yes, {});
  EXPECT_EQ(encoded(f, text_column({"false", "True", "1", "NA"})).numbers, (Weights{-1, 1, 1, 0}));
  const auto g = Feature::fit(numeric(NumericForm::standardise), &times, {});
  EXPECT_EQ(encoded(g, text_column({"1970-01-01", "1970-01-02T00:00:00Z", "86400"})).numbers, (Weights{-1, 1, 1}));
}

TEST(Feature, MinCountCountsARowAsOftenAsItStandsInTheData) {
  const auto column = text_column({"a", "b", "a", "c"});
  auto o = options(FeatureKind::categorical);
  o.min_count = 3;
  o.hash_buckets = 2;
  const std::vector<uint64_t> counts{1, 9, 2, 0};
  const auto f = Feature::fit(o, &column, counts);
  EXPECT_EQ(f.rows(), 2u + 2);  // a: 3, b: 9
  EXPECT_EQ(encoded(f, "a").bag.rows.values, (Rows{0}));
  EXPECT_EQ(encoded(f, "b").bag.rows.values, (Rows{1}));
  EXPECT_GE(encoded(f, "c").bag.rows.values[0], 2u);
}

TEST(Feature, MultiReadsTheMeanOfItsValues) {
  const auto column = text_column({"x|y", "y", " z | x |", "<null>", ""});
  auto o = options(FeatureKind::multi);
  o.separator = "|";
  const auto f = Feature::fit(o, &column, {});
  EXPECT_EQ(f.rows(), 3u + 16);
  const auto cells = encoded(f, column);
  EXPECT_EQ(cells.bag.rows.values, (Rows{0, 1, 1, 2, 0}));
  EXPECT_EQ(cells.bag.weights, (Weights{.5f, .5f, 1, .5f, .5f}));
  EXPECT_EQ(cells.bag.rows.offsets, (std::vector<uint64_t>{0, 2, 3, 5, 5, 5}));
  EXPECT_EQ(encoded(f, "x|y").bag.rows.values, (Rows{0, 1}));  // of a context, as of a table

  columns::Column lists;
  lists.type = columns::ColumnType::texts;
  lists.push_element("x|y");
  lists.push_element("b");
  lists.end_list();
  lists.end_list();
  const auto g = Feature::fit(o, &lists, {});
  EXPECT_EQ(encoded(g, lists).bag.rows.values, (Rows{0, 1}));  // a list's elements are not split
}

TEST(Feature, VectorsAreNoSetsOfWords) {
  columns::Column vectors;
  vectors.name = "vector";
  vectors.type = columns::ColumnType::texts;
  for (const char* element : {"0.25", "-0.5", "1", "0.125"}) vectors.push_element(element);
  vectors.end_list();
  for (const auto kind : {FeatureKind::multi, FeatureKind::categorical, FeatureKind::text})
    EXPECT_TRUE(files::error_of([&] { Feature::fit(options(kind), &vectors, {}); }).says("holds vectors of 4 numbers"));
  const auto text = text_column({"0.25|-0.5|1|0.125", "0.5|0.5|0.25|0.75"});
  auto o = options(FeatureKind::multi);
  o.separator = "|";
  EXPECT_TRUE(files::error_of([&] { Feature::fit(o, &text, {}); }).says("remove it from the features"));
}

TEST(Feature, StandardisedNumberIsItsDistanceFromTheMeanInDeviations) {
  const auto column = real_column({1, 3});  // mean 2, deviation 1
  const auto f = Feature::fit(numeric(NumericForm::standardise), &column, {});
  EXPECT_TRUE(f.is_dense());
  EXPECT_EQ(f.dim(), 1u);
  EXPECT_EQ(encoded(f, column).numbers, (Weights{-1, 1}));
  EXPECT_FLOAT_EQ(encoded(f, "2.5").numbers[0], .5f);
  EXPECT_FLOAT_EQ(encoded(f, "1e300").numbers[0], 5.f);
  EXPECT_FLOAT_EQ(encoded(f, "-1e300").numbers[0], -5.f);
  EXPECT_EQ(encoded(f, "N/A").numbers, (Weights{0}));
  EncodedColumns null;
  f.encode_null(null);
  EXPECT_EQ(null.numbers, (Weights{0}));
}

TEST(Feature, NumbersAreFittedWithTheirCounts) {
  const auto column = real_column({0, 4, 1000});
  const auto f = Feature::fit(numeric(NumericForm::standardise), &column, std::vector<uint64_t>{3, 1, 0});
  // mean 1, deviation sqrt((3 * 1 + 9) / 4)
  EXPECT_FLOAT_EQ(encoded(f, "4").numbers[0], static_cast<float>(3 / std::sqrt(3.0)));
  const auto b = Feature::fit(numeric(NumericForm::bucket), &column, std::vector<uint64_t>{32, 1, 0});
  EXPECT_EQ(b.rows(), 1u + 2);  // all of the 31 bounds are 0
}

TEST(Feature, LogIsOfTheMagnitudeAndKeepsTheSign) {
  const auto column = real_column({std::exp(1.0) - 1, -(std::exp(3.0) - 1)});  // 1 and -3: mean -1, deviation 2
  const auto f = Feature::fit(numeric(NumericForm::log), &column, {});
  const auto cells = encoded(f, column);
  EXPECT_NEAR(cells.numbers[0], 1, 1e-6);
  EXPECT_NEAR(cells.numbers[1], -1, 1e-6);
  EXPECT_NEAR(encoded(f, "0").numbers[0], .5, 1e-6);
}

TEST(Feature, AConstantNumberSaysNothing) {
  const auto column = real_column({1e9 + .1, 1e9 + .1, 1e9 + .1});
  const auto f = Feature::fit(numeric(NumericForm::standardise), &column, {});
  EXPECT_NEAR(encoded(f, column).numbers[0], 0, 1e-5);
}

TEST(Feature, BucketsAreQuantiles) {
  std::vector<double> values;
  for (int i = 0; i < 64; ++i) values.push_back(63 - i);
  const auto column = real_column(values);
  const auto f = Feature::fit(numeric(NumericForm::bucket), &column, {});
  EXPECT_FALSE(f.is_dense());
  EXPECT_EQ(f.rows(), 31u + 2);  // bounds 2, 4, ... 62; below the first, after each, and null
  EXPECT_EQ(encoded(f, "-5").bag.rows.values, (Rows{0}));
  EXPECT_EQ(encoded(f, "1.9").bag.rows.values, (Rows{0}));
  EXPECT_EQ(encoded(f, "2").bag.rows.values, (Rows{1}));
  EXPECT_EQ(encoded(f, "5").bag.rows.values, (Rows{2}));
  EXPECT_EQ(encoded(f, "1e9").bag.rows.values, (Rows{31}));
  EXPECT_EQ(encoded(f, "many").bag.rows.values, (Rows{32}));
  EncodedColumns null;
  f.encode_null(null);
  EXPECT_EQ(null.bag.rows.values, (Rows{32}));
}

TEST(Feature, NumericOfNoNumbersIsRefused) {
  const auto column = text_column({"cheap", "<null>"});
  const auto e = files::error_of([&] { Feature::fit(numeric(NumericForm::log), &column, {}); });
  EXPECT_EQ(e.kind, ErrorKind::input);
  EXPECT_TRUE(e.says("column 'c' is declared numeric but holds no number")) << e.message;
  const auto large = real_column({1e308, -1e308, 1e308});
  EXPECT_TRUE(files::error_of([&] { Feature::fit(numeric(NumericForm::standardise), &large, {}); }).says("too large"));
}

TEST(Feature, TextIsItsNgramsAtOneOverRootN) {
  auto o = options(FeatureKind::text);
  o.hash_buckets = 1000;
  const auto column = text_column({"Ab c", "<null>", "..."});
  const auto f = Feature::fit(o, &column, {});
  EXPECT_EQ(f.rows(), 1000u);
  EXPECT_EQ(f.dim(), 64u);
  Rows expected;
  hash_ngrams("ab c", true, 2, 1000, expected);
  const auto cells = encoded(f, column);
  EXPECT_EQ(cells.bag.rows.values, expected);
  ASSERT_EQ(expected.size(), 6u);
  EXPECT_FLOAT_EQ(cells.bag.weights[0], static_cast<float>(1 / std::sqrt(6.0)));
  EXPECT_EQ(cells.bag.rows.offsets, (std::vector<uint64_t>{0, 6, 6, 6}));
}

TEST(Feature, HourAndWeekdayAreThoseOfUtcBefore1970Too) {
  auto o = options(FeatureKind::time);
  const auto hour = Feature::fit(o, nullptr, {});
  o.part = TimePart::weekday;
  const auto weekday = Feature::fit(o, nullptr, {});
  EXPECT_TRUE(hour.depends_on_time());
  EXPECT_EQ(hour.rows(), 24u);
  EXPECT_EQ(weekday.rows(), 7u);
  EXPECT_EQ(hour.time_row(0, kNoTime), 0u);
  EXPECT_EQ(hour.time_row(-1, kNoTime), 23u);
  EXPECT_EQ(hour.time_row(5 * kDay + 13 * kHour + 59, kNoTime), 13u);
  EXPECT_EQ(weekday.time_row(0, kNoTime), 3u);                 // a Thursday
  EXPECT_EQ(weekday.time_row(-1, kNoTime), 2u);                // the Wednesday before it
  EXPECT_EQ(weekday.time_row(-3 * kDay, kNoTime), 0u);         // Monday, 29 December 1969
  EXPECT_EQ(weekday.time_row(1714521600000000, kNoTime), 2u);  // Wednesday, 1 May 2024
  EXPECT_LT(hour.time_row(INT64_MIN, kNoTime), 24u);
  EXPECT_LT(weekday.time_row(INT64_MIN, kNoTime), 7u);
}

TEST(Feature, AgeIsInQuartersOfADoublingOfDays) {
  const auto column = text_column({"1970-01-11", "<null>", "soon"});
  auto o = options(FeatureKind::time);
  o.part = TimePart::age;
  const auto f = Feature::fit(o, &column, {});
  EXPECT_EQ(f.rows(), 65u);
  const auto cells = encoded(f, column);
  EXPECT_EQ(cells.times_us, (std::vector<int64_t>{10 * kDay, kNoTime, kNoTime}));
  const auto row = [&](int64_t moment) { return f.time_row(moment, 10 * kDay); };
  EXPECT_EQ(row(10 * kDay), 0u);
  EXPECT_EQ(row(9 * kDay), 0u);  // not out yet: as new
  EXPECT_EQ(row(11 * kDay), 4u);
  EXPECT_EQ(row(13 * kDay), 8u);
  EXPECT_EQ(row(25 * kDay), 16u);
  EXPECT_EQ(row(200 * 366 * kDay), 63u);
  EXPECT_EQ(f.time_row(0, kNoTime), 64u);
  EXPECT_EQ(f.time_row(INT64_MAX, INT64_MIN + 1), 63u);
  const auto bad = text_column({"soon"});
  EXPECT_TRUE(files::error_of([&] { Feature::fit(o, &bad, {}); }).says("declared a time but holds none"));
}

TEST(Feature, WidthFollowsTheNumberOfValuesUnlessGiven) {
  const auto with = [](int values, int64_t dim) {
    columns::Column c;
    for (int i = 0; i < values; ++i) c.push_text(std::to_string(i));
    auto o = options(FeatureKind::categorical);
    o.dim = dim;
    return Feature::fit(o, &c, {}).dim();
  };
  EXPECT_EQ(with(1, 0), 4u);
  EXPECT_EQ(with(16, 0), 8u);
  EXPECT_EQ(with(10000, 0), 40u);
  EXPECT_EQ(with(100000, 0), 64u);  // 72, cut
  EXPECT_EQ(with(16, 5), 5u);
}

TEST(Feature, OneThatIsSavedAndLoadedEncodesTheSame) {
  const auto column = text_column({"1|2", "3", "<null>", "5 words", "7", "2020-01-01"});
  for (auto kind :
       {FeatureKind::categorical, FeatureKind::multi, FeatureKind::numeric, FeatureKind::text, FeatureKind::time})
    for (auto form : {NumericForm::log, NumericForm::standardise, NumericForm::bucket})
      for (auto part : {TimePart::hour, TimePart::weekday, TimePart::age}) {
        auto o = options(kind);
        o.form = form;
        o.part = part;
        o.separator = "|";
        o.hash_buckets = 5;
        const auto f = Feature::fit(o, &column, {});
        ByteWriter out;
        f.save(out);
        ByteReader in(std::as_bytes(std::span(out.bytes())), "test");
        const auto g = Feature::load(in);
        EXPECT_TRUE(in.at_end());
        EXPECT_EQ(g.rows(), f.rows());
        EXPECT_EQ(g.dim(), f.dim());
        EXPECT_EQ(g.name(), f.name());
        EXPECT_EQ(g.is_dense(), f.is_dense());
        const auto a = encoded(f, column), b = encoded(g, column);
        EXPECT_EQ(a.bag.rows.values, b.bag.rows.values);
        EXPECT_EQ(a.bag.weights, b.bag.weights);
        EXPECT_EQ(a.numbers, b.numbers);
        EXPECT_EQ(a.times_us, b.times_us);
        EXPECT_EQ(f.time_row(5 * kDay + 7 * kHour, 0), g.time_row(5 * kDay + 7 * kHour, 0));
      }
}

TEST(Feature, BytesThatCannotBeAreRefused) {
  const auto column = text_column({"a"});
  ByteWriter out;
  Feature::fit(options(FeatureKind::text), &column, {}).save(out);
  const auto with = [&](size_t at, char byte) {
    auto bytes = out.bytes();
    bytes[at] = byte;
    return files::error_of([&] {
      ByteReader in(std::as_bytes(std::span(bytes)), "section 'x'");
      Feature::load(in);
    });
  };
  EXPECT_TRUE(with(9, 77).says("section 'x': a choice is none"));          // the kind, after u64 + "c"
  EXPECT_TRUE(with(9 + 4 + 8 + 4 + 4, 2).says("a yes or no is neither"));  // trigrams
}

TEST(Feature, CellsThatAreNoNumberOrNoTimeCountAsMissingAndAreSaid) {
  const columns::Column prices = text_column({"1.5", "abc", "", "NA", "9,99", "2"});
  columns::Column born = text_column({"2024-05-01", "soon"});
  born.name = "born";
  Feature::fit({.column = "price of all", .kind = FeatureKind::numeric}, &prices, {});
  Feature::fit({.column = "born", .kind = FeatureKind::time, .part = TimePart::age}, &born, {});
  const auto said = warnings_so_far();
  EXPECT_EQ(std::ranges::count(
                said, "column 'price of all': 2 of 6 cells are not a number, such as 'abc', and count as missing"),
            1);
  EXPECT_EQ(
      std::ranges::count(said, "column 'born': 1 of 2 cells are not a time, such as 'soon', and count as missing"), 1);
}

TEST(Feature, DatesThatDoNotTellDayFromMonthAreRefusedWithTheKey) {
  columns::Column born = text_column({"05/06/2024", "01/01/2024", "<null>"});
  const FeatureOptions age{.column = "born", .kind = FeatureKind::time, .part = TimePart::age};
  const auto error = files::error_of([&] { Feature::fit(age, &born, {}); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says("column 'born' has dates such as '05/06/2024'") && error.says("data.date_order"))
      << error.message;
  born.times.order = columns::DateOrder::day_first;
  EXPECT_NO_THROW(Feature::fit(age, &born, {}));
}

}  // namespace
}  // namespace pagoda::features
