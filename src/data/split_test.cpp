#include "data/split.h"

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
  EXPECT_EQ(kind(log, by(SplitKind::time, "0.1", "1d")), ErrorKind::usage);
  EXPECT_EQ(kind(log, by(SplitKind::time, "0d", "1d")), ErrorKind::usage);
  EXPECT_EQ(kind(log, by(SplitKind::time, "1d", "90d")), ErrorKind::input);
  const auto error = files::error_of([&] { split(log, by(SplitKind::time, "1d", "1d"), log.size()); });
  EXPECT_TRUE(
      error.says("leaves the validation part empty: the log has 3 row(s) from 1970-01-02T00:00:00Z to "
                 "1970-01-31T00:00:00Z"))
      << error.message;
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
