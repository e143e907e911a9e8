#include "train/hard_negatives.h"

#include "dataset/dataset_test.h"

namespace pagoda::train {
namespace {

TEST(HardestInBatch, AreTheHighestCorrectedLogitsThatAreNoPositiveAndNotMasked) {
  ThreadPool pool(2);
  math::Matrix<float> users(2, 1), items(4, 1);
  users[0][0] = 1;
  users[1][0] = 1;
  for (size_t j = 0; j < 4; ++j) items[j][0] = 0.1f * static_cast<float>(j);  // logits 0, 1, 2, 3 at temperature 0.1
  math::Ragged<uint32_t> positives, masked;
  positives.push(std::vector<uint32_t>{3});
  positives.push(std::vector<uint32_t>{0, 1});
  masked.push(std::vector<uint32_t>{1});
  masked.push({});
  InBatch batch{.users = users,
                .items = items,
                .candidates = 4,
                .bias = {},
                .positives = &positives,
                .masked = &masked,
                .temperature = 0.1};
  const auto one = hardest_in_batch(pool, batch, 1);
  EXPECT_EQ(one.values, (std::vector<uint32_t>{2, 3, 2}));  // the second row has two positives
  EXPECT_EQ(one.offsets, (std::vector<uint64_t>{0, 1, 3}));
  const std::vector<float> bias{5, 0, 0, 0};  // a rare item: its corrected logit stands above
  batch.bias = bias;
  EXPECT_EQ(hardest_in_batch(pool, batch, 1).values, (std::vector<uint32_t>{0, 3, 2}));
  EXPECT_EQ(hardest_in_batch(pool, batch, 9).values, (std::vector<uint32_t>{0, 2, 3, 2}));
}

using Mining = dataset::TrainTest;

TEST_F(Mining, OfflineTakesTheAskedRanksOfTheUsersOwnSearch) {
  std::string log = "user_id,item_id\n";
  for (int user = 0; user < 12; ++user)
    for (int n = 0; n < 6; ++n) log += fmt::format("u{},i{}\n", user, (user * 5 + n * 7) % 40);
  auto options = options_of(log);
  options.sampling.negatives = {
      {.source = "in_batch"},
      {.source = "mined", .mining = pagoda::sampling::Mining::offline, .first_rank = 3, .last_rank = 9, .shard = 1.0}};
  dataset::Batches b(options);
  ThreadPool pool(2);
  b.fit.model.towers.initialise(pool, 1);
  const auto mined = mine_hard_negatives(pool, b.data, b.fit, options.sampling.negatives[1], 1, 0);
  ASSERT_EQ(mined.size(), b.data.users.size());

  const auto vectors = model::item_vectors(pool, b.fit.model, b.fit.item_cells, b.data.train_end_us);
  const auto states = evaluate::user_states(b.data, b.fit.events, b.data.train_end_us);
  for (uint32_t user = 0; user < mined.size(); ++user) {
    const auto query =
        model::known_user_vectors(pool, b.fit.model, b.fit.user_cells, states, b.fit.id_row_of_item, std::vector{user});
    std::vector<std::pair<double, uint32_t>> ranked;
    const auto own = (*b.fit.user_items)[user];
    for (uint32_t item = 0; item < vectors.rows(); ++item) {
      if (std::binary_search(own.begin(), own.end(), item)) continue;
      double score = 0;
      for (size_t d = 0; d < vectors.cols(); ++d)
        score += static_cast<double>(query[0][d]) * static_cast<double>(vectors[item][d]);
      ranked.emplace_back(-score, item);
    }
    std::ranges::sort(ranked);
    std::vector<uint32_t> expected, got(mined[user].begin(), mined[user].end());
    for (size_t rank = 3; rank <= 9; ++rank) expected.push_back(ranked[rank - 1].second);
    std::ranges::sort(expected);
    std::ranges::sort(got);
    EXPECT_EQ(got, expected);
  }
  auto shard = options.sampling.negatives[1];
  shard.shard = 0.5;
  EXPECT_NE(mine_hard_negatives(pool, b.data, b.fit, shard, 1, 0).values,
            mine_hard_negatives(pool, b.data, b.fit, shard, 1, 1).values);
}

}  // namespace
}  // namespace pagoda::train
