// Raw data as it was read: typed columns in batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/time_form.h"
#include "math/ragged.h"

namespace pagoda::columns {

class Decimal;

// texts: a list of strings in each row; decimal: numbers that neither int64 nor a double holds exactly.
enum class ColumnType { text, integer, real, boolean, time, texts, decimal };
// The precision in which a file stored a real number. Numbers are compared in it.
enum class RealPrecision : uint8_t { f64, f32, f16 };

std::string_view name_of(ColumnType type);

// One column. Only the members of its type are filled; the accessors below read any type.
// CSV columns arrive as text, so that a bad value can be shown as it is in the file; Parquet, Arrow and JSON columns
// arrive typed. A list of numbers arrives as `texts`. The type may differ between the batches of one reader (JSON, or
// files of different schemas); the accessors handle that.
struct Column {
  std::string name{};
  ColumnType type = ColumnType::text;
  RealPrecision precision = RealPrecision::f64;  // of a real column
  // text: row i is the string text[i]. decimal: row i is the canonical text of a Decimal.
  math::Ragged<char> text{};
  // Dictionary-encoded text, only if ReaderOptions::coded asks for it: row i is the string (*words)[codes[i]]. Nothing
  // may be pushed to such a column.
  std::shared_ptr<const math::Ragged<char>> words{};
  std::vector<uint32_t> codes{};
  std::vector<int64_t> integers{};  // integer, boolean (0/1); time: microseconds since 1970 UTC
  // real, never NaN. For f32 and f16: the double nearest to the shortest decimal that reads back as the stored number,
  // so that the f32 0.1 is the double 0.1, as it is in a CSV file.
  std::vector<double> reals{};
  math::Ragged<char> elements{};             // texts: all the elements of all rows, one after another
  std::vector<uint64_t> element_offsets{0};  // texts: row i holds elements [element_offsets[i], element_offsets[i + 1])
  std::vector<uint8_t> valid{};              // 0: the cell is null; empty: no cell is null
  TimeForm times{};                          // how as_time_us() reads texts and numbers; see time_form.h

  size_t rows() const;
  // Where a number or a time is asked for, a cell is absent if it is null, empty, or a CSV word for a missing value
  // ("NA", "N/A", "null", "NULL", "None"). As text, only null and "" are absent.
  bool is_null(size_t row) const { return !valid.empty() && !valid[row]; }
  std::string_view text_of(size_t row) const {  // the column is text or decimal, the cell not null
    const auto s = words ? (*words)[codes[row]] : text[row];
    return {s.data(), s.size()};
  }

  // The cell's canonical text, which is the same for a value whatever type holds it. Numbers are formatted into
  // `scratch` (see Decimal::text()). "" if null. A list: its elements joined by '|'.
  std::string_view as_text(size_t row, std::string& scratch) const;
  // Nothing if the cell is not a finite number / not a time; absent() tells an empty cell from a bad one. A time is
  // read in the form `times` (time_form.h). As a number, a boolean is 0 or 1, and a time is the seconds since 1970.
  std::optional<double> as_number(size_t row) const;
  std::optional<int64_t> as_time_us(size_t row) const;
  bool absent(size_t row) const;
  // Calls f(element) for each element of a list, or of a text that is split at `separator` ('\0': the whole text is one
  // element). Blanks around the parts of a split text are dropped, and so are empty parts.
  template <class F>
  void for_each_element(size_t row, char separator, F&& f) const;

  void push_null();
  void push_text(std::string_view value);  // for a text column; for a decimal one, the canonical text of a Decimal
  void push_integer(int64_t value);        // for integer, boolean (0/1) and time
  void push_real(double value);
  void push_element(std::string_view element);  // appends to the list of the current row
  void end_list();                              // ends the list and the row
  // Appends a cell of a column that may have another type. This column then becomes the narrowest type that holds both
  // exactly: decimal for numbers of two types; lists for a list and another type (whose cells become lists of one
  // element); text for everything else. A column that holds only nulls takes any type.
  void push_cell(const Column& from, size_t row);
  void clear();
  Column without_rows() const;  // an empty column with the same name, type, precision and form of times

 private:
  void mark_valid() {
    if (!valid.empty()) valid.push_back(1);
  }
  void become(ColumnType wanted);
};

std::string_view trim(std::string_view text);  // without surrounding blanks, tabs and line ends

// Parsing of one cell's text, as the accessors do it.
std::optional<double> parse_number(std::string_view text);  // finite or nothing; surrounding blanks allowed
// ISO 8601, or a number since 1970 whose unit follows from its size.
std::optional<int64_t> parse_time_us(std::string_view text);
// ISO 8601 alone. `finer`: nonzero digits below a microsecond were dropped.
std::optional<int64_t> parse_iso8601(std::string_view text, bool& finer);
bool parse_integer(std::string_view text, int64_t& value);                         // the whole text
std::optional<int64_t> days_since_1970(int64_t year, int64_t month, int64_t day);  // nothing if there is no such day
// A number since 1970 as a time; its unit follows from its size, as above. Nothing if it is not finite or too large.
inline std::optional<int64_t> time_of_number(int64_t value) {
  const auto below = [&](int64_t limit) { return -limit < value && value < limit; };
  if (below(100'000'000'000)) return value * 1000000;
  if (below(100'000'000'000'000)) return value * 1000;
  return below(100'000'000'000'000'000) ? value : value / 1000;
}
std::optional<int64_t> time_of_number(double value);
// The value that a column of that precision holds for a number: the double nearest to it (f64), or nearest to the
// shortest decimal of the f32 or f16 that is nearest to it. Infinite beyond the range of the precision.
double nearest_in(RealPrecision precision, const Decimal& number);
// "7d", "12h", "30m", "45s", "2w" to microseconds; nothing if the text is not a duration.
std::optional<int64_t> parse_duration_us(std::string_view text);
std::string format_time_us(int64_t time_us);  // 2024-05-01T10:00:00Z
bool is_utf8(std::string_view text);

struct RawBatch {
  std::vector<Column> columns;  // in the order asked for
  size_t rows = 0;
  uint64_t first_record = 0;  // number of the batch's first row in its file, from 0
  size_t file = 0;            // which of Reader::files()
  uint64_t file_rows = 0;     // the number of rows in that file, if it says so: for reserving memory
};

template <class F>
void Column::for_each_element(size_t row, char separator, F&& f) const {
  if (is_null(row)) return;
  if (type == ColumnType::texts) {
    for (uint64_t e = element_offsets[row]; e < element_offsets[row + 1]; ++e)
      f(std::string_view(elements[e].data(), elements[e].size()));
    return;
  }
  std::string scratch;
  std::string_view rest = as_text(row, scratch);
  while (!rest.empty()) {
    const size_t end = separator ? rest.find(separator) : std::string_view::npos;
    const auto part = separator ? trim(rest.substr(0, end)) : rest;
    if (!part.empty()) f(part);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
}

}  // namespace pagoda::columns
