#include "train/score_thresholds.h"

#include <algorithm>

#include "dataset/dataset_test.h"
#include "evaluate/evaluation.h"

namespace pagoda::train {
namespace {

using ScoreThresholds = dataset::TrainTest;

TEST_F(ScoreThresholds, AreTheCosinesOfEachUsersKthBestItem) {
  std::string log = "user_id,item_id\n";
  for (int user = 0; user < 12; ++user)
    for (int n = 0; n < 6; ++n) log += fmt::format("u{},i{}\n", user, (user * 5 + n * 7) % 40);
  const auto options = options_of(log);
  dataset::Batches b(options);
  ThreadPool pool(2);
  b.fit.model.towers.initialise(pool, 1);
  const auto thresholds = score_thresholds(pool, b.data, b.fit, 7, 1, 0);
  ASSERT_EQ(thresholds.size(), b.data.users.size());
  const auto vectors = model::item_vectors(pool, b.fit.model, b.fit.item_cells, b.data.train_end_us);
  const auto states = evaluate::user_states(b.data, b.fit.events, b.data.train_end_us);
  for (uint32_t user = 0; user < thresholds.size(); ++user) {
    const auto query =
        model::known_user_vectors(pool, b.fit.model, b.fit.user_cells, states, b.fit.id_row_of_item, std::vector{user});
    std::vector<double> scores;
    for (uint32_t item = 0; item < vectors.rows(); ++item) {
      scores.push_back(0);
      for (size_t d = 0; d < vectors.cols(); ++d) scores.back() += double{query[0][d]} * double{vectors[item][d]};
    }
    std::ranges::sort(scores, std::greater<>());
    EXPECT_NEAR(thresholds[user], scores[6], 1e-6);
  }
  EXPECT_EQ(score_thresholds(pool, b.data, b.fit, 1000, 1, 0).size(), thresholds.size())
      << "of a K above the catalogue's size, the last item";
}

TEST_F(ScoreThresholds, AreRenewedFromTheirStartOnNowAndAgain) {
  auto options = options_of("user_id,item_id\nu1,a\nu1,b\nu1,d\nu2,a\nu2,c\nu2,b\nu3,b\nu3,c\nu3,a\n");
  dataset::Batches b(options);
  ThreadPool pool(1);
  b.fit.model.towers.initialise(pool, 1);
  const auto renewed = [&](uint64_t epoch) {
    return score_thresholds_at(pool, b.data, b.fit, options, epoch, false).has_value();
  };
  EXPECT_FALSE(renewed(1));
  options.loss.top_k = 2;
  options.loss.top_k_refresh = 3;
  options.loss.top_k_start = 0;
  for (uint64_t epoch = 0; epoch < 8; ++epoch) EXPECT_EQ(renewed(epoch), epoch % 3 == 1) << epoch;
  options.loss.top_k_start = 0.5;
  options.train.epochs = 8;
  for (uint64_t epoch = 0; epoch < 8; ++epoch) EXPECT_EQ(renewed(epoch), epoch == 4 || epoch == 7) << epoch;
}

}  // namespace
}  // namespace pagoda::train
