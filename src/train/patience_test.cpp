#include "train/patience.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace pagoda::train {
namespace {

TEST(Patience, ADifferenceIsClearWhereItExceedsItsStandardError) {
  // Differences 1, 1, 0, 0, 0, 0: mean 1/3, deviation 0.516, standard error 0.211; of 1, 0, 0, 0 both are 0.25.
  EXPECT_TRUE(clearly_below(std::vector<float>{0, 0, 0, 0, 0, 0}, std::vector<float>{1, 1, 0, 0, 0, 0}));
  const std::vector<float> best{1, 1, 0, 0}, values{0, 1, 0, 0};
  EXPECT_FALSE(clearly_below(values, best));
  EXPECT_FALSE(clearly_below(best, values)) << "it is above";
  EXPECT_FALSE(clearly_below(best, best));
  EXPECT_FALSE(clearly_below({}, {}));
  EXPECT_FALSE(clearly_below(values, std::vector<float>{1})) << "of other users nothing is known";
  EXPECT_TRUE(clearly_below(std::vector<float>{0.5, 0.5}, std::vector<float>{0.75, 0.75})) << "no user disagrees";
}

// Epochs of `users` users of whom some lose a hit that the others keep.
std::vector<EvaluatedEpoch> epochs(size_t users, const std::vector<size_t>& hits) {
  std::vector<EvaluatedEpoch> out;
  for (const size_t n : hits) {
    EvaluatedEpoch one{
        .epoch = out.size() + 1, .value = static_cast<double>(n) / static_cast<double>(users), .users = {}};
    for (size_t user = 0; user < users; ++user)  // another epoch, other users
      one.users.push_back((user + out.size() * 3) % users < n ? 1 : 0);
    out.push_back(std::move(one));
  }
  return out;
}

TEST(Patience, FewUsersAreWaitedForThreeTimesAsLong) {
  auto flat = epochs(60, {20, 19, 19, 19});
  EXPECT_FALSE(runs_out(flat, 3)) << "one hit of sixty users is no difference";
  flat = epochs(60, {20, 19, 19, 19, 19, 19, 19, 19, 19});
  EXPECT_FALSE(runs_out(flat, 3));
  flat = epochs(60, {20, 19, 19, 19, 19, 19, 19, 19, 19, 19});
  EXPECT_TRUE(runs_out(flat, 3));
  EXPECT_TRUE(runs_out(epochs(60, {20, 19, 19, 2}), 3)) << "clearly worse";
  EXPECT_FALSE(runs_out(epochs(60, {20, 2, 2}), 3)) << "patience";
}

TEST(Patience, ManyUsersAreNotWaitedFor) {
  EXPECT_TRUE(runs_out(epochs(2000, {700, 699, 699, 699}), 3));
  EXPECT_FALSE(runs_out(epochs(500, {170, 169, 169, 169, 169, 169}), 3));
  EXPECT_TRUE(runs_out(epochs(500, {170, 169, 169, 169, 169, 169, 169}), 3)) << "twice as long for five hundred";
}

TEST(Patience, OfEpochsThatCannotBeToldApartTheMiddleIsChosen) {
  const auto curve = epochs(60, {20, 19, 19, 19, 19, 19, 2});
  const auto ties = ties_of(curve);
  EXPECT_EQ(ties, (std::vector<size_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(middle_of(ties), 3u) << "not the first, which was lucky";
  EXPECT_EQ(best_of(curve), 0u);
  EXPECT_EQ(ties_of(epochs(60, {2, 20, 3})), (std::vector<size_t>{1}));
  // Of a run that began before users were kept.
  auto unknown = epochs(60, {18, 20, 19});
  for (auto& epoch : unknown) epoch.users.clear();
  EXPECT_EQ(ties_of(unknown), (std::vector<size_t>{1}));
}

// Curves that rise to an epoch and fall slowly, judged by few: the middle is worth more than the best by chance.
TEST(Patience, TheMiddleIsWorthMoreThanTheLuckiest) {
  Rng rng(11, Stream::test);
  const auto truth = [](int epoch) { return 0.2 - 0.0008 * (epoch - 6) * (epoch - 6); };
  double lucky = 0, middle = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> taste(80);
    for (double& user : taste) user = rng.uniform();
    std::vector<EvaluatedEpoch> curve;
    for (int epoch = 0; epoch < 14; ++epoch) {
      EvaluatedEpoch one{.epoch = static_cast<uint64_t>(epoch + 1)};
      for (const double user : taste) {
        const bool hit = 0.7 * user + 0.3 * rng.uniform() < truth(epoch);
        one.users.push_back(hit ? 1 : 0);
        one.value += hit / 80.0;
      }
      curve.push_back(std::move(one));
    }
    lucky += truth(static_cast<int>(best_of(curve)));
    middle += truth(static_cast<int>(middle_of(ties_of(curve))));
  }
  EXPECT_GT(middle, lucky);
}

TEST(Patience, ARivalHasLostWhereItIsBehindWithHalfOfItsEpochsOver) {
  const std::vector<EvaluatedEpoch> other{
      {.epoch = 1, .value = 0.3}, {.epoch = 2, .value = 0.5}, {.epoch = 3, .value = 0.4}};
  std::vector<EvaluatedEpoch> rival{{.epoch = 1, .value = 0.1}};
  EXPECT_FALSE(has_lost(rival, other, 4)) << "a quarter is too soon";
  rival.push_back({.epoch = 2, .value = 0.45});
  EXPECT_TRUE(has_lost(rival, other, 4));
  EXPECT_FALSE(has_lost(rival, other, 5));
  rival.push_back({.epoch = 3, .value = 0.45});
  EXPECT_FALSE(has_lost(rival, other, 6)) << "better than the other was after as many";
  rival.push_back({.epoch = 4, .value = 0.45});
  EXPECT_TRUE(has_lost(rival, other, 6)) << "the other ended before, and its best counts";
  rival.back().value = 0.6;
  EXPECT_FALSE(has_lost(rival, other, 6));
}

TEST(Patience, ARivalThatIsFarBehindHasLostAfterAFifthOfItsEpochs) {
  std::vector<float> better, worse, little;
  for (int user = 0; user < 100; ++user) {
    better.push_back(user % 2 ? 1.0f : 0.5f);
    worse.push_back(user % 3 ? better.back() : 0.0f);    // by .26, with an error of .04
    little.push_back(user % 25 ? better.back() : 0.0f);  // by .03, with an error of .015
  }
  const std::vector<EvaluatedEpoch> other{{.epoch = 1, .value = 0.75, .users = better},
                                          {.epoch = 2, .value = 0.75, .users = better}};
  std::vector<EvaluatedEpoch> rival{{.epoch = 1, .value = 0.5, .users = worse}};
  EXPECT_FALSE(has_lost(rival, other, 10)) << "a tenth is too soon";
  rival.push_back({.epoch = 2, .value = 0.5, .users = worse});
  EXPECT_TRUE(has_lost(rival, other, 10));
  rival.back() = {.epoch = 2, .value = 0.72, .users = little};
  EXPECT_FALSE(has_lost(rival, other, 10)) << "that may be chance";
}

TEST(Patience, OfManyUsersASampleIsKept) {
  EXPECT_EQ(sample_of_users(std::vector<double>{1, 0.5}), (std::vector<float>{1, 0.5}));
  const auto sample = sample_of_users(std::vector<double>(100001, 0.25));
  EXPECT_LE(sample.size(), 20000u);
  EXPECT_GT(sample.size(), 10000u);
}

}  // namespace
}  // namespace pagoda::train
