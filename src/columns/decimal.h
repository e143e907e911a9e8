// Decimal numbers of any length, exactly: what ids, attributes and filters are compared by where a double would round.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pagoda::columns {

// A value is 0.d1d2d3... x 10^exponent, d1 and the last digit not 0. Zero has no digits and no sign.
class Decimal {
 public:
  Decimal() = default;  // 0
  // "12", "-0.50", "+1e3", ".5", blanks around it allowed; nothing for other texts, for inf and nan, and for an exponent
  // beyond a million. Every digit counts.
  static std::optional<Decimal> parse(std::string_view text);
  static Decimal of(int64_t value);
  // Of a finite value: a whole number below 2^64 to the last digit, else the shortest decimal that reads back as it.
  static Decimal of(double value);

  bool is_zero() const { return digits_.empty(); }
  bool is_whole() const { return exponent_ >= static_cast<int64_t>(digits_.size()); }
  std::optional<int64_t> as_int64() const;     // when it is whole and fits
  std::optional<int64_t> floor_int64() const;  // the largest whole number that is not above it, when that fits
  double as_double() const;                    // the nearest; beyond the range of a double, infinite
  // The canonical text: plain digits, "0.35", "-12", no point for whole numbers, no zeros that say nothing. Numbers of
  // more than 80 characters are written as d.ddde+N or d.ddde-N.
  std::string text() const;

  friend bool operator==(const Decimal&, const Decimal&) = default;
  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);

 private:
  bool negative_ = false;
  std::string digits_;  // '0' to '9'
  int64_t exponent_ = 0;
};

// Decimal::text() of a number that a double holds; "nan", "inf", "-inf" for what is none.
std::string format_number(double value);

// The double nearest to the shortest decimal that reads back as `value`: 0.1 of the float 0.1. Whole numbers below 2^64
// are themselves.
double shortest_double(float value);
double shortest_double_of_half(double value);  // the same of a value that 16 bits hold

// The number whose canonical text this is: of "12" and "-7", not of "012", "+1", "-0" and what int64 does not hold.
std::optional<int64_t> canonical_int64(std::string_view text);

// What two spellings of one value have in common, the text that Column::as_text() gives of it: of a number Decimal::text()
// ("2" for "2.0" and "2e0"), of true and false in any case "true" and "false", of an ISO 8601 time format_time_us(). Nothing
// when the text is none of these. Ids are not folded so: "007" and "7" are two ids, and one value.
std::optional<std::string> value_key(std::string_view text);

// value_key(), made in `scratch`, or the text itself where it has none.
std::string_view canonical_text(std::string_view text, std::string& scratch);

}  // namespace pagoda::columns
