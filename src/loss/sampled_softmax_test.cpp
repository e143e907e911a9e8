#include <gtest/gtest.h>

#include <algorithm>

#include "loss/loss_fixture.h"
#include "loss/reference.h"

namespace pagoda::loss {
namespace {

constexpr Correction kCorrections[] = {Correction::none, Correction::standard, Correction::negatives,
                                       Correction::leave_one_out};

TEST(SampledSoftmax, OneRowByHand) {
  // Logits 0.2/0.1 = 2 and 1; bias -log(1/2) and -log(1/4): weights e^2 2 and e^1 4.
  LossOptions options;
  const std::vector<double> log_count{std::log(0.5), std::log(0.25)};
  const OneRow<double> row(options, {0.2, 0.1}, 0, log_count);
  const auto& [d_users, d_items, output] = row;
  const double p = std::exp(2) * 2 / (std::exp(2) * 2 + std::exp(1) * 4);
  EXPECT_NEAR(output.value, -std::log(p), 1e-14);
  EXPECT_NEAR(d_items[0][0], (p - 1) / 0.1, 1e-13);
  EXPECT_NEAR(d_items[1][0], (1 - p) / 0.1, 1e-13);
  EXPECT_NEAR(d_users[0][0], ((p - 1) * 0.2 + (1 - p) * 0.1) / 0.1, 1e-13);
  EXPECT_NEAR(output.d_log_temperature, -((p - 1) * 2 + (1 - p) * 1), 1e-13);
}

void expect_slopes_of_the_formula(LossFixture<double>& fixture) {
  std::vector<double> held;
  reference_softmax(fixture.options, fixture.input(), held);
  expect_slopes(fixture, [&] { return reference_softmax(fixture.options, fixture.input(), held); });
}

TEST(SampledSoftmax, OfSlAtKTheSlopesAreThoseOfTheReferenceWithItsWeightsHeld) {
  for (const auto correction : kCorrections) {
    LossFixture<double> fixture(9, 6, 140, 3, correction, correction == Correction::leave_one_out ? 1 : 3);
    for (size_t i = 0; i < 6; ++i) fixture.thresholds.push_back(0.3f * static_cast<float>(i) - 0.5f);
    expect_slopes_of_the_formula(fixture);
  }
}

TEST(SampledSoftmax, SlAtKWeighsAPositiveByHowFarItIsAboveTheThreshold) {
  // As OneRowByHand: the positive's cosine is 0.2, its threshold 0.2 + 0.3 log 3, so it weighs 1 / (1 + 3).
  LossFixture<double> fixture(1, 1, 2, 1, Correction::none);
  fixture.users[0][0] = 1;
  fixture.items[0][0] = 0.2;
  fixture.items[1][0] = 0.1;
  fixture.positives = {{0, 1}, {0}};
  fixture.masked = {{0, 0}, {}};
  fixture.weights = {1};
  ThreadPool pool(1);
  fixture.run(pool);
  const double plain = fixture.output.value, slope = fixture.d_users[0][0];
  fixture.thresholds = {static_cast<float>(0.2 + 0.3 * std::log(3))};
  auto input = fixture.input();
  input.threshold_temperature = 0.3;
  fixture.run(pool, input);
  EXPECT_NEAR(fixture.output.value, plain / 4, 1e-7);
  EXPECT_NEAR(fixture.d_users[0][0], slope / 4, 1e-7);
}

TEST(SampledSoftmax, GradientsAreTheSlopesOfTheReference) {
  for (const auto correction : kCorrections) {
    for (const double ratio : {1.0, 1.3}) {
      const bool alone = correction == Correction::leave_one_out;
      if (alone && ratio != 1.0) continue;
      LossFixture<double> fixture(7, 5, 140, 3, correction, alone ? 1 : 3);  // two tiles of columns
      fixture.options.temperature_ratio = ratio;
      fixture.options.logq_weight = alone ? 1.0 : 0.7;
      fixture.log_multiplicity.assign(140, 0.0);
      for (size_t j = 0; j < 140; ++j) fixture.log_multiplicity[j] = 0.01 * static_cast<double>(j);
      expect_slopes_of_the_formula(fixture);
      fixture.add_row_columns(7);
      expect_slopes_of_the_formula(fixture);
      fixture.shared_columns = 0;
      fixture.frozen_begin = fixture.frozen_end = 0;  // own columns alone
      expect_slopes_of_the_formula(fixture);
    }
  }
}

TEST(SampledSoftmax, TheSharpestTemperatureStaysFinite) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    LossFixture<float> fixture(3, 50, 260, 8, correction);
    fixture.temperature = 0.01;
    fixture.log_count[7] = -700;
    fixture.log_count[8] = 3;
    fixture.run(pool);
    EXPECT_TRUE(std::isfinite(fixture.output.value));
    for (const float d : fixture.d_users.values()) ASSERT_TRUE(std::isfinite(d));
    for (const float d : fixture.d_items.values()) ASSERT_TRUE(std::isfinite(d));
  }
}

TEST(SampledSoftmax, WithoutANegativeThereIsNothingToLearn) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    LossFixture<float> fixture(3, 4, 200, 8, correction);
    fixture.masked.clear();
    for (size_t i = 0; i < 4; ++i) {
      for (uint32_t j = 0; j < 200; ++j)
        if (j != fixture.positives[i][0]) fixture.masked.values.push_back(j);
      fixture.masked.close();
    }
    fixture.run(pool);
    EXPECT_NEAR(fixture.output.value, 0, 1e-12);
    for (const float d : fixture.d_users.values()) ASSERT_NEAR(d, 0, 1e-12);
    for (const float d : fixture.d_items.values()) ASSERT_NEAR(d, 0, 1e-12);
  }
}

// The shift of a row comes from a bound on its logits, here 1 / 0.01, and its only logit is as far below: -1 / 0.01.
TEST(SampledSoftmax, ARowWithoutNegativesAtASharpTemperatureStaysFinite) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections)
    for (const auto precision : {math::Precision::f32, math::Precision::bf16})
      for (const bool whole_row : {true, false}) {  // or the columns of its first tiles alone
        LossFixture<float> fixture(3, 40, 900, 8, correction);
        fixture.precision = precision;
        fixture.temperature = 0.01;
        for (size_t i = 0; i < fixture.users.rows(); ++i)
          for (size_t d = 0; d < fixture.users.cols(); ++d)
            fixture.items[fixture.positives[i][0]][d] = -fixture.users[i][d];
        fixture.masked.clear();
        for (size_t i = 0; i < fixture.users.rows(); ++i) {
          if (i % 2 == 0)
            for (uint32_t j = 0; j < (whole_row ? 900 : 600); ++j)
              if (j != fixture.positives[i][0]) fixture.masked.values.push_back(j);
          fixture.masked.close();
        }
        fixture.run(pool);
        EXPECT_TRUE(std::isfinite(fixture.output.value));
        EXPECT_TRUE(std::isfinite(fixture.output.d_log_temperature));
        for (const float d : fixture.d_users.values()) ASSERT_TRUE(std::isfinite(d));
        for (const float d : fixture.d_items.values()) ASSERT_TRUE(std::isfinite(d));
      }
}

TEST(SampledSoftmax, OneItemInAllIsNothingToLearn) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    LossFixture<double> fixture(3, 3, 1, 4, correction);
    fixture.log_count = {0.0};
    fixture.draws = 1;  // every draw is the positive
    fixture.run(pool);
    EXPECT_NEAR(fixture.output.value, 0, 1e-15);  // a compiler may fuse a product and a sum
    for (const double d : fixture.d_items.values()) EXPECT_NEAR(d, 0, 1e-15);
  }
}

TEST(SampledSoftmax, APositiveLearnedWellKeepsAnExactGradient) {
  // softmax - 1 is about -1e-9 here: far below what float can tell from 1 - 1.
  LossOptions options;
  options.correction = Correction::none;
  const OneRow<float> row(options, {2, 0}, 0);
  const auto& d_items = row.d_items;
  const double p = 1 / (1 + std::exp(-20.0));
  EXPECT_NEAR(d_items[0][0] / ((p - 1) / 0.1), 1, 1e-5);
  EXPECT_NEAR(d_items[1][0] / ((1 - p) / 0.1), 1, 1e-5);
}

}  // namespace
}  // namespace pagoda::loss
