#include <gtest/gtest.h>

#include "loss/loss_scene.h"

namespace pagoda {
namespace {

// The formula of loss.h, one pair at a time.
double reference(const Scene<double>& scene) {
  const auto& o = scene.options;
  const auto softplus = [](double z) { return std::log(1 + std::exp(z)); };
  double total = 0;
  for (size_t i = 0; i < scene.users.rows(); ++i) {
    const auto own = scene.positives[i], masked = scene.masked[i];
    const auto is = [](auto list, size_t j) { return std::ranges::find(list, j) != list.end(); };
    const auto z = [&](size_t j, double log_count) {
      double s = 0;
      for (size_t d = 0; d < scene.users.cols(); ++d) s += scene.users[i][d] * scene.items[j][d];
      return s / scene.temperature - (o.correction == Correction::none ? 0 : o.popularity_dial * log_count);
    };
    double negatives = 0, sum = 0, weight = 0;
    for (size_t j = 0; j < scene.items.rows() && j < scene.shared_columns; ++j) {
      if (is(own, j) || is(masked, j)) continue;
      const double w = scene.log_multiplicity.empty() ? 1 : std::exp(scene.log_multiplicity[j]);
      negatives += w, sum += w * softplus(z(j, scene.log_count[j]));
    }
    if (i < scene.row_columns.size())
      for (size_t k = scene.row_columns.offsets[i]; k < scene.row_columns.offsets[i + 1]; ++k)
        negatives += 1, sum += softplus(z(scene.row_columns.values[k], scene.row_log_count[k]));
    for (size_t k = scene.positives.offsets[i]; k < scene.positives.offsets[i + 1]; ++k) {
      const uint32_t p = scene.positives.values[k];
      const double raw = z(p, 0), corrected = z(p, scene.log_count[p]);
      total += scene.weights[k] * softplus(-(o.correction == Correction::standard ? corrected : raw));
      weight += scene.weights[k];
    }
    if (negatives > 0) total += weight / negatives * sum;
  }
  return total / static_cast<double>(scene.users.rows());
}

TEST(BinaryCrossEntropy, OneRowByHand) {
  // Positive 0.2/0.1 = 2; negatives 1 and -3: their mean counts as much as the positive.
  LossOptions options;
  options.kind = LossKind::bce, options.correction = Correction::none;
  ThreadPool pool(1);
  Matrix<double> users(1, 1), items(3, 1), d_users(1, 1), d_items(3, 1);
  users[0][0] = 1, items[0][0] = 0.2, items[1][0] = 0.1, items[2][0] = -0.3;
  const Ragged<uint32_t> positives{{0, 1}, {0}};
  LossInput<double> input;
  input.users = users, input.items = items, input.positives = &positives;
  LossOutput<double> output;
  output.d_users = d_users, output.d_items = d_items;
  make_loss<double>(options)->run(pool, input, output);
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  EXPECT_NEAR(output.value, -std::log(sigmoid(2)) - (std::log(sigmoid(-1)) + std::log(sigmoid(3))) / 2, 1e-14);
  EXPECT_NEAR(d_items[0][0], -sigmoid(-2) / 0.1, 1e-13);
  EXPECT_NEAR(d_items[1][0], sigmoid(1) / 2 / 0.1, 1e-13);
  EXPECT_NEAR(d_items[2][0], sigmoid(-3) / 2 / 0.1, 1e-13);
}

TEST(BinaryCrossEntropy, GradientsAreTheSlopesOfTheReference) {
  for (const auto correction : {Correction::none, Correction::standard, Correction::negatives}) {
    Scene<double> scene(7, 5, 140, 3, correction, 3);  // two tiles of columns
    scene.options.kind = LossKind::bce, scene.options.popularity_dial = 0.7;
    scene.log_multiplicity.assign(140, 0.0);
    for (size_t j = 0; j < 140; ++j) scene.log_multiplicity[j] = 0.01 * static_cast<double>(j);
    const auto formula = [&] { return reference(scene); };
    expect_slopes(scene, formula);
    scene.give_rows_own_columns(7);
    expect_slopes(scene, formula);
    scene.shared_columns = 0, scene.frozen_begin = scene.frozen_end = 0;  // own columns alone; the second row has none
    expect_slopes(scene, formula);
  }
}

TEST(BinaryCrossEntropy, TheSharpestTemperatureStaysFinite) {
  ThreadPool pool(1);
  Scene<float> scene(3, 50, 260, 8, Correction::standard);
  scene.options.kind = LossKind::bce;
  scene.temperature = 0.01;
  scene.log_count[7] = -700, scene.log_count[8] = 3;
  scene.run(pool);
  EXPECT_TRUE(std::isfinite(scene.output.value));
  for (const float d : scene.d_users.values()) ASSERT_TRUE(std::isfinite(d));
  for (const float d : scene.d_items.values()) ASSERT_TRUE(std::isfinite(d));
}

// One user's clicks on three items, and the draws of a batch of 8, fitted to the end: the optimum that loss.h states.
TEST(BinaryCrossEntropy, FindsTheRatioToTheDrawsAndCorrectedTheProbability) {
  ThreadPool pool(1);
  const std::vector<double> clicks{0.5, 0.3, 0.2}, count{3, 1, 4};  // p, lambda
  for (const auto correction : {Correction::none, Correction::standard}) {
    LossOptions options;
    options.kind = LossKind::bce, options.correction = correction;
    // A row for each item clicked, weighted by p. Columns 3, 4, 5 are the same items as negatives.
    Matrix<double> users(3, 1), items(6, 1), d_users(3, 1), d_items(6, 1);
    users.fill(1), items.fill(0);
    const Ragged<uint32_t> positives{{0, 1, 2, 3}, {0, 1, 2}};
    std::vector<double> log_count(6), log_multiplicity(6);
    for (size_t j = 0; j < 3; ++j) {
      log_count[j] = log_count[j + 3] = std::log(count[j]);
      log_multiplicity[j + 3] = std::log(count[j]);
    }
    LossInput<double> input;
    input.users = users, input.items = items, input.positives = &positives, input.positive_weights = clicks;
    input.first_negative = 3, input.log_count = log_count, input.log_multiplicity = log_multiplicity;
    input.temperature = 1;
    LossOutput<double> output;
    output.d_users = d_users, output.d_items = d_items;
    const auto loss = make_loss<double>(options);
    for (int step = 0; step < 4000; ++step) {
      loss->run(pool, input, output);
      for (size_t j = 0; j < 3; ++j) {
        items[j][0] -= 10 * (d_items[j][0] + d_items[j + 3][0]);
        items[j + 3][0] = items[j][0];
      }
    }
    for (size_t j = 0; j < 3; ++j) {
      const double ratio = std::log(clicks[j] / (count[j] / 8)), probability = std::log(clicks[j]) + std::log(8.0);
      EXPECT_NEAR(items[j][0], correction == Correction::none ? ratio : probability, 1e-9);
    }
  }
}

}  // namespace
}  // namespace pagoda
