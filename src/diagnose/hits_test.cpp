#include "diagnose/hits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "core/rng.h"

namespace pagoda::diagnose {
namespace {

struct Log {
  std::vector<uint32_t> user, item;
  std::vector<uint64_t> user_rows, item_rows;
  std::vector<UserItem> pairs;
  Log(std::vector<uint32_t> users, std::vector<uint32_t> items) : user(std::move(users)), item(std::move(items)) {
    user_rows.resize(*std::ranges::max_element(user) + 1);
    item_rows.resize(*std::ranges::max_element(item) + 1);
    for (const auto u : user) ++user_rows[u];
    for (const auto i : item) ++item_rows[i];
    pairs = user_items(user, item);
  }
  double share(uint64_t batch) const { return accidental_hit_share(pairs, user_rows, item_rows, batch); }
};

// By the definition, pair by pair.
uint64_t naive_hits(std::span<const uint32_t> user, std::span<const uint32_t> item) {
  uint64_t hits = 0;
  for (size_t row = 0; row < user.size(); ++row) {
    std::set<uint32_t> positives;
    for (size_t other = 0; other < user.size(); ++other)
      if (user[other] == user[row]) positives.insert(item[other]);
    for (size_t column = 0; column < user.size(); ++column) hits += column != row && positives.count(item[column]) > 0;
  }
  return hits;
}

const Log kFour({0, 0, 1, 1}, {0, 1, 0, 2});

TEST(UserItems, AreTheDistinctPairsInOrder) {
  const auto pairs = user_items(std::vector<uint32_t>{1, 0, 1, 1}, std::vector<uint32_t>{5, 7, 3, 5});
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].item, 7u);
  EXPECT_EQ(pairs[1].item, 3u);
  EXPECT_EQ(pairs[2].clicks, 2u);
}

TEST(AccidentalHits, OfABatchByHand) {
  // Row (0, a): b is its user's, the other a its item. Row (0, b): both a's are its user's. Likewise for user 1.
  EXPECT_EQ(accidental_hits_of_batch(kFour.user, kFour.item), 8u);
  EXPECT_EQ(accidental_hits_of_batch(std::vector<uint32_t>{0, 1}, std::vector<uint32_t>{0, 1}), 0u);
  EXPECT_EQ(accidental_hits_of_batch(std::vector<uint32_t>{0, 0}, std::vector<uint32_t>{4, 4}), 2u);
}

TEST(AccidentalHits, OfABatchAreThoseOfTheDefinition) {
  Rng rng(5, Stream::test);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<uint32_t> user, item;
    for (int row = 0; row < 30; ++row) {
      user.push_back(static_cast<uint32_t>(rng.below(8)));
      item.push_back(static_cast<uint32_t>(rng.below(12)));
    }
    EXPECT_EQ(accidental_hits_of_batch(user, item), naive_hits(user, item));
  }
}

TEST(AccidentalHits, TheExpectedShareByHand) {
  EXPECT_DOUBLE_EQ(kFour.share(2), 6. / 12);  // one pair of item a, one pair of each user; both ways
  EXPECT_DOUBLE_EQ(kFour.share(4), 8. / 12);  // the whole log is the batch
}

TEST(AccidentalHits, TheExpectedShareAgreesWithEveryOrderOfASmallLog) {
  const Log log({0, 0, 0, 1, 1, 2, 2, 3}, {0, 1, 1, 0, 2, 1, 3, 3});  // user 0 has item 1 twice
  for (const uint64_t batch : {2u, 3u, 5u}) {
    std::vector<uint32_t> order(8);
    std::iota(order.begin(), order.end(), 0u);
    double hits = 0, columns = 0;
    do {
      std::vector<uint32_t> user, item;
      for (uint64_t at = 0; at < batch; ++at) {
        user.push_back(log.user[order[at]]);
        item.push_back(log.item[order[at]]);
      }
      hits += static_cast<double>(accidental_hits_of_batch(user, item));
      columns += static_cast<double>(batch * (batch - 1));
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_NEAR(log.share(batch), hits / columns, 1e-12) << "a batch of " << batch;
  }
}

TEST(AccidentalHits, InOrderOfTheLogCountWholeBatches) {
  EXPECT_DOUBLE_EQ(accidental_hit_share_in_order(kFour.user, kFour.item, 2), 1);       // each batch is one user
  EXPECT_DOUBLE_EQ(accidental_hit_share_in_order(kFour.user, kFour.item, 3), 5. / 6);  // user 1 has not b
}

TEST(LikedShare, CountsItemsThatTheUserClicksAnywhere) {
  EXPECT_DOUBLE_EQ(liked_share_in_batch(kFour.pairs, kFour.user_rows, kFour.item_rows), 8. / 12);
  EXPECT_DOUBLE_EQ(liked_share_uniform(kFour.pairs, kFour.user_rows, 5), 2. / 5);
}

TEST(LikedShare, IsTheHitShareOfABatchThatIsTheWholeLog) {
  const Log log({0, 0, 0, 1, 1, 2, 2, 3}, {0, 1, 1, 0, 2, 1, 3, 3});
  EXPECT_NEAR(liked_share_in_batch(log.pairs, log.user_rows, log.item_rows), log.share(8), 1e-12);
}

}  // namespace
}  // namespace pagoda::diagnose
