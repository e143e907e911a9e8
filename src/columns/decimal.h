// Exact decimal numbers of any length. Ids, attributes and filters are compared by them where a double would round.
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
  // Parses "12", "-0.50", "+1e3", ".5"; surrounding blanks are allowed. Nothing for other texts, inf, nan, and an
  // exponent beyond a million. Every digit counts.
  static std::optional<Decimal> parse(std::string_view text);
  static Decimal of(int64_t value);
  // A finite value: a whole number below 2^64 exactly, otherwise the shortest decimal that reads back as the value.
  static Decimal of(double value);

  bool is_zero() const { return digits_.empty(); }
  bool is_whole() const { return exponent_ >= static_cast<int64_t>(digits_.size()); }
  std::optional<int64_t> as_int64() const;     // if it is whole and fits
  std::optional<int64_t> floor_int64() const;  // the largest whole number that is not above it, if that fits
  double as_double() const;                    // the nearest double; infinite beyond its range
  // The canonical text: plain digits ("0.35", "-12"), no point for whole numbers, no redundant zeros. Numbers of more
  // than 80 characters are written as d.ddde+N or d.ddde-N.
  std::string text() const;

  friend bool operator==(const Decimal&, const Decimal&) = default;
  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);

 private:
  bool negative_ = false;
  std::string digits_;  // '0' to '9'
  int64_t exponent_ = 0;
};

// Decimal::text() of a double; "nan", "inf" or "-inf" if it is not finite.
std::string format_number(double value);

// The double nearest to the shortest decimal that reads back as `value`: 0.1 for the float 0.1. Whole numbers below
// 2^64 are unchanged.
double shortest_double(float value);
double shortest_double_of_half(double value);  // the same for a value that an f16 holds

// The number whose canonical text this is. Nothing if the text is not canonical ("012", "+1", "-0") or beyond int64.
std::optional<int64_t> canonical_int64(std::string_view text);

// The canonical spelling of a value, which Column::as_text() gives: Decimal::text() for a number ("2" for "2.0" and
// "2e0"), "true" and "false" in any letter case, format_time_us() for an ISO 8601 time. Nothing if the text is none of
// these. Ids are not canonicalised: "007" and "7" are two ids, but one value.
std::optional<std::string> value_key(std::string_view text);

// value_key(), made in `scratch`, or the text itself if it has none.
std::string_view canonical_text(std::string_view text, std::string& scratch);

}  // namespace pagoda::columns
