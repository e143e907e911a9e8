#include <gtest/gtest.h>

#include "loss/loss_fixture.h"

namespace pagoda::loss {
namespace {

// The formula of loss.h, one pair at a time.
double reference(const LossFixture<double>& fixture) {
  const auto& o = fixture.options;
  const auto softplus = [](double z) { return std::log(1 + std::exp(z)); };
  double total = 0;
  for (size_t i = 0; i < fixture.users.rows(); ++i) {
    const auto own = fixture.positives[i], masked = fixture.masked[i];
    const auto is = [](auto list, size_t j) { return std::ranges::find(list, j) != list.end(); };
    const auto z = [&](size_t j, double log_count) {
      return fixture.cosine(i, j) / fixture.temperature -
             (o.correction == Correction::none ? 0 : o.logq_weight * log_count);
    };
    double negatives = 0, sum = 0, weight = 0;
    for (size_t j = 0; j < fixture.items.rows() && j < fixture.shared_columns; ++j) {
      if (is(own, j) || is(masked, j)) continue;
      const double w = fixture.log_multiplicity.empty() ? 1 : std::exp(fixture.log_multiplicity[j]);
      negatives += w;
      sum += w * softplus(z(j, fixture.log_count[j]));
    }
    if (i < fixture.row_columns.size())
      for (size_t k = fixture.row_columns.offsets[i]; k < fixture.row_columns.offsets[i + 1]; ++k) {
        negatives += 1;
        sum += softplus(z(fixture.row_columns.values[k], fixture.row_log_count[k]));
      }
    for (size_t k = fixture.positives.offsets[i]; k < fixture.positives.offsets[i + 1]; ++k) {
      const uint32_t p = fixture.positives.values[k];
      const double raw = z(p, 0), corrected = z(p, fixture.log_count[p]);
      total += fixture.weights[k] * softplus(-(o.correction == Correction::standard ? corrected : raw));
      weight += fixture.weights[k];
    }
    if (negatives > 0) total += weight / negatives * sum;
  }
  return total / static_cast<double>(fixture.users.rows());
}

TEST(BinaryCrossEntropy, OneRowByHand) {
  // Positive 0.2/0.1 = 2; negatives 1 and -3: their mean counts as much as the positive.
  LossOptions options;
  options.kind = LossKind::bce;
  options.correction = Correction::none;
  const OneRow<double> row(options, {0.2, 0.1, -0.3}, 0);
  const auto& [d_users, d_items, output] = row;
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  EXPECT_NEAR(output.value, -std::log(sigmoid(2)) - (std::log(sigmoid(-1)) + std::log(sigmoid(3))) / 2, 1e-14);
  EXPECT_NEAR(d_items[0][0], -sigmoid(-2) / 0.1, 1e-13);
  EXPECT_NEAR(d_items[1][0], sigmoid(1) / 2 / 0.1, 1e-13);
  EXPECT_NEAR(d_items[2][0], sigmoid(-3) / 2 / 0.1, 1e-13);
}

TEST(BinaryCrossEntropy, GradientsAreTheSlopesOfTheReference) {
  for (const auto correction : {Correction::none, Correction::standard, Correction::negatives}) {
    LossFixture<double> fixture(7, 5, 140, 3, correction, 3);  // two tiles of columns
    fixture.options.kind = LossKind::bce;
    fixture.options.logq_weight = 0.7;
    expect_slopes_in_all_forms(fixture, [&] { return reference(fixture); });
  }
}

TEST(BinaryCrossEntropy, TheSharpestTemperatureStaysFinite) {
  ThreadPool pool(1);
  LossFixture<float> fixture(3, 50, 260, 8, Correction::standard);
  fixture.options.kind = LossKind::bce;
  fixture.temperature = 0.01;
  fixture.log_count[7] = -700;
  fixture.log_count[8] = 3;
  fixture.run(pool);
  EXPECT_TRUE(std::isfinite(fixture.output.value));
  for (const float d : fixture.d_users.values()) ASSERT_TRUE(std::isfinite(d));
  for (const float d : fixture.d_items.values()) ASSERT_TRUE(std::isfinite(d));
}

// One user's clicks on three items, and the draws of a batch of 8, fitted to the end: the optimum that loss.h states.
TEST(BinaryCrossEntropy, FindsTheRatioToTheDrawsAndCorrectedTheProbability) {
  ThreadPool pool(1);
  const std::vector<double> clicks{0.5, 0.3, 0.2}, count{3, 1, 4};  // p, lambda
  for (const auto correction : {Correction::none, Correction::standard}) {
    LossOptions options;
    options.kind = LossKind::bce;
    options.correction = correction;
    // A row for each item clicked, weighted by p. Columns 3, 4, 5 are the same items as negatives.
    math::Matrix<double> users(3, 1), items(6, 1), d_users(3, 1), d_items(6, 1);
    users.fill(1);
    items.fill(0);
    const math::Ragged<uint32_t> positives{{0, 1, 2, 3}, {0, 1, 2}};
    std::vector<double> log_count(6), log_multiplicity(6);
    for (size_t j = 0; j < 3; ++j) {
      log_count[j] = log_count[j + 3] = std::log(count[j]);
      log_multiplicity[j + 3] = std::log(count[j]);
    }
    LossInput<double> input;
    input.users = users;
    input.items = items;
    input.positives = &positives;
    input.positive_weights = clicks;
    input.first_negative = 3;
    input.log_count = log_count;
    input.log_multiplicity = log_multiplicity;
    input.temperature = 1;
    LossOutput<double> output;
    output.d_users = d_users;
    output.d_items = d_items;
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
}  // namespace pagoda::loss
