// How a column's times are written: the unit of its numbers, and whether day or month comes first in its dates. One
// form holds for a whole column. All its cells decide it, or the config sets it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/option_visitor.h"

namespace pagoda::columns {

struct Column;

// s to ns: since 1970 UTC. date: 20240501, 20240501103000 or 202405. year: 2024.
enum class TimeUnit : uint8_t { automatic, s, ms, us, ns, date, year };
enum class DateOrder : uint8_t { automatic, month_first, day_first };

struct TimeForm {
  TimeUnit unit = TimeUnit::automatic;
  DateOrder order = DateOrder::automatic;  // of dates such as 05/06/2024
  bool operator==(const TimeForm&) const = default;
};
std::string_view name_of(TimeUnit unit);  // "auto", "s", ...
std::string_view name_of(DateOrder order);
TimeForm time_form_from_names(std::string_view unit, std::string_view order);  // an unknown name means automatic
void describe(OptionVisitor& visitor, TimeForm& form);

// A time as a cell holds it, before the column's form is known. Texts may be:
//   2024-05-01, 2024-05-01T10:00:00.5+02:00, 20240501T100000Z     ISO 8601; no offset means UTC
//   2024/05/01 10:00, 2024.5.1                                    year first
//   31 May 2024, May 31, 2024 10:00 AM, Fri, 31 May 2024 10:00:00 GMT, Fri May 31 10:00:00 +0000 2024,
//   31/May/2024:10:00:00 +0000                                    English names of months
//   05/31/2024, 31.05.2024 10:00, 5/31/24 10:00 PM                the column decides which is the day
//   1714557600, 1714557600.5                                      the column decides the unit
struct ParsedTime {
  enum class Kind : uint8_t { timestamp, number, real, date };
  Kind kind = Kind::timestamp;
  // By kind: microseconds since 1970 UTC; the number; the bits of a double; a packed date with its time of day.
  int64_t value = 0;
  bool finer = false;  // it had digits below a microsecond, which were dropped
};
std::optional<ParsedTime> parse_time(std::string_view text);
std::optional<ParsedTime> parse_time(const Column& column, size_t row);  // nothing for a null
// Microseconds since 1970 UTC. Nothing if it is not a time in that form, or beyond int64. If the form is automatic, the
// unit follows from the number's size (seconds below 1e11, milliseconds below 1e14, microseconds below 1e17, else
// nanoseconds), and a date must have only one possible order.
std::optional<int64_t> timestamp_us(const ParsedTime& time, TimeForm form);

// The times that a correct clock can have: at most a day after `now_us`; and not before 1971 if most times are later
// than 1980 (0 and -1, 0001-01-01 and 1900-01-01 stand for a missing time, and numbers of another unit land there).
struct ClockBounds {
  int64_t earliest_us = std::numeric_limits<int64_t>::min(), latest_us = std::numeric_limits<int64_t>::max();
  bool hold(int64_t time_us) const { return earliest_us <= time_us && time_us <= latest_us; }
};
ClockBounds clock_bounds(std::span<const int64_t> timestamps_us, int64_t now_us);

// A row whose time cannot be used.
struct UnusableTime {
  size_t row;
  std::string text;                     // as it was written, or nearly
  std::optional<int64_t> timestamp_us;  // what it would be; nothing: no time in that form
};

// The parsed times of a column in the order of its rows, 8 bytes each.
class ParsedTimes {
 public:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::min();

  void push(const ParsedTime& time);
  // Appends all cells of a column of texts, integers or times. False, and nothing done, if one is null or no time.
  bool append(const Column& column);
  void reserve(size_t rows);  // reserves memory for so many more
  size_t size() const { return values_.size(); }
  uint64_t finer(TimeForm form) const;               // how many had digits below a microsecond
  std::vector<int64_t> sample(TimeForm form) const;  // moments of some, evenly spread
  bool has_numbers() const;
  bool has_dates() const;  // dates that need to know whether the day comes first
  // The form of the column: what `given` sets, otherwise what all its times say. For numbers: date or year if all of
  // them are such, else the unit in which their median lies between 1971 and 2100, else that of `otherwise`. The order
  // of day and month is automatic if no date decides it.
  TimeForm form(TimeForm given, TimeForm otherwise = {}) const;
  // A date for which it is not certain whether the day comes first.
  struct OpenDate {
    size_t row;
    std::string text;
  };
  std::optional<OpenDate> first_open_date() const;
  // All times in microseconds since 1970 UTC; kNone if a cell is not a time in that form. Rows with such a cell, or
  // with a time outside the bounds, are added to `unusable`, in order.
  std::vector<int64_t> timestamps(TimeForm form, const ClockBounds& bounds, std::vector<UnusableTime>& unusable) &&;

 private:
  using Kind = ParsedTime::Kind;
  struct Run {
    size_t begin;
    Kind kind;
  };
  void begin_run(Kind kind);
  bool append_texts(const Column& column);
  template <class F>
  void for_each_run(F&& f) const;
  static std::string text(Kind kind, int64_t value);
  TimeUnit unit_of_numbers() const;
  DateOrder order_of_dates() const;

  std::vector<int64_t> values_;
  std::vector<Run> runs_;
  uint64_t finer_ = 0;
};

// "numbers are seconds since 1970", "dates are day/month/year", joined by "; "; "" if there are neither.
std::string text_of(const ParsedTimes& times, TimeForm form);

// The form of a table's column of texts or numbers. All its cells decide it; `otherwise` applies if they cannot.
TimeForm time_form_of(const Column& column, TimeForm otherwise);

}  // namespace pagoda::columns
