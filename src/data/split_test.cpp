#include "data/split.h"

#include <algorithm>

#include "core/config.h"
#include "core/rng.h"
#include "formats/formats_test.h"

namespace pagoda::data {
namespace {

constexpr int64_t kDay = int64_t{86400} * 1000000;

// A log of (user, day) rows; a day below 0 everywhere: no time column.
Interactions log_of(const std::vector<std::pair<uint32_t, int64_t>>& rows) {
  Interactions log;
  for (const auto& [user, day] : rows) {
    while (log.users.size() <= user) log.users.add("u" + std::to_string(log.users.size()));
    log.user.push_back(user);
    log.item.push_back(log.items.add("i"));
    if (day >= 0) log.time_us.push_back(day * kDay);
  }
  return log;
}

// 't', 'v' and 'T' for train, validation, test.
std::string letters(const std::vector<Part>& parts) {
  std::string text;
  for (const Part part : parts) text += part == Part::train ? 't' : part == Part::validation ? 'v' : 'T';
  return text;
}

SplitOptions by(SplitKind kind, const std::string& validation = "0.1", const std::string& test = "0.1") {
  SplitOptions options;
  options.kind = kind;
  options.validation = validation;
  options.test = test;
  if (kind == SplitKind::given) options.test_files = {"test.txt"};
  return options;
}

TEST(Split, RowsOfTheSameMomentNeverFallIntoTwoParts) {
  // T = 20: test is (17, 20], validation (15, 17], and a row on a boundary belongs to the part before it.
  const auto log = log_of({{0, 20}, {0, 17}, {1, 18}, {1, 15}, {0, 16}, {0, 1}, {2, 17}, {2, 15}});
  EXPECT_EQ(letters(split(log, by(SplitKind::time, "2d", "3d"), log.size())), "TvTtvtvt");
}

TEST(Split, NoRowOfTrainLiesAfterAnyOfValidationOrTest) {
  Interactions log;
  for (uint32_t r = 0; r < 5000; ++r) {
    log.user.push_back(log.users.add("u" + std::to_string(r % 70)));
    log.item.push_back(log.items.add("i"));
    log.time_us.push_back(static_cast<int64_t>(mix64(r) % 100) * kDay / 3);
  }
  const auto parts = split(log, by(SplitKind::time, "100h", "1w"), log.size());
  int64_t last[3] = {-1, -1, -1}, first[3] = {INT64_MAX, INT64_MAX, INT64_MAX};
  for (size_t r = 0; r < log.size(); ++r) {
    const auto p = static_cast<size_t>(parts[r]);
    last[p] = std::max(last[p], log.time_us[r]);
    first[p] = std::min(first[p], log.time_us[r]);
  }
  EXPECT_LT(last[0], first[1]);
  EXPECT_LT(last[1], first[2]);
}

TEST(Split, ATimeSplitNeedsTimesAndDurationsAndRowsInEachPart) {
  const auto log = log_of({{0, 1}, {0, 2}, {1, 30}});
  const auto kind = [&](const Interactions& l, const SplitOptions& o) {
    return files::error_of([&] { split(l, o, l.size()); }).kind;
  };
  EXPECT_EQ(kind(log_of({{0, -1}}), by(SplitKind::time, "1d", "1d")), ErrorKind::usage);
  EXPECT_EQ(kind(log, by(SplitKind::time, "0.2", "1d")), ErrorKind::usage);
  EXPECT_EQ(kind(log, by(SplitKind::time, "0d", "1d")), ErrorKind::usage);
  EXPECT_EQ(kind(log, by(SplitKind::time, "1d", "90d")), ErrorKind::input);
  const auto error = files::error_of([&] { split(log, by(SplitKind::time, "1d", "1d"), log.size()); });
  EXPECT_TRUE(
      error.says("leaves the validation part empty: the log has 3 row(s) from 1970-01-02T00:00:00Z to "
                 "1970-01-31T00:00:00Z"))
      << error.message;
}

TEST(Split, ATimeSplitWithoutDurationsIsSizedByTheUsersThatItLeavesToJudgeBy) {
  std::vector<std::pair<uint32_t, int64_t>> rows;
  for (uint32_t user = 0; user < 300; ++user)
    for (int64_t day = 0; day < 400; day += 8) rows.emplace_back(user, day + user % 8);
  const auto log = log_of(rows);
  std::string said;
  const auto parts = split(log, by(SplitKind::time), log.size(), &said);
  EXPECT_EQ(said,
            "the last 10d are the test part, with 300 users to judge by, the 10d before it validation, with 300 users");
  EXPECT_EQ(std::count(parts.begin(), parts.end(), Part::test), 374);
  EXPECT_EQ(letters(split(log, by(SplitKind::time, "10d", "10d"), log.size())), letters(parts));
  const auto after = split(log, by(SplitKind::time, "0.1", "30d"), log.size(), &said);
  EXPECT_TRUE(said.starts_with("the last 30d are the test part, with 300 users")) << said;
  const auto at_once = log_of({{0, 1}, {0, 1}, {1, 1}});
  EXPECT_TRUE(files::error_of([&] { split(at_once, by(SplitKind::time), 3); }).says("no cut leaves rows"));
}

// Users whose lists hold items 0 .. 99, ten train rows and two test rows each; popular ones have small numbers.
Interactions lists_and_test(bool sorted, bool test_is_random, size_t& first_test) {
  Interactions log;
  Rng rng(4, Stream::test);
  std::vector<std::pair<uint32_t, uint32_t>> test;
  for (uint32_t i = 0; i < 100; ++i) log.items.add(std::to_string(i));
  for (uint32_t user = 0; user < 400; ++user) {
    log.users.add("u" + std::to_string(user));
    std::vector<uint32_t> items;  // drifts from small numbers to great ones
    for (uint32_t n = 0; n < 12; ++n) items.push_back(static_cast<uint32_t>(n * 7 + rng.below(20)));
    if (test_is_random) rng.shuffle(std::span(items));
    for (uint32_t n = 10; n < 12; ++n) test.emplace_back(user, items[n]);
    items.resize(10);
    if (sorted) std::ranges::sort(items);
    for (const uint32_t item : items) {
      log.user.push_back(user);
      log.item.push_back(item);
    }
  }
  first_test = log.user.size();
  for (const auto& [user, item] : test) {
    log.user.push_back(user);
    log.item.push_back(item);
  }
  return log;
}

TEST(Split, GivenDrawsValidationAsTheTestPartWasDrawn) {
  size_t first_test = 0;
  std::string said;
  const auto items_of = [](const Interactions& log, const std::vector<Part>& parts, Part part) {
    double sum = 0, n = 0;
    for (size_t row = 0; row < parts.size(); ++row)
      if (parts[row] == part) {
        sum += log.item[row];
        ++n;
      }
    return sum / n;
  };
  // Lists sorted by item, and a test part drawn at random: the ends would be the greatest items.
  auto log = lists_and_test(true, true, first_test);
  auto parts = split(log, by(SplitKind::given, "0.2"), first_test, &said);
  EXPECT_TRUE(said.starts_with("validation is drawn at random from each user's list")) << said;
  EXPECT_EQ(std::ranges::count(parts, Part::validation), 800);
  EXPECT_NEAR(items_of(log, parts, Part::validation), items_of(log, parts, Part::test), 4);
  // Lists in order of time, whose end is the test part: the end of what is left is most like it.
  said.clear();
  log = lists_and_test(false, false, first_test);
  parts = split(log, by(SplitKind::given, "0.2"), first_test, &said);
  EXPECT_EQ(said, "");
  EXPECT_EQ(letters(parts).substr(0, 10), "ttttttttvv");
  // No order at all: the end of the lists will do.
  said.clear();
  log = lists_and_test(false, true, first_test);
  split(log, by(SplitKind::given, "0.2"), first_test, &said);
  EXPECT_EQ(said, "");
}

TEST(Split, GivenTakesValidationFromTheTailOfEachUsersList) {
  // Users 0 (ten rows), 1 (one row), 2 (five rows, half a row is rounded up); then three rows of the test files.
  std::vector<std::pair<uint32_t, int64_t>> rows;
  for (int i = 0; i < 10; ++i) rows.emplace_back(0, -1);
  rows.emplace_back(1, -1);
  for (int i = 0; i < 5; ++i) rows.emplace_back(2, -1);
  for (int i = 0; i < 3; ++i) rows.emplace_back(i, -1);
  const auto log = log_of(rows);
  EXPECT_EQ(letters(split(log, by(SplitKind::given), 16)), "tttttttttvtttttvTTT");
  EXPECT_EQ(letters(split(log, by(SplitKind::given, "0.9"), 16)), "tvvvvvvvvvttvvvvTTT") << "one row stays in train";
  EXPECT_EQ(files::error_of([&] { split(log, by(SplitKind::given), log.size()); }).kind, ErrorKind::usage);
}

TEST(Split, GivenFollowsTimeWhereThereIsOne) {
  const auto log = log_of({{0, 9}, {0, 3}, {0, 9}, {0, 1}, {0, 5}});
  EXPECT_EQ(letters(split(log, by(SplitKind::given, "0.25"), 4)), "ttvtT") << "a tie is broken by file order";
}

TEST(Split, LeaveLastTakesTwoRowsOfAUserWhoHasThree) {
  const auto log = log_of({{0, 5}, {1, 1}, {0, 1}, {2, 3}, {0, 9}, {2, 2}, {0, 9}});
  EXPECT_EQ(letters(split(log, by(SplitKind::leave_last), log.size())), "tttTvtT");
  const auto untimed = log_of({{0, -1}, {1, -1}, {0, -1}, {0, -1}});
  EXPECT_EQ(letters(split(untimed, by(SplitKind::leave_last), untimed.size())), "ttvT");
  const auto small = log_of({{0, 1}, {0, 2}});
  EXPECT_EQ(files::error_of([&] { split(small, by(SplitKind::leave_last), 2); }).kind, ErrorKind::input);
}

TEST(Split, NoneHoldsNothingOut) {
  EXPECT_EQ(letters(split(log_of({{0, 1}, {0, 2}, {1, 3}}), by(SplitKind::none), 3)), "ttt");
}

TEST(Split, RandomPartsHaveTheirSharesAndDependOnSeedAndRowAlone) {
  constexpr size_t kRows = 100000;
  Interactions log;
  log.user.assign(kRows, log.users.add("u"));
  log.item.assign(kRows, log.items.add("i"));
  auto options = by(SplitKind::random, "0.2", "0.1");
  const auto parts = split(log, options, kRows);
  double count[3] = {};
  for (const Part part : parts) ++count[static_cast<size_t>(part)];
  const double expected[3] = {.7 * kRows, .2 * kRows, .1 * kRows};
  double chi_square = 0;
  for (int p = 0; p < 3; ++p) chi_square += (count[p] - expected[p]) * (count[p] - expected[p]) / expected[p];
  EXPECT_LT(chi_square, 13.8) << "two degrees of freedom, p = 0.001";

  log.user.resize(kRows / 2);
  log.item.resize(kRows / 2);
  const auto half = split(log, options, kRows / 2);
  EXPECT_TRUE(std::equal(half.begin(), half.end(), parts.begin()));
  options.seed = 2;
  EXPECT_NE(split(log, options, kRows / 2), half);
}

TEST(Split, SharesThatAreNoneAreUsageErrors) {
  const auto log = log_of({{0, -1}, {0, -1}, {0, -1}});
  for (const char* bad : {"7d", "0", "1", "-0.1", ""})
    EXPECT_EQ(files::error_of([&] { split(log, by(SplitKind::random, bad), 3); }).kind, ErrorKind::usage) << bad;
  EXPECT_EQ(files::error_of([&] { split(log, by(SplitKind::random, "0.5", "0.5"), 3); }).kind, ErrorKind::usage);
}

TEST(Split, OptionsAreReadFromAConfig) {
  SplitOptions options;
  auto config = Config::from_text("split = { kind = \"time\", validation = \"7d\", test = \"14d\" }", "c.toml");
  config.read([&](OptionVisitor& f) { f.section("split", "", [&](OptionVisitor& s) { describe(s, options); }); });
  EXPECT_EQ(options.kind, SplitKind::time);
  EXPECT_EQ(options.validation, "7d");
  EXPECT_EQ(options.test, "14d");
}

}  // namespace
}  // namespace pagoda::data
