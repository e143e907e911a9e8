// Numbers in filters at the ends of what their columns hold.
#include <gtest/gtest.h>

#include <algorithm>

#include "columns/decimal.h"
#include "filter/filter_index.h"

namespace pagoda::filter {
namespace {

// Items a to g; the last cell of most columns is null.
struct EncodedColumns {
  const char* column;
  columns::ColumnType type;
  columns::RealPrecision precision;
  std::vector<const char*> cells;
};

const std::vector<EncodedColumns> kColumns{
    {"int64",
     columns::ColumnType::integer,
     {},
     {"9007199254740991", "9007199254740992", "9007199254740993", "9223372036854775807", "-9223372036854775808", "0",
      nullptr}},
    {"csv_big",
     columns::ColumnType::text,
     {},
     {"9007199254740991", "9007199254740992", "9007199254740993", "18446744073709551615", "18446744073709551616", "-1",
      "NA"}},
    {"uint64",
     columns::ColumnType::decimal,
     {},
     {"9007199254740991", "9007199254740992", "9007199254740993", "18446744073709551615", "18446744073709551614", "0",
      nullptr}},
    {"decimal",
     columns::ColumnType::decimal,
     {},
     {"0.35", "9.99", "0.34999999999999999999", "-0.35", "18446744073709551616", "2", nullptr}},
    {"csv_price",
     columns::ColumnType::text,
     {},
     {"0.35", "0.350", "35e-2", "9.99", "0.34999999999999999999", "10", ""}},
    {"f64",
     columns::ColumnType::real,
     columns::RealPrecision::f64,
     {"0.1", "0.35", "9.99", "9007199254740992", "9007199254740994", "-0.1", nullptr}},
    {"f32",
     columns::ColumnType::real,
     columns::RealPrecision::f32,
     {"0.1", "9.99", "20", "16777216", "16777218", "-9.99", nullptr}},
    {"f16",
     columns::ColumnType::real,
     columns::RealPrecision::f16,
     {"0.1", "9.99", "20", "2048", "2050", "-9.99", nullptr}}};

data::Attributes table() {
  data::Attributes a;
  for (const char* id : {"a", "b", "c", "d", "e", "f", "g"}) a.ids.add(id);
  for (const auto& [name, type, precision, cells] : kColumns) {
    auto& column = a.columns.emplace_back();
    column.name = name;
    column.type = type;
    column.precision = precision;
    for (const char* cell : cells) {
      if (!cell)
        column.push_null();
      else if (type == columns::ColumnType::integer)
        column.push_integer(*columns::Decimal::parse(cell)->as_int64());
      else if (type == columns::ColumnType::real)
        column.push_real(columns::Decimal::parse(cell)->as_double());
      else
        column.push_text(cell);
    }
  }
  return a;
}

// The ids for which `column test literal` holds, worked out with rational numbers (fractions.Fraction of Python), cells
// and literals of f64, f32 and f16 rounded to the nearest of those.
struct Case {
  const char *column, *literal, *equal, *less, *greater;
};
const Case kCases[] = {
    {"int64", "9007199254740991", "a", "ef", "bcd"},
    {"int64", "9007199254740992", "b", "aef", "cd"},
    {"int64", "9007199254740993", "c", "abef", "d"},
    {"int64", "9007199254740993.0", "c", "abef", "d"},
    {"int64", "9007199254740992.5", "", "abef", "cd"},
    {"int64", "9223372036854775807", "d", "abcef", ""},
    {"int64", "9223372036854775808", "", "abcdef", ""},
    {"int64", "-9223372036854775808", "e", "", "abcdf"},
    {"int64", "-9223372036854775809", "", "", "abcdef"},
    {"int64", "18446744073709551615", "", "abcdef", ""},
    {"int64", "1e400", "", "abcdef", ""},
    {"int64", "0.5", "", "ef", "abcd"},
    {"int64", "-0.5", "", "e", "abcdf"},
    {"int64", "1e-400", "", "ef", "abcd"},
    {"csv_big", "9007199254740991", "a", "f", "bcde"},
    {"csv_big", "9007199254740992", "b", "af", "cde"},
    {"csv_big", "9007199254740993", "c", "abf", "de"},
    {"csv_big", "9007199254740992.5", "", "abf", "cde"},
    {"csv_big", "18446744073709551614", "", "abcf", "de"},
    {"csv_big", "18446744073709551615", "d", "abcf", "e"},
    {"csv_big", "18446744073709551616", "e", "abcdf", ""},
    {"csv_big", "1.8446744073709551615e19", "d", "abcf", "e"},
    {"csv_big", "-1", "f", "", "abcde"},
    {"csv_big", "-1.0", "f", "", "abcde"},
    {"csv_big", "0", "", "f", "abcde"},
    {"uint64", "9007199254740993", "c", "abf", "de"},
    {"uint64", "18446744073709551613", "", "abcf", "de"},
    {"uint64", "18446744073709551614", "e", "abcf", "d"},
    {"uint64", "18446744073709551615", "d", "abcef", ""},
    {"uint64", "18446744073709551616", "", "abcdef", ""},
    {"uint64", "1e19", "", "abcf", "de"},
    {"uint64", "-1", "", "", "abcdef"},
    {"decimal", "0.35", "a", "cd", "bef"},
    {"decimal", "0.350", "a", "cd", "bef"},
    {"decimal", "3.5e-1", "a", "cd", "bef"},
    {"decimal", "9.99", "b", "acdf", "e"},
    {"decimal", "0.34999999999999999999", "c", "d", "abef"},
    {"decimal", "0.3499999999999999", "", "d", "abcef"},
    {"decimal", "-0.35", "d", "", "abcef"},
    {"decimal", "18446744073709551615", "", "abcdf", "e"},
    {"decimal", "18446744073709551616", "e", "abcdf", ""},
    {"decimal", "2.0", "f", "acd", "be"},
    {"decimal", "1e400", "", "abcdef", ""},
    {"csv_price", "0.35", "abc", "e", "df"},
    {"csv_price", "0.3500", "abc", "e", "df"},
    {"csv_price", "9.99", "d", "abce", "f"},
    {"csv_price", "9.990", "d", "abce", "f"},
    {"csv_price", "0.34999999999999999999", "e", "", "abcdf"},
    {"csv_price", "10", "f", "abcde", ""},
    {"csv_price", "1e1", "f", "abcde", ""},
    {"csv_price", "1e-400", "", "", "abcdef"},
    {"f64", "0.1", "a", "f", "bcde"},
    {"f64", "0.10", "a", "f", "bcde"},
    {"f64", "0.35", "b", "af", "cde"},
    {"f64", "9.99", "c", "abf", "de"},
    {"f64", "9007199254740992", "d", "abcf", "e"},
    {"f64", "9007199254740993", "d", "abcf", "e"},
    {"f64", "9007199254740994", "e", "abcdf", ""},
    {"f64", "0.1000000000000000055511151231257827", "a", "f", "bcde"},
    {"f64", "-0.1", "f", "", "abcde"},
    {"f64", "1e400", "", "abcdef", ""},
    {"f32", "0.1", "a", "f", "bcde"},
    {"f32", "0.10000000149011612", "a", "f", "bcde"},
    {"f32", "9.99", "b", "af", "cde"},
    {"f32", "9.989999771118164", "b", "af", "cde"},
    {"f32", "9.98999", "", "af", "bcde"},
    {"f32", "20", "c", "abf", "de"},
    {"f32", "16777216", "d", "abcf", "e"},
    {"f32", "16777217", "d", "abcf", "e"},
    {"f32", "16777218", "e", "abcdf", ""},
    {"f32", "-9.99", "f", "", "abcde"},
    {"f32", "1e39", "", "abcdef", ""},
    {"f16", "0.1", "a", "f", "bcde"},
    {"f16", "0.0999755859375", "a", "f", "bcde"},
    {"f16", "9.99", "b", "af", "cde"},
    {"f16", "9.9921875", "b", "af", "cde"},
    {"f16", "9.98", "", "af", "bcde"},
    {"f16", "20", "c", "abf", "de"},
    {"f16", "2048", "d", "abcf", "e"},
    {"f16", "2049", "d", "abcf", "e"},
    {"f16", "2050", "e", "abcdf", ""},
    {"f16", "-9.99", "f", "", "abcde"},
    {"f16", "1e6", "", "abcdef", ""},
};

std::string sorted(std::string ids) {
  std::ranges::sort(ids);
  return ids;
}

TEST(FilterNumbers, AreComparedExactlyInTheirColumnsPrecision) {
  const data::Attributes a = table();
  const std::vector<uint32_t> row_of{0, 1, 2, 3, 4, 5, 6};
  const FilterIndex index(a, row_of, 7);
  const auto expect = [&](const std::string& filter, const std::string& ids) {
    for (const auto& items : {evaluate_filter_rowwise(filter, a, row_of, 7).items, index.compile(filter).items}) {
      std::string found;
      for (const uint32_t row : items.rows()) found += a.ids[row];
      EXPECT_EQ(found, sorted(ids)) << filter;
    }
  };
  for (const auto& [column, literal, equal, less, greater] : kCases) {
    const std::string eq = equal, lt = less, gt = greater;
    for (const std::string& value : {std::string(literal), "'" + std::string(literal) + "'"}) {
      const std::string field = std::string(column) + " ";
      expect(field + "= " + value, eq);
      expect(field + "!= " + value, lt + gt);
      expect(field + "< " + value, lt);
      expect(field + "<= " + value, lt + eq);
      expect(field + "> " + value, gt);
      expect(field + ">= " + value, gt + eq);
      expect(field + "in (" + value + ", 123456.5)", eq);
      expect(field + "not in (123456.5, " + value + ")", lt + gt);
    }
  }
}

TEST(FilterNumbers, AreExactInColumnsOfManyValues) {
  data::Attributes a;
  columns::Column integers, floats;
  integers.name = "n";
  integers.type = columns::ColumnType::integer;
  floats.name = "x";
  floats.type = columns::ColumnType::real;
  floats.precision = columns::RealPrecision::f32;
  const int64_t from = int64_t{1} << 53;
  std::vector<uint32_t> row_of;
  for (uint32_t row = 0; row < 9000; ++row) {
    a.ids.add(std::to_string(row));
    row_of.push_back(row);
    integers.push_integer(from + row);
    floats.push_real(columns::Decimal::parse(fmt::format("{}.{:02}", row / 100, row % 100))->as_double());
  }
  a.columns = {integers, floats};
  const FilterIndex index(a, row_of, 9000);
  for (const auto& [filter, items] : std::vector<std::pair<std::string, size_t>>{{"n = 9007199254740993", 1},
                                                                                 {"n = 9007199254747493", 1},
                                                                                 {"n < 9007199254747493", 6501},
                                                                                 {"n >= '9007199254747493'", 2499},
                                                                                 {"x = 0.1", 1},
                                                                                 {"x = 49.99", 1},
                                                                                 {"x = 49.9900016784668", 1},
                                                                                 {"x >= 49.99", 4001},
                                                                                 {"x in (0.1, 0.2, 49.99)", 3}}) {
    EXPECT_EQ(index.compile(filter).items.count(), items) << filter;
    EXPECT_EQ(evaluate_filter_rowwise(filter, a, row_of, 9000).items.count(), items) << filter;
  }
}

}  // namespace
}  // namespace pagoda::filter
