#include <gtest/gtest.h>

#include "loss/loss_fixture.h"

namespace pagoda::loss {
namespace {

// The formula of loss.h, one triplet at a time.
double reference(const LossFixture<double>& fixture) {
  double total = 0;
  for (size_t i = 0; i < fixture.users.rows(); ++i) {
    const auto negatives = fixture.negatives(i);
    double weight = 0;
    for (const auto& [j, w] : negatives) weight += w;
    for (size_t k = fixture.positives.offsets[i]; k < fixture.positives.offsets[i + 1]; ++k)
      for (const auto& [j, w] : negatives)
        total += fixture.weights[k] * w / weight *
                 std::max(0.0, fixture.options.margin - fixture.cosine(i, fixture.positives.values[k]) +
                                   fixture.cosine(i, j));
  }
  return total / static_cast<double>(fixture.users.rows());
}

TEST(Triplet, OneRowByHand) {
  // The positive's cosine is 0.5, the margin 0.2: 0.6 is 0.3 inside, 0.4 is 0.1 inside, 0.2 is far enough.
  LossOptions options;
  options.kind = LossKind::triplet;
  options.margin = 0.2;
  const OneRow<double> row(options, {0.6, 0.5, 0.4, 0.2}, 1);
  const auto& [d_users, d_items, output] = row;
  EXPECT_NEAR(output.value, (0.3 + 0.1) / 3, 1e-14);
  EXPECT_NEAR(d_items[0][0], 1.0 / 3, 1e-14);
  EXPECT_NEAR(d_items[1][0], -2.0 / 3, 1e-14);
  EXPECT_NEAR(d_items[2][0], 1.0 / 3, 1e-14);
  EXPECT_EQ(d_items[3][0], 0);
  EXPECT_NEAR(d_users[0][0], (0.6 + 0.4 - 2 * 0.5) / 3, 1e-14);
  EXPECT_EQ(output.d_log_temperature, 0);
}

TEST(Triplet, GradientsAreTheSlopesOfTheReference) {
  LossFixture<double> fixture(7, 5, 140, 3, Correction::standard, 3);  // two tiles of columns
  fixture.options.kind = LossKind::triplet;
  fixture.options.margin = 0.3;
  expect_slopes_in_all_forms(fixture, [&] { return reference(fixture); });
}

TEST(Triplet, ReadsNeitherTemperatureNorCorrection) {
  ThreadPool pool(1);
  LossFixture<double> a(7, 5, 40, 3, Correction::standard), b(7, 5, 40, 3, Correction::none);
  a.options.kind = b.options.kind = LossKind::triplet;
  b.temperature = 0.5;
  b.options.logq_weight = 0.3;
  b.options.temperature_ratio = 2;
  a.run(pool);
  b.run(pool);
  EXPECT_EQ(a.output.value, b.output.value);
  EXPECT_TRUE(std::ranges::equal(a.d_users.values(), b.d_users.values()));
}

}  // namespace
}  // namespace pagoda::loss
