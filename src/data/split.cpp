#include "data/split.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::data {

namespace {

double share_of(std::string_view key, std::string_view text) {
  const auto share = columns::parse_number(text);
  if (!share || *share <= 0 || *share >= 1)
    fail(ErrorKind::usage, "split.{} is '{}', expected a share between 0 and 1, as in \"0.1\"", key, text);
  return *share;
}

int64_t duration_of(std::string_view key, std::string_view text) {
  const auto duration = columns::parse_duration_us(text);
  if (!duration || *duration <= 0)
    fail(ErrorKind::usage, "split.{} is '{}', expected a duration, as in \"7d\", \"12h\" or \"2w\"", key, text);
  return *duration;
}

std::string span_of(const Interactions& log) {
  if (!log.has_time()) return fmt::format("the log has {} row(s)", log.size());
  const auto [first, last] = std::minmax_element(log.time_us.begin(), log.time_us.end());
  return fmt::format("the log has {} row(s) from {} to {}", log.size(), columns::format_time_us(*first),
                     columns::format_time_us(*last));
}

void check_no_part_is_empty(const Interactions& log, const std::vector<Part>& parts, std::string_view remedy) {
  constexpr std::string_view kNames[] = {"train", "validation", "test"};
  for (size_t p = 0; p < 3; ++p)
    if (!std::memchr(parts.data(), static_cast<int>(p), parts.size()))
      fail(ErrorKind::input, "the split leaves the {} part empty: {}; {}", kNames[p], span_of(log), remedy);
}

std::vector<Part> split_by_time(const Interactions& log, const SplitOptions& options) {
  const int64_t validation = duration_of("validation", options.validation), test = duration_of("test", options.test);
  if (!log.has_time())
    fail(ErrorKind::usage, "split.kind = \"time\" needs the column of times: set data.time, or another split.kind");
  int64_t last = std::numeric_limits<int64_t>::min();
  for (const int64_t time : log.time_us) last = std::max(last, time);
  const auto before = [](int64_t time, int64_t span) {  // without overflow
    return time < std::numeric_limits<int64_t>::min() + span ? std::numeric_limits<int64_t>::min() : time - span;
  };
  const int64_t test_after = before(last, test), validation_after = before(test_after, validation);
  std::vector<Part> parts(log.size());
  for (size_t row = 0; row < parts.size(); ++row)
    parts[row] = static_cast<Part>((log.time_us[row] > validation_after) + (log.time_us[row] > test_after));
  check_no_part_is_empty(
      log, parts,
      fmt::format("test is what comes after {}, validation what lies between {} and that; choose other "
                  "durations",
                  columns::format_time_us(test_after), columns::format_time_us(validation_after)));
  return parts;
}

std::vector<Part> split_at_random(const Interactions& log, const SplitOptions& options) {
  const double validation = share_of("validation", options.validation), test = share_of("test", options.test);
  if (validation + test >= 1)
    fail(ErrorKind::usage, "split.validation and split.test together are {}, which leaves nothing to train on",
         validation + test);
  std::vector<Part> parts(log.size());
  for (size_t row = 0; row < parts.size(); ++row) {
    const double u = Rng(static_cast<uint64_t>(options.seed), Stream::split, row).uniform();
    parts[row] = u < test ? Part::test : u < test + validation ? Part::validation : Part::train;
  }
  check_no_part_is_empty(log, parts, "give it a larger share");
  return parts;
}

// Calls f(rows) with each user's rows among [0, end), in order of time; ties, and logs without times, in file order.
template <class F>
void for_each_user(const Interactions& log, size_t end, F&& f) {
  std::vector<uint64_t> offsets(log.users.size() + 1, 0);
  for (size_t row = 0; row < end; ++row) ++offsets[log.user[row] + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<size_t> rows(end);
  std::vector<uint64_t> at(offsets.begin(), offsets.end() - 1);
  for (size_t row = 0; row < end; ++row) rows[at[log.user[row]]++] = row;
  for (size_t user = 0; user + 1 < offsets.size(); ++user) {
    const auto list = std::span(rows).subspan(offsets[user], offsets[user + 1] - offsets[user]);
    if (log.has_time())
      std::stable_sort(list.begin(), list.end(), [&](size_t a, size_t b) { return log.time_us[a] < log.time_us[b]; });
    f(list);
  }
}

std::vector<Part> split_as_given(const Interactions& log, const SplitOptions& options, size_t first_test_row) {
  const double share = share_of("validation", options.validation);
  if (options.test_files.empty() || first_test_row >= log.size())
    fail(ErrorKind::usage, "split.kind = \"given\" needs split.test_files, the files of the test part");
  std::vector<Part> parts(log.size(), Part::train);
  std::fill(parts.begin() + static_cast<std::ptrdiff_t>(first_test_row), parts.end(), Part::test);
  for_each_user(log, first_test_row, [&](std::span<const size_t> rows) {
    if (rows.size() < 2) return;
    const auto wanted = static_cast<size_t>(std::llround(share * static_cast<double>(rows.size())));
    for (const size_t row : rows.last(std::min(wanted, rows.size() - 1))) parts[row] = Part::validation;
  });
  check_no_part_is_empty(log, parts, "give validation a larger share");
  return parts;
}

std::vector<Part> split_off_last(const Interactions& log) {
  std::vector<Part> parts(log.size(), Part::train);
  for_each_user(log, log.size(), [&](std::span<const size_t> rows) {
    if (rows.size() >= 2) parts[rows[rows.size() - 1]] = Part::test;
    if (rows.size() >= 3) parts[rows[rows.size() - 2]] = Part::validation;
  });
  check_no_part_is_empty(log, parts, "leave_last needs users with three rows or more; choose another split.kind");
  return parts;
}

}  // namespace

void describe(OptionVisitor& visitor, SplitOptions& options) {
  visitor.choice(
      "kind", options.kind,
      {{"time", SplitKind::time},
       {"given", SplitKind::given},
       {"leave_last", SplitKind::leave_last},
       {"random", SplitKind::random},
       {"none", SplitKind::none}},
      "time: the last period is test, the one before it validation; given: test_files are the test part; "
      "leave_last: each user's last row, and the one before it; random: by share; none: every row trains, and nothing "
      "is held out. Choose time if the log has times");
  visitor.field("validation", options.validation,
                "held out to choose the model: a duration (\"7d\") for time, a share (\"0.1\") for given and random");
  visitor.field("test", options.test, "held out to evaluate it once: a duration for time, a share for random");
  visitor.field("test_files", options.test_files, "for given: the files of the test part");
  visitor.field("seed", options.seed, "for random: another seed, another split");
}

std::vector<Part> split(const Interactions& log, const SplitOptions& options, size_t first_given_test_row) {
  switch (options.kind) {
    case SplitKind::time: return split_by_time(log, options);
    case SplitKind::given: return split_as_given(log, options, first_given_test_row);
    case SplitKind::leave_last: return split_off_last(log);
    case SplitKind::none: return std::vector<Part>(log.size(), Part::train);
    default: return split_at_random(log, options);
  }
}

}  // namespace pagoda::data
