#include "data/time_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace pagoda::data {

namespace {

constexpr int64_t kSecond = 1000000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr uint64_t kFewUsers = 200;

int64_t before(int64_t time, int64_t span) {  // without overflow
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  return time < least + span ? least : time - span;
}

// Rising durations to try, in microseconds.
std::vector<int64_t> candidates(int64_t span) {
  std::vector<int64_t> out;
  for (const int64_t hours : {1, 2, 3, 6, 12}) out.push_back(hours * kHour);
  for (const int64_t days : {1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 730})
    out.push_back(days * kDay);
  // Logs of hours, or of centuries: shares of the whole, as their texts read.
  if (span < 20 * kHour || span > 20 * 365 * kDay)
    for (const double share : {0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3}) {
      const auto part = static_cast<int64_t>(share * static_cast<double>(span));
      const int64_t unit = part >= kDay ? kDay : part >= kHour ? kHour : part >= kMinute ? kMinute : kSecond;
      out.push_back(std::max<int64_t>(1, (part + unit / 2) / unit) * unit);
    }
  std::erase_if(out, [&](int64_t part) { return part >= span || (span > 60 * kDay && part < 7 * kDay); });
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// The rows up to a moment, and what last parts of them hold.
class Cut {
 public:
  // durations: rising, of the parts that are compared.
  Cut(const TimedRows& rows, int64_t until, std::span<const int64_t> durations) {
    constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
    std::vector<int64_t> moments;  // after which each part begins: falling
    for (const int64_t duration : durations) {
      moments.push_back(before(until, duration));
      parts_.push_back({.duration = duration_text(duration), .length_us = duration});
    }
    std::vector<int64_t> first(rows.users, kNever), last(rows.users);
    for (size_t row = 0; row < rows.time_us.size(); ++row) {
      const int64_t time = rows.time_us[row];
      if (time > until) continue;
      ++rows_;
      // The shortest part that holds it; longer ones do, too.
      const auto shortest = std::ranges::partition_point(moments, [&](int64_t moment) { return moment >= time; });
      if (shortest != moments.end()) ++parts_[static_cast<size_t>(shortest - moments.begin())].rows;
      const uint32_t user = rows.user[row];
      last[user] = first[user] == kNever ? time : std::max(last[user], time);
      first[user] = std::min(first[user], time);
    }
    for (size_t p = 1; p < parts_.size(); ++p) parts_[p].rows += parts_[p - 1].rows;
    uint64_t users = 0;
    for (size_t user = 0; user < rows.users; ++user) {
      if (first[user] == kNever) continue;
      ++users;
      for (size_t p = 0; p < parts_.size(); ++p)
        parts_[p].users += first[user] <= moments[p] && moments[p] < last[user];
    }
    nobody_returns_ = users == rows_;
  }
  const std::vector<TimePart>& parts() const { return parts_; }
  uint64_t rows() const { return rows_; }
  bool nobody_returns() const { return nobody_returns_; }

 private:
  std::vector<TimePart> parts_;
  uint64_t rows_ = 0;
  bool nobody_returns_ = false;
};

// The last part of the rows before the cut. `all`: rows of the whole log.
std::optional<TimePart> choose_part(const Cut& cut, uint64_t all, uint64_t wanted, bool by_rows) {
  const auto worth = [&](const TimePart& part) { return by_rows ? part.rows : part.users; };
  std::optional<TimePart> best;
  for (const uint64_t share : {10, 5}) {  // of the rows: a tenth, a fifth
    for (const auto& part : cut.parts()) {
      if (part.rows == 0 || part.rows * share > all || part.rows == cut.rows()) continue;
      if (worth(part) >= wanted) return part;
      if (!best || worth(part) > worth(*best)) best = part;
    }
    if (best && worth(*best) >= kFewUsers) return best;
  }
  return best;
}

}  // namespace

std::string duration_text(int64_t us) {
  for (const auto& [unit, letter] : {std::pair(kDay, 'd'), std::pair(kHour, 'h'), std::pair(kMinute, 'm')})
    if (us >= unit && us % unit == 0) return fmt::format("{}{}", us / unit, letter);
  return fmt::format("{}s", std::max<int64_t>(1, (us + kSecond / 2) / kSecond));
}

std::optional<TimeSplit> choose_time_split(const TimedRows& rows, std::optional<int64_t> validation_us,
                                           std::optional<int64_t> test_us) {
  if (rows.time_us.empty()) return std::nullopt;
  const auto [least, most] = std::ranges::minmax(rows.time_us);
  const auto durations = candidates(most - least);
  const auto pick = [&](int64_t until, std::optional<int64_t> told) -> std::optional<TimePart> {
    if (told) {
      const Cut cut(rows, until, {&*told, 1});
      const auto& part = cut.parts()[0];
      return part.rows == 0 || part.rows == cut.rows() ? std::nullopt : std::optional(part);
    }
    const Cut cut(rows, until, durations);
    const bool by_rows = cut.nobody_returns();
    const uint64_t all = rows.time_us.size();
    return choose_part(cut, all, std::clamp<uint64_t>((by_rows ? all : rows.users) / 10, 1000, 5000), by_rows);
  };
  const auto test = pick(most, test_us);
  if (!test) return std::nullopt;
  const auto validation = pick(before(most, test->length_us), validation_us);
  if (!validation) return std::nullopt;
  return TimeSplit{.validation = *validation, .test = *test};
}

}  // namespace pagoda::data
