#include "columns/decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "columns/column.h"
#include "core/lower_case.h"

namespace pagoda::columns {

namespace {

constexpr int64_t kLargestExponent = 1'000'000;
constexpr size_t kLongestPlain = 80;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the front of `rest`.
std::string_view take_digits(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit);
  const auto digits = rest.substr(0, static_cast<size_t>(end - rest.begin()));
  rest.remove_prefix(digits.size());
  return digits;
}

// A whole number in the range of 64-bit integers: its text is exact to the last digit, as theirs is.
bool is_exact(double value) { return value == std::trunc(value) && std::abs(value) < 0x1p64; }

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  auto rest = trim(text);
  Decimal number;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    number.negative_ = rest[0] == '-';
    rest.remove_prefix(1);
  }
  const auto whole = take_digits(rest);
  std::string_view fraction;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    fraction = take_digits(rest);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  int64_t power = 0;
  if (!rest.empty() && (rest[0] == 'e' || rest[0] == 'E')) {
    rest.remove_prefix(1);
    if (rest.size() > 1 && rest[0] == '+' && is_digit(rest[1])) rest.remove_prefix(1);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), power);
    if (error != std::errc() || std::abs(power) > kLargestExponent) return std::nullopt;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  }
  if (!rest.empty()) return std::nullopt;

  number.digits_.reserve(whole.size() + fraction.size());
  number.digits_.append(whole).append(fraction);
  number.exponent_ = static_cast<int64_t>(whole.size()) + power;
  const auto first = std::min(number.digits_.find_first_not_of('0'), number.digits_.size());
  number.digits_.erase(0, first);
  number.exponent_ -= static_cast<int64_t>(first);
  number.digits_.erase(number.digits_.find_last_not_of('0') + 1);
  return number.digits_.empty() ? Decimal() : number;
}

Decimal Decimal::of(int64_t value) { return *parse(fmt::format_int(value).str()); }
Decimal Decimal::of(double value) {
  return *parse(is_exact(value) ? fmt::format("{:.0f}", value) : fmt::format("{}", value));
}

std::optional<int64_t> Decimal::as_int64() const {
  if (!is_whole() || exponent_ > 19) return is_zero() ? std::optional<int64_t>(0) : std::nullopt;
  const std::string plain = text();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  return error == std::errc() && end == plain.data() + plain.size() ? std::optional(value) : std::nullopt;
}

std::optional<int64_t> Decimal::floor_int64() const {
  if (is_whole() || is_zero()) return as_int64();
  if (exponent_ <= 0) return negative_ ? -1 : 0;
  if (exponent_ > 19) return std::nullopt;
  Decimal whole = *this;
  whole.digits_.resize(static_cast<size_t>(exponent_));
  whole.digits_.erase(whole.digits_.find_last_not_of('0') + 1);
  const auto value = whole.as_int64();
  if (!value || !negative_) return value;
  return *value > INT64_MIN ? std::optional(*value - 1) : std::nullopt;
}

double Decimal::as_double() const {
  const std::string plain = text();
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  const double size = exponent_ > 0 ? std::numeric_limits<double>::infinity() : 0;
  return negative_ ? -size : size;
}

std::string Decimal::text() const {
  if (is_zero()) return "0";
  const auto n = static_cast<int64_t>(digits_.size());
  std::string out = negative_ ? "-" : "";
  const int64_t plain = exponent_ <= 0 ? 2 - exponent_ + n : std::max(n + 1, exponent_);
  if (plain > static_cast<int64_t>(kLongestPlain)) {
    out += digits_[0];
    if (n > 1) out.append(".").append(digits_, 1);
    return out + fmt::format("e{:+}", exponent_ - 1);
  }
  if (exponent_ <= 0) return out.append("0.").append(static_cast<size_t>(-exponent_), '0').append(digits_);
  if (exponent_ >= n) return out.append(digits_).append(static_cast<size_t>(exponent_ - n), '0');
  const auto point = static_cast<size_t>(exponent_);
  return out.append(digits_, 0, point).append(".").append(digits_, point);
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const auto sign = [](const Decimal& x) { return x.is_zero() ? 0 : x.negative_ ? -1 : 1; };
  if (const auto order = sign(a) <=> sign(b); order != 0) return order;
  if (a.is_zero()) return std::strong_ordering::equal;
  const auto size = [](const Decimal& x, const Decimal& y) {
    if (const auto order = x.exponent_ <=> y.exponent_; order != 0) return order;
    return x.digits_.compare(y.digits_) <=> 0;
  };
  return a.negative_ ? size(b, a) : size(a, b);
}

std::string format_number(double value) {
  return std::isfinite(value) ? Decimal::of(value).text() : fmt::format("{}", value);
}

double shortest_double(float value) {
  if (!std::isfinite(value) || is_exact(value)) return value;
  char text[32];
  const auto end = std::to_chars(text, std::end(text), value).ptr;
  double nearest = value;
  std::from_chars(text, end, nearest);
  return nearest;
}

double shortest_double_of_half(double value) {
  if (!std::isfinite(value) || is_exact(value)) return value;
  const auto half = static_cast<_Float16>(value);
  constexpr int kEnough = 5;  // digits for any half
  for (int digits = 1; digits < kEnough; ++digits) {
    const double rounded = *parse_number(fmt::format("{:.{}e}", value, digits - 1));
    if (static_cast<_Float16>(rounded) == half) return rounded;
  }
  return value;
}

std::optional<int64_t> canonical_int64(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const fmt::format_int canonical(value);
  return std::string_view(canonical.data(), canonical.size()) == text ? std::optional(value) : std::nullopt;
}

double nearest_in(RealPrecision precision, const Decimal& number) {
  const double nearest = number.as_double();
  if (precision == RealPrecision::f64) return nearest;
  if (precision == RealPrecision::f32) {
    const std::string digits = number.text();
    float value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc())
      value = static_cast<float>(nearest);  // out of range: to infinity or 0
    return shortest_double(value);
  }
  return shortest_double_of_half(static_cast<_Float16>(nearest));
}

std::optional<std::string> value_key(std::string_view text) {
  if (const auto number = Decimal::parse(text)) return number->text();
  const auto word = trim(text);
  if (word.size() == 4 || word.size() == 5)
    if (auto small = lower_case(word); small == "true" || small == "false") return small;
  if (word.size() >= 10 && word[4] == '-')
    if (const auto time = parse_time_us(word)) return format_time_us(*time);
  return std::nullopt;
}

std::string_view canonical_text(std::string_view text, std::string& scratch) {
  // Most texts are words, or whole numbers in canonical form.
  const char first = text.empty() ? '\0' : text[0];
  if (first == '\0' || (first > '9' && first != 'T' && first != 't' && first != 'F' && first != 'f')) return text;
  if (first >= '1' && first <= '9' && text.size() < kLongestPlain && std::ranges::all_of(text, is_digit)) return text;
  auto key = value_key(text);
  if (!key) return text;
  return scratch = std::move(*key);
}

}  // namespace pagoda::columns
