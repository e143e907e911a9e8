#include "data/split.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>

#include "core/error.h"
#include "core/rng.h"
#include "data/list_order.h"
#include "data/time_split.h"
#include "math/simd_dispatch.h"

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

// Nothing: it is to be chosen.
std::optional<int64_t> told_duration(std::string_view key, std::string_view text) {
  if (text == SplitOptions::kDefaultShare) return std::nullopt;
  return duration_of(key, text);
}

PAGODA_INLINE int64_t latest(std::span<const int64_t> times) {
  int64_t latest = std::numeric_limits<int64_t>::min();
  for (const int64_t time : times) latest = std::max(latest, time);
  return latest;
}

PAGODA_INLINE void cut(std::span<const int64_t> times, int64_t validation_after, int64_t test_after, Part* parts) {
  for (size_t row = 0; row < times.size(); ++row)
    parts[row] = static_cast<Part>((times[row] > validation_after) + (times[row] > test_after));
}

std::vector<Part> split_by_time(const Interactions& log, const SplitOptions& options, std::string& said) {
  auto validation_told = told_duration("validation", options.validation),
       test_told = told_duration("test", options.test);
  if (!log.has_time())
    fail(ErrorKind::usage, "split.kind = \"time\" needs the column of times: set data.time, or another split.kind");
  if (!validation_told || !test_told) {
    const auto chosen = choose_time_split({.time_us = log.time_us, .user = log.user, .users = log.users.size()},
                                          validation_told, test_told);
    if (!chosen)
      fail(ErrorKind::input,
           "split.kind = \"time\": no cut leaves rows in all three parts: {}; choose another split.kind", span_of(log));
    validation_told = chosen->validation.length_us;
    test_told = chosen->test.length_us;
    said = fmt::format(
        "the last {} are the test part, with {} users to judge by, the {} before it validation, with {} users",
        chosen->test.duration, chosen->test.users, chosen->validation.duration, chosen->validation.users);
  }
  const int64_t validation = *validation_told, test = *test_told;
  const int64_t last = math::simd_call<latest>(std::span(log.time_us));
  const auto before = [](int64_t time, int64_t span) {  // without overflow
    return time < std::numeric_limits<int64_t>::min() + span ? std::numeric_limits<int64_t>::min() : time - span;
  };
  const int64_t test_after = before(last, test), validation_after = before(test_after, validation);
  std::vector<Part> parts(log.size());
  math::simd_call<cut>(std::span(log.time_us), validation_after, test_after, parts.data());
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

std::vector<Part> split_as_given(const Interactions& log, const SplitOptions& options, size_t first_test_row,
                                 std::string& said) {
  const double share = share_of("validation", options.validation);
  if (options.test_files.empty() || first_test_row >= log.size())
    fail(ErrorKind::usage, "split.kind = \"given\" needs split.test_files, the files of the test part");
  std::vector<size_t> ends, drawn;  // of each user's list: its end, and as many rows at random
  std::vector<size_t> shuffled;
  for_each_user(log, first_test_row, [&](std::span<const size_t> rows) {
    if (rows.size() < 2) return;
    const auto wanted =
        std::min(static_cast<size_t>(std::llround(share * static_cast<double>(rows.size()))), rows.size() - 1);
    ends.insert(ends.end(), rows.end() - static_cast<std::ptrdiff_t>(wanted), rows.end());
    if (log.has_time()) return;
    shuffled.assign(rows.begin(), rows.end());
    Rng(static_cast<uint64_t>(options.seed), Stream::split, log.user[rows[0]]).shuffle(std::span(shuffled));
    drawn.insert(drawn.end(), shuffled.begin(), shuffled.begin() + static_cast<std::ptrdiff_t>(wanted));
  });
  ListOrder order;
  if (!log.has_time()) {
    std::vector<size_t> all(log.size());
    std::iota(all.begin(), all.end(), size_t{0});
    order = compare_list_ends(log, std::span(all).first(first_test_row), std::span(all).subspan(first_test_row), ends,
                              drawn);
  }
  if (order.random)
    said = fmt::format(
        "validation is drawn at random from each user's list, as the ends of the lists are not like the test part: by "
        "{} they lie {:.2f} away from it, a random draw {:.2f}",
        order.what, order.end_distance, order.random_distance);
  std::vector<Part> parts(log.size(), Part::train);
  std::fill(parts.begin() + static_cast<std::ptrdiff_t>(first_test_row), parts.end(), Part::test);
  for (const size_t row : order.random ? drawn : ends) parts[row] = Part::validation;
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
                "held out to choose the model: a duration (\"7d\") for time, a share (\"0.1\") for given and random; "
                "\"0.1\" for time: as long as gives enough users to judge by");
  visitor.field("test", options.test, "held out to evaluate it once: likewise");
  visitor.field("test_files", options.test_files, "for given: the files of the test part");
  visitor.field("seed", options.seed, "for random: another seed, another split");
}

std::vector<Part> split(const Interactions& log, const SplitOptions& options, size_t first_given_test_row,
                        std::string* said) {
  std::string unheard;
  auto& words = said ? *said : unheard;
  switch (options.kind) {
    case SplitKind::time: return split_by_time(log, options, words);
    case SplitKind::given: return split_as_given(log, options, first_given_test_row, words);
    case SplitKind::leave_last: return split_off_last(log);
    case SplitKind::none: return std::vector<Part>(log.size(), Part::train);
    default: return split_at_random(log, options);
  }
}

}  // namespace pagoda::data
