#include <gtest/gtest.h>

#include <algorithm>

#include "loss/loss_scene.h"

namespace pagoda {
namespace {

constexpr Correction kCorrections[] = {Correction::none, Correction::standard, Correction::negatives,
                                       Correction::leave_one_out};

// The formulas of loss.h, one logit at a time. `sg`: 1 - P of each row, kept when it is not empty, else filled.
template <class T>
double reference(const Scene<T>& scene, std::vector<double>& sg, bool frozen) {
  const auto& o = scene.options;
  double total = 0;
  size_t at = 0;
  for (size_t i = 0; i < scene.users.rows(); ++i) {
    const auto own = scene.positives[i], masked = scene.masked[i];
    const auto is = [](auto list, size_t j) { return std::ranges::find(list, j) != list.end(); };
    const auto logit = [&](size_t j) {
      double s = 0;
      for (size_t d = 0; d < scene.users.cols(); ++d) s += double{scene.users[i][d]} * double{scene.items[j][d]};
      return s / scene.temperature;
    };
    const auto multiplicity = [&](size_t j) {
      return scene.log_multiplicity.empty() ? 0.0 : scene.log_multiplicity[j];
    };
    const double q_own = std::exp(scene.log_count[own[0]]) / scene.draws;
    const auto corrected = [&](size_t j, double log_count, double log_multiplicity) {
      if (o.correction == Correction::leave_one_out)
        return logit(j) + log_multiplicity - std::log(std::exp(log_count) / scene.draws / (1 - q_own));
      if (o.correction == Correction::negatives && is(own, j)) return logit(j);
      const double beta = o.correction == Correction::none ? 0 : o.popularity_dial;
      return logit(j) + log_multiplicity - beta * log_count;
    };
    const auto z = [&](size_t j) { return corrected(j, scene.log_count[j], multiplicity(j)); };
    double sum = 0;
    for (size_t j = 0; j < scene.items.rows(); ++j) {
      const bool shared = j < scene.shared_columns && !is(masked, j);
      const bool counts = is(own, j) ? o.correction != Correction::leave_one_out : shared;
      if (counts) sum += std::exp(z(j));
    }
    if (i < scene.row_columns.size())
      for (size_t k = scene.row_columns.offsets[i]; k < scene.row_columns.offsets[i + 1]; ++k)
        sum += std::exp(corrected(scene.row_columns.values[k], scene.row_log_count[k], 0));
    const double lse = std::log(sum);
    if (o.correction == Correction::leave_one_out) {
      const double weight = scene.weights[at++];
      const double p = std::exp(logit(own[0]));
      if (!frozen) sg.push_back(1 - p / (p + sum / scene.draws));
      if (sum == 0) continue;
      total += weight * sg[i] * (lse - logit(own[0]));
    } else {
      for (const auto p : own) total += scene.weights[at++] * (o.temperature_ratio * lse - z(p));
    }
  }
  return total / static_cast<double>(scene.users.rows());
}

TEST(SampledSoftmax, OneRowByHand) {
  // Logits 0.2/0.1 = 2 and 1; bias -log(1/2) and -log(1/4): weights e^2 2 and e^1 4.
  LossOptions options;
  ThreadPool pool(1);
  Matrix<double> users(1, 1), items(2, 1), d_users(1, 1), d_items(2, 1);
  users[0][0] = 1, items[0][0] = 0.2, items[1][0] = 0.1;
  const Ragged<uint32_t> positives{{0, 1}, {0}};
  const std::vector<double> log_count{std::log(0.5), std::log(0.25)};
  LossInput<double> input;
  input.users = users, input.items = items, input.positives = &positives, input.log_count = log_count;
  LossOutput<double> output;
  output.d_users = d_users, output.d_items = d_items;
  make_loss<double>(options)->run(pool, input, output);
  const double p = std::exp(2) * 2 / (std::exp(2) * 2 + std::exp(1) * 4);
  EXPECT_NEAR(output.value, -std::log(p), 1e-14);
  EXPECT_NEAR(d_items[0][0], (p - 1) / 0.1, 1e-13);
  EXPECT_NEAR(d_items[1][0], (1 - p) / 0.1, 1e-13);
  EXPECT_NEAR(d_users[0][0], ((p - 1) * 0.2 + (1 - p) * 0.1) / 0.1, 1e-13);
  EXPECT_NEAR(output.d_log_temperature, -((p - 1) * 2 + (1 - p) * 1), 1e-13);
}

void expect_slopes_of_the_formula(Scene<double>& scene) {
  std::vector<double> sg;
  reference(scene, sg, false);
  expect_slopes(scene, [&] { return reference(scene, sg, true); });
}

TEST(SampledSoftmax, GradientsAreTheSlopesOfTheReference) {
  for (const auto correction : kCorrections) {
    for (const double ratio : {1.0, 1.3}) {
      const bool alone = correction == Correction::leave_one_out;
      if (alone && ratio != 1.0) continue;
      Scene<double> scene(7, 5, 140, 3, correction, alone ? 1 : 3);  // two tiles of columns
      scene.options.temperature_ratio = ratio, scene.options.popularity_dial = alone ? 1.0 : 0.7;
      scene.log_multiplicity.assign(140, 0.0);
      for (size_t j = 0; j < 140; ++j) scene.log_multiplicity[j] = 0.01 * static_cast<double>(j);
      expect_slopes_of_the_formula(scene);
      scene.give_rows_own_columns(7);
      expect_slopes_of_the_formula(scene);
      scene.shared_columns = 0, scene.frozen_begin = scene.frozen_end = 0;  // own columns alone
      expect_slopes_of_the_formula(scene);
    }
  }
}

TEST(SampledSoftmax, TheSharpestTemperatureStaysFinite) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    Scene<float> scene(3, 50, 260, 8, correction);
    scene.temperature = 0.01;
    scene.log_count[7] = -700, scene.log_count[8] = 3;
    scene.run(pool);
    EXPECT_TRUE(std::isfinite(scene.output.value));
    for (const float d : scene.d_users.values()) ASSERT_TRUE(std::isfinite(d));
    for (const float d : scene.d_items.values()) ASSERT_TRUE(std::isfinite(d));
  }
}

TEST(SampledSoftmax, WithoutANegativeThereIsNothingToLearn) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    Scene<float> scene(3, 4, 200, 8, correction);
    scene.masked.clear();
    for (size_t i = 0; i < 4; ++i) {
      for (uint32_t j = 0; j < 200; ++j)
        if (j != scene.positives[i][0]) scene.masked.values.push_back(j);
      scene.masked.close();
    }
    scene.run(pool);
    EXPECT_NEAR(scene.output.value, 0, 1e-12);
    for (const float d : scene.d_users.values()) ASSERT_NEAR(d, 0, 1e-12);
    for (const float d : scene.d_items.values()) ASSERT_NEAR(d, 0, 1e-12);
  }
}

// The shift of a row comes from a bound on its logits, here 1 / 0.01, and its only logit is as far below: -1 / 0.01.
TEST(SampledSoftmax, ARowWithoutNegativesAtASharpTemperatureStaysFinite) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections)
    for (const auto precision : {Precision::f32, Precision::bf16})
      for (const bool whole_row : {true, false}) {  // or the columns of its first tiles alone
        Scene<float> scene(3, 40, 900, 8, correction);
        scene.precision = precision, scene.temperature = 0.01;
        for (size_t i = 0; i < scene.users.rows(); ++i)
          for (size_t d = 0; d < scene.users.cols(); ++d)
            scene.items[scene.positives[i][0]][d] = -scene.users[i][d];
        scene.masked.clear();
        for (size_t i = 0; i < scene.users.rows(); ++i) {
          if (i % 2 == 0)
            for (uint32_t j = 0; j < (whole_row ? 900 : 600); ++j)
              if (j != scene.positives[i][0]) scene.masked.values.push_back(j);
          scene.masked.close();
        }
        scene.run(pool);
        EXPECT_TRUE(std::isfinite(scene.output.value));
        EXPECT_TRUE(std::isfinite(scene.output.d_log_temperature));
        for (const float d : scene.d_users.values()) ASSERT_TRUE(std::isfinite(d));
        for (const float d : scene.d_items.values()) ASSERT_TRUE(std::isfinite(d));
      }
}

TEST(SampledSoftmax, OneItemInAllIsNothingToLearn) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    Scene<double> scene(3, 3, 1, 4, correction);
    scene.log_count = {0.0}, scene.draws = 1;  // every draw is the positive
    scene.run(pool);
    EXPECT_EQ(scene.output.value, 0);
    for (const double d : scene.d_items.values()) EXPECT_EQ(d, 0);
  }
}

TEST(SampledSoftmax, APositiveLearnedWellKeepsAnExactGradient) {
  // softmax - 1 is about -1e-9 here: far below what float can tell from 1 - 1.
  ThreadPool pool(1);
  Matrix<float> users(1, 1), items(2, 1), d_users(1, 1), d_items(2, 1);
  users[0][0] = 1, items[0][0] = 2, items[1][0] = 0;
  const Ragged<uint32_t> positives{{0, 1}, {0}};
  LossOptions options;
  options.correction = Correction::none;
  LossInput<float> input;
  input.users = users, input.items = items, input.positives = &positives;
  LossOutput<float> output;
  output.d_users = d_users, output.d_items = d_items;
  make_loss<float>(options)->run(pool, input, output);
  const double p = 1 / (1 + std::exp(-20.0));
  EXPECT_NEAR(d_items[0][0] / ((p - 1) / 0.1), 1, 1e-5);
  EXPECT_NEAR(d_items[1][0] / ((1 - p) / 0.1), 1, 1e-5);
}

}  // namespace
}  // namespace pagoda
