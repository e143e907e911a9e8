#include <gtest/gtest.h>

#include "loss/loss_fixture.h"

namespace pagoda::loss {
namespace {

// The formula of loss.h, one pair at a time.
double pair_by_pair(const LossFixture<double>& fixture) {
  double total = 0;
  for (size_t i = 0; i < fixture.users.rows(); ++i) {
    double pulled = 0, weight = 0, pushed = 0, negatives = 0;
    for (size_t k = fixture.positives.offsets[i]; k < fixture.positives.offsets[i + 1]; ++k) {
      pulled += fixture.weights[k] * std::max(0.0, 1 - fixture.cosine(i, fixture.positives.values[k]));
      weight += fixture.weights[k];
    }
    for (const auto& [j, w] : fixture.negatives(i)) {
      pushed += w * std::max(0.0, fixture.cosine(i, j) - fixture.options.margin);
      negatives += w;
    }
    total += pulled + (negatives > 0 ? fixture.options.negative_weight * weight / negatives * pushed : 0);
  }
  return total / static_cast<double>(fixture.users.rows());
}

TEST(CosineContrastive, OneRowByHand) {
  // The positive's cosine is 0.5, the margin 0.3, w is 10: of the negatives 0.6 is 0.3 above it, 0.4 is 0.1, 0.2 below.
  LossOptions options;
  options.kind = LossKind::cosine_contrastive;
  options.margin = 0.3;
  options.negative_weight = 10;
  const OneRow<double> row(options, {0.6, 0.5, 0.4, 0.2}, 1);
  const auto& [d_users, d_items, output] = row;
  EXPECT_NEAR(output.value, 0.5 + 10 * (0.3 + 0.1) / 3, 1e-14);
  EXPECT_NEAR(d_items[0][0], 10.0 / 3, 1e-14);
  EXPECT_NEAR(d_items[1][0], -1, 1e-14);
  EXPECT_NEAR(d_items[2][0], 10.0 / 3, 1e-14);
  EXPECT_EQ(d_items[3][0], 0);
  EXPECT_NEAR(d_users[0][0], -0.5 + 10 * (0.6 + 0.4) / 3, 1e-14);
  EXPECT_EQ(output.d_log_temperature, 0);
}

TEST(CosineContrastive, GradientsAreTheSlopesOfTheReference) {
  LossFixture<double> fixture(7, 5, 140, 3, Correction::standard, 3);  // two tiles of columns
  fixture.options.kind = LossKind::cosine_contrastive;
  fixture.options.margin = 0.3;
  fixture.options.negative_weight = 20;
  expect_slopes_in_all_forms(fixture, [&] { return pair_by_pair(fixture); });
}

TEST(CosineContrastive, RefusesWhatCannotBeMeant) {
  LossOptions options;
  options.kind = LossKind::cosine_contrastive;
  options.margin = 1;
  EXPECT_THROW(validate(options), Error);
  options.margin = 0.5;
  EXPECT_NO_THROW(validate(options));
  options.negative_weight = 0;
  EXPECT_THROW(validate(options), Error);
  options.negative_weight = 1;
  options.temperature = std::nullopt;
  EXPECT_THROW(validate(options), Error);
}

}  // namespace
}  // namespace pagoda::loss
