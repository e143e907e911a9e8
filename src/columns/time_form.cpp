#include "columns/time_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "columns/column.h"
#include "columns/decimal.h"
#include "math/matrix.h"
#include "math/simd_dispatch.h"

namespace pagoda::columns {

namespace {

constexpr int64_t kSecond = 1000000, kDay = 86400 * kSecond;
constexpr int64_t k1971 = 365 * kDay, k1980 = 3652 * kDay, k2100 = 47482 * kDay;
constexpr size_t kSample = 100000;  // the median is taken of so many values, evenly spread

constexpr std::string_view kUnits[] = {"auto", "s", "ms", "us", "ns", "date", "year"};
constexpr std::string_view kOrders[] = {"auto", "month_first", "day_first"};

template <class E, size_t N>
E from_name(const std::string_view (&names)[N], std::string_view name) {
  const auto found = std::find(std::begin(names), std::end(names), name);
  return found == std::end(names) ? E{} : static_cast<E>(found - std::begin(names));
}

double size_of_unit(TimeUnit unit) {
  return unit == TimeUnit::s ? 1e6 : unit == TimeUnit::ms ? 1e3 : unit == TimeUnit::us ? 1 : 1e-3;
}

std::optional<int64_t> timestamp_of_date(int64_t year, int64_t month, int64_t day, int64_t time_of_day_us) {
  const auto days = days_since_1970(year, month, day);
  if (!days) return std::nullopt;
  return *days * kDay + time_of_day_us;
}

// 20240501, 20240501103000, 202405.
std::optional<int64_t> timestamp_of_digits(int64_t n) {
  constexpr int64_t kMonth = 1'000'000, kFull = 100'000'000'000'000;
  if (n < 0) return std::nullopt;
  if (n < kMonth) return n < 100'000 ? std::nullopt : timestamp_of_date(n / 100, n % 100, 1, 0);
  if (n >= 10'000'000 && n < 100'000'000) return timestamp_of_date(n / 10000, n / 100 % 100, n % 100, 0);
  if (n < kFull / 10 || n >= kFull) return std::nullopt;
  const int64_t hour = n / 10000 % 100, minute = n / 100 % 100, second = n % 100;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return timestamp_of_date(n / 10'000'000'000, n / 100'000'000 % 100, n / 1'000'000 % 100,
                           ((hour * 60 + minute) * 60 + second) * kSecond);
}

bool is_year(int64_t n) { return n >= 1900 && n <= 2100; }

// A date for which it is not known whether day or month comes first: year, both parts and the time of day in UTC,
// packed into one number. An offset may move the time to the day before or after.
constexpr int64_t kLongestDay = 60 * 3600 * kSecond, kShift = 18 * 3600 * kSecond;

struct Date {
  int64_t year, first, second, time_of_day_us;

  int64_t packed() const { return ((year * 32 + first) * 32 + second) * kLongestDay + time_of_day_us + kShift; }
  static Date unpacked(int64_t value) {
    const int64_t date = value / kLongestDay;
    return {date / 1024, date / 32 % 32, date % 32, value % kLongestDay - kShift};
  }
  std::optional<int64_t> timestamp(bool day_first) const {
    return timestamp_of_date(year, day_first ? second : first, day_first ? first : second, time_of_day_us);
  }
};

// Parses a date with names or separators, part by part.
class DateText {
 public:
  explicit DateText(std::string_view text) : rest_(text) {}

  std::optional<ParsedTime> read() {
    while (!rest_.empty())
      if (!take_part()) return std::nullopt;
    if (half_ >= 0) {
      if (!has_time_ || hour_ < 1 || hour_ > 12) return std::nullopt;
      hour_ = hour_ % 12 + 12 * half_;
    }
    const int64_t time_of_day = ((hour_ * 60 + minute_) * 60 + second_) * kSecond + fraction_us_ - offset_us_;
    return month_ > 0 ? of_named_month(time_of_day) : of_numbers(time_of_day);
  }

 private:
  struct Number {
    int64_t value;
    size_t digits;
  };

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  Number number() {
    Number n{0, 0};
    for (; !rest_.empty() && is_digit(rest_[0]) && n.digits < 9; ++n.digits, rest_.remove_prefix(1))
      n.value = n.value * 10 + (rest_[0] - '0');
    return n;
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_part() {
    const char c = rest_[0];
    if (is_digit(c)) return take_number();
    if (is_letter(c)) return take_word();
    if ((c == '+' || c == '-') && has_time_) return take_offset();
    if (c == '(' && has_time_) {
      rest_ = {};
      return true;
    }  // the name of the time zone once more
    if (std::string_view(" ,/.-:").find(c) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_number() {
    const auto n = number();
    if (n.digits <= 2 && !has_time_ && rest_.starts_with(':')) return take_time(n.value);
    if (numbers_ == 3 || n.digits == 3 || n.digits > 4) return false;
    of_[numbers_++] = n;
    return true;
  }

  bool take_time(int64_t hour) {
    has_time_ = true;
    hour_ = hour;
    if (!take(':')) return false;
    const auto minute = number();
    minute_ = minute.value;
    if (minute.digits != 2 || hour_ > 23 || minute_ > 59) return false;
    if (!take(':')) return true;
    const auto second = number();
    second_ = second.value;
    if (second.digits != 2 || second_ > 60) return false;
    if (!(take('.') || take(','))) return true;
    size_t n = 0;
    for (int64_t unit = kSecond; !rest_.empty() && is_digit(rest_[0]); rest_.remove_prefix(1), ++n) {
      fraction_us_ += (rest_[0] - '0') * (unit /= 10);
      finer_ |= unit == 0 && rest_[0] != '0';
    }
    return n > 0;
  }

  bool take_offset() {
    const bool west = rest_[0] == '-';
    rest_.remove_prefix(1);
    auto n = number();
    int64_t minutes = 0;
    if (n.digits == 4)
      minutes = n.value / 100 * 60 + n.value % 100;
    else if (n.digits == 1 || n.digits == 2)
      minutes = n.value * 60;
    else
      return false;
    if (n.digits <= 2 && take(':')) {
      const auto more = number();
      if (more.digits != 2) return false;
      minutes += more.value;
    }
    if (minutes > 18 * 60) return false;
    offset_us_ = minutes * 60 * kSecond * (west ? -1 : 1);
    return true;
  }

  bool take_word() {
    std::string word;
    for (; !rest_.empty() && is_letter(rest_[0]); rest_.remove_prefix(1)) word += static_cast<char>(rest_[0] | 0x20);
    constexpr std::string_view kMonths[] = {"january", "february", "march",     "april",   "may",      "june",
                                            "july",    "august",   "september", "october", "november", "december"};
    constexpr std::string_view kDays[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    const auto means = [&](std::string_view name) {
      return word == name || (word.size() == 3 && name.starts_with(word)) ||
             (word.size() == 4 && name.size() > 4 && name.starts_with(word));
    };
    for (size_t m = 0; m < 12; ++m)
      if (means(kMonths[m])) {
        if (month_ > 0) return false;
        month_ = static_cast<int64_t>(m) + 1;
        return true;
      }
    if (std::any_of(std::begin(kDays), std::end(kDays), means)) return true;
    if (word == "am" || word == "pm") {
      half_ = word == "pm";
      return has_time_;
    }
    if (word == "utc" || word == "gmt" || word == "z") return has_time_;
    if (word == "t") return numbers_ > 0 && !rest_.empty() && is_digit(rest_[0]);
    if (word == "st" || word == "nd" || word == "rd" || word == "th") return numbers_ > 0;
    return word == "at";
  }

  // Two digits mean a year from 1969 to 2068, as in POSIX.
  static std::optional<int64_t> year(Number n) {
    if (n.digits == 4) return n.value;
    if (n.digits == 2) return n.value + (n.value < 69 ? 2000 : 1900);
    return std::nullopt;
  }

  std::optional<ParsedTime> timestamp(std::optional<int64_t> us) const {
    if (!us) return std::nullopt;
    return ParsedTime{ParsedTime::Kind::timestamp, *us, finer_};
  }

  std::optional<ParsedTime> of_named_month(int64_t time_of_day) const {
    if (numbers_ != 2) return std::nullopt;
    const bool year_first = of_[0].digits == 4;
    const auto in_year = year(of_[year_first ? 0 : 1]);
    const auto day = of_[year_first ? 1 : 0];
    if (!in_year || day.digits > 2) return std::nullopt;
    return timestamp(timestamp_of_date(*in_year, month_, day.value, time_of_day));
  }

  std::optional<ParsedTime> of_numbers(int64_t time_of_day) const {
    if (numbers_ != 3) return std::nullopt;
    if (of_[0].digits == 4) return timestamp(timestamp_of_date(of_[0].value, of_[1].value, of_[2].value, time_of_day));
    const auto in_year = year(of_[2]);
    if (!in_year || of_[0].digits > 2 || of_[1].digits > 2) return std::nullopt;
    const Date date{*in_year, of_[0].value, of_[1].value, time_of_day};
    if (date.first > 31 || date.second > 31 || (!date.timestamp(true) && !date.timestamp(false))) return std::nullopt;
    return ParsedTime{ParsedTime::Kind::date, date.packed(), finer_};
  }

  std::string_view rest_;
  Number of_[3] = {};
  size_t numbers_ = 0;
  int64_t month_ = 0, hour_ = 0, minute_ = 0, second_ = 0, fraction_us_ = 0, offset_us_ = 0;
  int half_ = -1;  // of the day: 0 AM, 1 PM
  bool has_time_ = false, finer_ = false;
};

ParsedTime of_real(double value) { return {ParsedTime::Kind::real, std::bit_cast<int64_t>(value), false}; }

double magnitude(ParsedTime::Kind kind, int64_t value) {
  return std::abs(kind == ParsedTime::Kind::real ? std::bit_cast<double>(value) : static_cast<double>(value));
}

// For a unit that is a whole number of microseconds; 0 for the others.
int64_t microseconds_of(TimeUnit unit) {
  return unit == TimeUnit::s ? kSecond : unit == TimeUnit::ms ? 1000 : unit == TimeUnit::us ? 1 : 0;
}

std::optional<int64_t> timestamp_of_number(int64_t value, TimeUnit unit) {
  int64_t out = 0;
  switch (unit) {
    case TimeUnit::s: return __builtin_mul_overflow(value, kSecond, &out) ? std::nullopt : std::optional(out);
    case TimeUnit::ms: return __builtin_mul_overflow(value, 1000, &out) ? std::nullopt : std::optional(out);
    case TimeUnit::us: return value;
    case TimeUnit::ns: return value / 1000 - (value % 1000 < 0);
    case TimeUnit::date: return timestamp_of_digits(value);
    case TimeUnit::year: return is_year(value) ? timestamp_of_date(value, 1, 1, 0) : std::nullopt;
    default: return time_of_number(value);
  }
}

// Multiplies the numbers by `us` if all lie between `least` and `most`; otherwise does nothing and returns false.
PAGODA_INLINE bool scale(std::span<int64_t> numbers, int64_t least, int64_t most, int64_t us) {
  int64_t outside = 0;
  for (const int64_t number : numbers) outside |= (number < least) | (number > most);
  if (outside) return false;
  for (int64_t& number : numbers) number *= us;
  return true;
}

std::optional<int64_t> timestamp_of_real(double value, TimeUnit unit) {
  if (unit == TimeUnit::automatic) return time_of_number(value);
  if (unit == TimeUnit::date || unit == TimeUnit::year) {
    if (value != std::floor(value) || std::abs(value) > 1e15) return std::nullopt;
    return timestamp_of_number(static_cast<int64_t>(value), unit);
  }
  const double us = value * size_of_unit(unit);
  if (!(std::abs(us) < 9e18)) return std::nullopt;
  return std::llround(us);
}

}  // namespace

std::string_view name_of(TimeUnit unit) { return kUnits[static_cast<size_t>(unit)]; }
std::string_view name_of(DateOrder order) { return kOrders[static_cast<size_t>(order)]; }

TimeForm time_form_from_names(std::string_view unit, std::string_view order) {
  return {from_name<TimeUnit>(kUnits, unit), from_name<DateOrder>(kOrders, order)};
}

void describe(OptionVisitor& visitor, TimeForm& form) {
  using enum TimeUnit;
  visitor.choice(
      "time_unit", form.unit,
      {{"auto", automatic}, {"s", s}, {"ms", ms}, {"us", us}, {"ns", ns}, {"date", date}, {"year", year}},
      "what numbers in the time column count since 1970; date: 20240501; auto: one unit, decided by the whole "
      "column");
  visitor.choice(
      "date_order", form.order,
      {{"auto", DateOrder::automatic}, {"month_first", DateOrder::month_first}, {"day_first", DateOrder::day_first}},
      "of dates such as 05/06/2024; auto: one order, decided by the whole column");
}

std::optional<ParsedTime> parse_time(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  int64_t integer = 0;
  if (parse_integer(text, integer)) return ParsedTime{ParsedTime::Kind::number, integer, false};
  bool finer = false;
  if (const auto timestamp = parse_iso8601(text, finer))
    return ParsedTime{ParsedTime::Kind::timestamp, *timestamp, finer};
  if (const auto number = parse_number(text)) return of_real(*number);
  return DateText(text).read();
}

std::optional<ParsedTime> parse_time(const Column& column, size_t row) {
  if (column.is_null(row)) return std::nullopt;
  switch (column.type) {
    case ColumnType::text:
    case ColumnType::decimal: return parse_time(column.text_of(row));
    case ColumnType::integer: return ParsedTime{ParsedTime::Kind::number, column.integers[row], false};
    case ColumnType::real:
      if (!std::isfinite(column.reals[row])) return std::nullopt;
      return of_real(column.reals[row]);
    case ColumnType::time: return ParsedTime{ParsedTime::Kind::timestamp, column.integers[row], false};
    default: return std::nullopt;
  }
}

std::optional<int64_t> timestamp_us(const ParsedTime& time, TimeForm form) {
  switch (time.kind) {
    case ParsedTime::Kind::number: return timestamp_of_number(time.value, form.unit);
    case ParsedTime::Kind::real: return timestamp_of_real(std::bit_cast<double>(time.value), form.unit);
    case ParsedTime::Kind::date: {
      const auto date = Date::unpacked(time.value);
      if (form.order != DateOrder::automatic) return date.timestamp(form.order == DateOrder::day_first);
      const auto as_day = date.timestamp(true), as_month = date.timestamp(false);
      if (as_day && as_month && *as_day != *as_month) return std::nullopt;
      return as_day ? as_day : as_month;
    }
    default: return time.value;
  }
}

void ParsedTimes::begin_run(Kind kind) {
  if (runs_.empty() || runs_.back().kind != kind) runs_.push_back({values_.size(), kind});
}

void ParsedTimes::push(const ParsedTime& time) {
  begin_run(time.kind);
  values_.push_back(time.value);
  finer_ += time.finer;
}

bool ParsedTimes::append_texts(const Column& column) {
  const size_t values = values_.size(), runs = runs_.size();
  const uint64_t finer = finer_;
  for (size_t row = 0; row < column.rows(); ++row) {
    const auto time = parse_time(column.text_of(row));
    if (!time) {
      values_.resize(values);
      runs_.resize(runs);
      finer_ = finer;
      return false;
    }
    push(*time);
  }
  return true;
}

bool ParsedTimes::append(const Column& column) {
  if (column.valid.empty() && column.type == ColumnType::text) return append_texts(column);
  if (!column.valid.empty() || (column.type != ColumnType::integer && column.type != ColumnType::time)) return false;
  if (column.integers.empty()) return true;
  begin_run(column.type == ColumnType::time ? Kind::timestamp : Kind::number);
  values_.insert(values_.end(), column.integers.begin(), column.integers.end());
  return true;
}

template <class F>
void ParsedTimes::for_each_run(F&& f) const {
  for (size_t r = 0; r < runs_.size(); ++r)
    f(runs_[r].kind, runs_[r].begin, r + 1 < runs_.size() ? runs_[r + 1].begin : values_.size());
}

bool ParsedTimes::has_numbers() const {
  return std::ranges::any_of(runs_, [](const Run& r) { return r.kind == Kind::number || r.kind == Kind::real; });
}

bool ParsedTimes::has_dates() const {
  return std::ranges::any_of(runs_, [](const Run& r) { return r.kind == Kind::date; });
}

TimeUnit ParsedTimes::unit_of_numbers() const {
  bool dates = true, years = true;
  size_t count = 0;
  for_each_run([&](Kind kind, size_t begin, size_t end) {
    if (kind != Kind::number && kind != Kind::real) return;
    count += end - begin;
    for (size_t i = begin; i < end && (dates || years); ++i) {
      const auto as = [&](TimeUnit unit) { return timestamp_us({kind, values_[i]}, {unit}); };
      years = years && as(TimeUnit::year);
      const auto date = dates ? as(TimeUnit::date) : std::nullopt;
      dates = date && *date >= -70 * 366 * kDay && *date < k2100;
    }
  });
  if (count == 0) return TimeUnit::automatic;
  if (dates) return TimeUnit::date;
  if (years) return TimeUnit::year;
  std::vector<double> sizes;
  const size_t stride = (count + kSample - 1) / kSample;
  size_t n = 0;
  for_each_run([&](Kind kind, size_t begin, size_t end) {
    if (kind != Kind::number && kind != Kind::real) return;
    for (size_t i = begin + (stride - n % stride) % stride; i < end; i += stride)
      if (values_[i] != 0) sizes.push_back(magnitude(kind, values_[i]));
    n += end - begin;
  });
  if (sizes.empty()) return TimeUnit::automatic;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  for (const auto unit : {TimeUnit::s, TimeUnit::ms, TimeUnit::us, TimeUnit::ns})
    if (const double us = *middle * size_of_unit(unit);
        us >= static_cast<double>(k1971) && us < static_cast<double>(k2100))
      return unit;
  return TimeUnit::automatic;
}

DateOrder ParsedTimes::order_of_dates() const {
  size_t day_first = 0, month_first = 0, open = 0;
  for_each_run([&](Kind kind, size_t begin, size_t end) {
    if (kind != Kind::date) return;
    for (size_t i = begin; i < end; ++i) {
      const auto date = Date::unpacked(values_[i]);
      const auto as_day = date.timestamp(true), as_month = date.timestamp(false);
      day_first += as_day && !as_month;
      month_first += as_month && !as_day;
      open += as_day && as_month && *as_day != *as_month;
    }
  });
  if (day_first == 0 && month_first == 0) return DateOrder::automatic;
  return day_first > month_first ? DateOrder::day_first : DateOrder::month_first;
}

TimeForm ParsedTimes::form(TimeForm given, TimeForm otherwise) const {
  if (given.unit == TimeUnit::automatic && has_numbers()) {
    given.unit = unit_of_numbers();
    if (given.unit == TimeUnit::automatic) given.unit = otherwise.unit;
    if (given.unit == TimeUnit::automatic) {  // by the size of the largest: the numbers may count from another zero
      double largest = 0;
      for_each_run([&](Kind kind, size_t begin, size_t end) {
        if (kind != Kind::number && kind != Kind::real) return;
        for (size_t i = begin; i < end; ++i) largest = std::max(largest, magnitude(kind, values_[i]));
      });
      given.unit = largest < 1e11   ? TimeUnit::s
                   : largest < 1e14 ? TimeUnit::ms
                   : largest < 1e17 ? TimeUnit::us
                                    : TimeUnit::ns;
    }
  }
  if (given.order == DateOrder::automatic && has_dates()) {
    given.order = order_of_dates();
    if (given.order == DateOrder::automatic) given.order = otherwise.order;
  }
  return given;
}

void ParsedTimes::reserve(size_t rows) {
  if (values_.capacity() >= values_.size() + rows) return;
  values_.reserve(std::max(values_.size() + rows, 2 * values_.size()));
  math::ask_for_huge_pages(values_.data(), values_.capacity() * sizeof(int64_t));
}

uint64_t ParsedTimes::finer(TimeForm form) const {
  uint64_t count = finer_;
  if (form.unit != TimeUnit::ns) return count;
  for_each_run([&](Kind kind, size_t begin, size_t end) {
    if (kind == Kind::number)
      count += static_cast<uint64_t>(std::count_if(values_.begin() + static_cast<std::ptrdiff_t>(begin),
                                                   values_.begin() + static_cast<std::ptrdiff_t>(end),
                                                   [](int64_t v) { return v % 1000 != 0; }));
  });
  return count;
}

std::vector<int64_t> ParsedTimes::sample(TimeForm form) const {
  std::vector<int64_t> timestamps;
  const size_t stride = std::max<size_t>(1, values_.size() / kSample);
  for_each_run([&](Kind kind, size_t begin, size_t end) {
    for (size_t i = (begin + stride - 1) / stride * stride; i < end; i += stride)
      if (const auto timestamp = timestamp_us({kind, values_[i]}, form)) timestamps.push_back(*timestamp);
  });
  return timestamps;
}

std::string ParsedTimes::text(Kind kind, int64_t value) {
  if (kind == Kind::timestamp) return format_time_us(value);
  if (kind == Kind::number) return fmt::format("{}", value);
  if (kind == Kind::real) return format_number(std::bit_cast<double>(value));
  const auto date = Date::unpacked(value);
  return fmt::format("{:02}/{:02}/{:04}", date.first, date.second, date.year);
}

std::optional<ParsedTimes::OpenDate> ParsedTimes::first_open_date() const {
  std::optional<OpenDate> open;
  for_each_run([&](Kind kind, size_t begin, size_t end) {
    if (kind != Kind::date) return;
    for (size_t i = begin; i < end && !open; ++i)
      if (!timestamp_us({kind, values_[i]}, {})) open = {i, text(kind, values_[i])};
  });
  return open;
}

std::vector<int64_t> ParsedTimes::timestamps(TimeForm form, const ClockBounds& bounds,
                                             std::vector<UnusableTime>& unusable) && {
  constexpr size_t kBlock = 1024;
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min() + 1;
  for_each_run([&](Kind kind, size_t begin, size_t end) {
    // Numbers within the bounds only need a multiplication. There are many, and nearly all blocks hold only such.
    const int64_t us = kind == Kind::timestamp ? 1 : kind == Kind::number ? microseconds_of(form.unit) : 0;
    const int64_t least = us > 0 ? std::max(bounds.earliest_us, kLeast) / us + 1 : 1;
    const int64_t most = us > 0 ? bounds.latest_us / us - 1 : 0;
    for (size_t i = begin; i < end;) {
      const auto block = std::span(values_).subspan(i, std::min(kBlock, end - i));
      if (us > 0 && math::simd_call<scale>(block, least, most, us)) {
        i += block.size();
        continue;
      }
      for (int64_t& value : block) {
        const auto timestamp = timestamp_us({kind, value}, form);
        if (!timestamp || !bounds.hold(*timestamp)) unusable.push_back({i, text(kind, value), timestamp});
        value = timestamp.value_or(kNone);
        ++i;
      }
    }
  });
  runs_.clear();
  return std::move(values_);
}

std::string text_of(const ParsedTimes& times, TimeForm form) {
  std::string text;
  if (times.has_numbers()) {
    constexpr std::string_view kMeaning[] = {"of any unit, which their size decides",
                                             "seconds since 1970",
                                             "milliseconds since 1970",
                                             "microseconds since 1970",
                                             "nanoseconds since 1970",
                                             "dates such as 20240501",
                                             "years"};
    text = "numbers are " + std::string(kMeaning[static_cast<size_t>(form.unit)]);
  }
  if (times.has_dates()) {
    if (!text.empty()) text += "; ";
    text += form.order == DateOrder::day_first ? "dates are day/month/year" : "dates are month/day/year";
  }
  return text;
}

TimeForm time_form_of(const Column& column, TimeForm otherwise) {
  constexpr size_t kTried = 1000;  // text cells that decide whether there are times at all
  ParsedTimes times;
  if (column.type != ColumnType::text && column.type != ColumnType::decimal && column.type != ColumnType::integer &&
      column.type != ColumnType::real)
    return {};
  for (size_t row = 0, tried = 0; row < column.rows(); ++row) {
    if (column.absent(row)) continue;
    if (const auto time = parse_time(column, row)) times.push(*time);
    if (++tried == kTried && times.size() == 0) break;
  }
  return times.form({}, otherwise);
}

ClockBounds clock_bounds(std::span<const int64_t> timestamps_us, int64_t now_us) {
  ClockBounds bounds{.latest_us = now_us + kDay};
  std::vector<int64_t> sample;
  const size_t stride = std::max<size_t>(1, timestamps_us.size() / kSample);
  for (size_t i = 0; i < timestamps_us.size(); i += stride)
    if (timestamps_us[i] <= bounds.latest_us) sample.push_back(timestamps_us[i]);
  if (sample.empty()) return bounds;
  const auto middle = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 2);
  std::nth_element(sample.begin(), middle, sample.end());
  if (*middle >= k1980) bounds.earliest_us = k1971;
  return bounds;
}

}  // namespace pagoda::columns
