// Parses and formats numbers, times and durations of text cells.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "columns/column.h"

namespace pagoda::columns {

namespace {

constexpr int64_t kOneSecond = 1000000, kDay = 86400 * kOneSecond;

// Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
int64_t days_from_civil(int64_t y, int64_t m, int64_t d) {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
  const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct Civil {
  int64_t year, month, day;
};

Civil civil_from_days(int64_t z) {
  z += 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  const int64_t month = mp + (mp < 10 ? 3 : -9);
  return {yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

int64_t days_in(int64_t year, int64_t month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[month - 1] + (month == 2 && leap);
}

// Takes what it expects from the front of a text.
struct Cursor {
  std::string_view rest;

  bool take(char c) {
    if (rest.empty() || rest[0] != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  bool digits(size_t n, int64_t& value) {
    if (rest.size() < n) return false;
    value = 0;
    for (size_t i = 0; i < n; ++i) {
      if (rest[i] < '0' || rest[i] > '9') return false;
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(n);
    return true;
  }
};

// Takes "", "Z", "+02", "+0200", "+02:00" or "+05:21:10" (a historical local time), with or without a blank before it.
// Sets the offset east of UTC in microseconds.
bool take_offset(Cursor& c, int64_t& offset_us) {
  offset_us = 0;
  c.take(' ');
  if (c.rest.empty() || c.rest == "UTC") return true;
  if (c.take('Z') || c.take('z')) return c.rest.empty();
  const bool west = c.rest[0] == '-';
  int64_t hours = 0, minutes = 0, seconds = 0;
  if (!(c.take('+') || c.take('-')) || !c.digits(2, hours)) return false;
  c.take(':');
  if (!c.rest.empty() && !c.digits(2, minutes)) return false;
  if (c.take(':') && !c.digits(2, seconds)) return false;
  if (!c.rest.empty() || hours > 18 || minutes > 59 || seconds > 59) return false;
  offset_us = ((hours * 60 + minutes) * 60 + seconds) * kOneSecond * (west ? -1 : 1);
  return true;
}

}  // namespace

std::optional<int64_t> days_since_1970(int64_t year, int64_t month, int64_t day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return std::nullopt;
  return days_from_civil(year, month, day);
}

// The basic form, 20240501T100000Z, has no '-' and ':'.
std::optional<int64_t> parse_iso8601(std::string_view text, bool& finer) {
  Cursor c{text};
  int64_t year, month, day, hour = 0, minute = 0, second = 0, fraction = 0, offset = 0;
  if (!c.digits(4, year)) return std::nullopt;
  const bool extended = c.take('-');
  if (!c.digits(2, month) || c.take('-') != extended || !c.digits(2, day) || (!extended && c.rest.empty()))
    return std::nullopt;
  if (month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return std::nullopt;
  if (!c.rest.empty()) {
    if (!c.take('T') && !c.take(' ') && !c.take('t')) return std::nullopt;
    if (!c.digits(2, hour) || c.take(':') != extended || !c.digits(2, minute)) return std::nullopt;
    if (extended ? c.take(':') : !c.rest.empty() && c.rest[0] >= '0' && c.rest[0] <= '9') {
      if (!c.digits(2, second)) return std::nullopt;
      if (c.take('.') || c.take(',')) {
        int64_t unit = kOneSecond, digit = 0, n = 0;
        for (; c.digits(1, digit); ++n) {
          fraction += digit * (unit /= 10);
          finer |= unit == 0 && digit != 0;
        }
        if (n == 0) return std::nullopt;
      }
    }
    const bool end_of_day = hour == 24 && minute == 0 && second == 0 && fraction == 0;
    if ((hour > 23 && !end_of_day) || minute > 59 || second > 60 || !take_offset(c, offset)) return std::nullopt;
  }
  const int64_t in_day = ((hour * 60 + minute) * 60 + second) * kOneSecond;
  return days_from_civil(year, month, day) * kDay + in_day + fraction - offset;
}

bool parse_integer(std::string_view text, int64_t& value) {
  // So many digits cannot overflow. Nearly all numbers are such, and from_chars checks after each digit.
  constexpr size_t kSafe = 18;
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative);
  if (!digits.empty() && digits.size() <= kSafe) {
    int64_t size = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return false;
      size = size * 10 + (c - '0');
    }
    value = negative ? -size : size;
    return true;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<int64_t> time_of_number(double value) {
  const double size = std::abs(value);
  const double scale = size < 1e11 ? 1e6 : size < 1e14 ? 1e3 : size < 1e17 ? 1.0 : 1e-3;
  if (!std::isfinite(value) || size * scale > 9e18) return std::nullopt;
  return std::llround(value * scale);
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_time_us(std::string_view text) {
  text = trim(text);
  int64_t integer = 0;
  if (parse_integer(text, integer)) return time_of_number(integer);
  bool finer = false;
  if (const auto moment = parse_iso8601(text, finer)) return moment;
  if (const auto number = parse_number(text)) return time_of_number(*number);
  return std::nullopt;
}

std::optional<int64_t> parse_duration_us(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  int64_t unit = 0;
  switch (text.back()) {
    case 's': unit = kOneSecond; break;
    case 'm': unit = 60 * kOneSecond; break;
    case 'h': unit = 3600 * kOneSecond; break;
    case 'd': unit = kDay; break;
    case 'w': unit = 7 * kDay; break;
    default: return std::nullopt;
  }
  const auto number = parse_number(text.substr(0, text.size() - 1));
  if (!number || *number < 0 || *number * static_cast<double>(unit) > 9e18) return std::nullopt;
  return std::llround(*number * static_cast<double>(unit));
}

std::string format_time_us(int64_t time_us) {
  const int64_t days = time_us / kDay - (time_us % kDay < 0);
  const int64_t rest = time_us % kDay + (time_us % kDay < 0 ? kDay : 0);  // the first day begins before int64 does
  const auto [year, month, day] = civil_from_days(days);
  const int64_t seconds = rest / kOneSecond, fraction = rest % kOneSecond;
  auto text = fmt::format("{:0{}}-{:02}-{:02}T{:02}:{:02}:{:02}", year, year < 0 ? 5 : 4, month, day, seconds / 3600,
                          seconds / 60 % 60, seconds % 60);
  if (fraction) text += fmt::format(".{:06}", fraction);
  return text + "Z";
}

bool is_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  while (p < end) {
    uint64_t eight;
    if (end - p >= 8 && (std::memcpy(&eight, p, 8), (eight & 0x8080808080808080ull) == 0)) {
      p += 8;
      continue;
    }
    const unsigned char lead = *p++;
    if (lead < 0x80) continue;
    const int more = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (more == 0 || end - p < more) return false;
    // Overlong forms, surrogates, and what lies past U+10FFFF.
    if ((lead == 0xE0 && *p < 0xA0) || (lead == 0xED && *p > 0x9F) || (lead == 0xF0 && *p < 0x90) ||
        (lead == 0xF4 && *p > 0x8F))
      return false;
    for (int i = 0; i < more; ++i)
      if ((*p++ & 0xC0) != 0x80) return false;
  }
  return true;
}

}  // namespace pagoda::columns
