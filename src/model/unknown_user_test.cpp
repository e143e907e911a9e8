#include "model/unknown_user.h"

#include <cmath>
#include <numeric>

#include "model/model_test.h"
#include "model/user_states.h"

namespace pagoda::model {
namespace {

math::Matrix<float> random_items(size_t n, size_t dim) {
  math::Matrix<float> items(n, dim);
  Rng random(3, Stream::initialise);
  for (size_t i = 0; i < n; ++i)
    for (auto& component : items.row(i)) component = static_cast<float>(random.normal());
  return items;
}

double log_likelihood(const math::Matrix<float>& items, const std::vector<double>& weights,
                      const std::vector<double>& w) {
  double sum = 0, total = 0, mean = 0;
  for (size_t i = 0; i < items.rows(); ++i) {
    const double score = std::inner_product(w.begin(), w.end(), items.row(i).begin(), 0.0);
    sum += std::exp(score);
    mean += weights[i] * score;
    total += weights[i];
  }
  return mean / total - std::log(sum) - 0.5e-4 * std::inner_product(w.begin(), w.end(), w.begin(), 0.0);
}

TEST(UnknownUser, ItsSoftmaxIsTheSharesWhereVectorsCanSayThem) {
  math::Matrix<float> items(4, 4);
  for (size_t i = 0; i < 4; ++i) items[i][i] = 1;
  const std::vector<double> weights{8, 4, 2, 2};
  const auto w = fit_unknown_user(items.view(), weights, false);
  double sum = 0;
  for (const float component : w) sum += std::exp(component);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(std::exp(w[i]) / sum, weights[i] / 16, 1e-3) << i;
}

TEST(UnknownUser, TheLikelihoodFallsInEveryDirection) {
  const auto items = random_items(60, 5);
  std::vector<double> weights(60);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>(1 + i * i % 37);
  const auto fitted = fit_unknown_user(items.view(), weights, false);
  const std::vector<double> w(fitted.begin(), fitted.end());
  const double best = log_likelihood(items, weights, w);
  for (size_t a = 0; a < w.size(); ++a)
    for (const double off : {-1e-2, 1e-2}) {
      auto other = w;
      other[a] += off;
      EXPECT_LT(log_likelihood(items, weights, other), best) << a;
    }
}

TEST(UnknownUser, OfALargeCatalogueItRanksThePopularFirst) {
  const size_t n = 50000;
  auto items = random_items(n, 8);
  std::vector<double> weights(n, 1);
  for (size_t i = 0; i < 50; ++i) {  // one component says what is popular
    items[i * 7][3] = 4;
    weights[i * 7] = 1000;
  }
  const auto w = fit_unknown_user(items.view(), weights, true);
  EXPECT_NEAR(std::inner_product(w.begin(), w.end(), w.begin(), 0.f), 1, 1e-5);
  EXPECT_GT(w[3], 0.9f);
  EXPECT_EQ(w, fit_unknown_user(items.view(), weights, true)) << "the same bits";
}

TEST(UnknownUser, TheNewestRowsWeighMost) {
  const std::vector<uint64_t> counts{90, 10};
  EXPECT_EQ(unknown_user_weights(counts, {}), (std::vector<double>{90, 10}));
  const std::vector<uint32_t> newest{0, 5};
  const auto weights = unknown_user_weights(counts, newest);
  EXPECT_DOUBLE_EQ(weights[0], 0.09);
  EXPECT_DOUBLE_EQ(weights[1], 0.91);
}

TEST(UnknownUser, AnswersForUsersOfWhomNothingIsKnownAlone) {
  SmallWorld w;
  auto model = w.make();
  model.unknown_user.assign(model.towers.dim(), 0.5f);
  ThreadPool pool(1);
  const auto cells = model.user_encoder.cells(w.user_ids, &w.users);
  const std::vector<uint32_t> history{1};
  const std::vector<std::string_view> nothing{""};
  // The tower of this world reads the history alone, so a known user without one has no direction.
  const std::vector<features::UserExample> examples{{}, {.context = nothing}, {.history = history}, {.user = 2}};
  const auto vectors = user_vectors(pool, model, cells, examples);
  for (size_t i = 0; i < examples.size(); ++i)
    EXPECT_EQ(std::ranges::equal(vectors.row(i), model.unknown_user), i != 2) << i;
}

}  // namespace
}  // namespace pagoda::model
