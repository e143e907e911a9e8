#include <gtest/gtest.h>

#include "loss/loss_scene.h"

namespace pagoda {
namespace {

// The formula of loss.h, one triplet at a time.
double reference(const Scene<double>& scene) {
  double total = 0;
  for (size_t i = 0; i < scene.users.rows(); ++i) {
    const auto own = scene.positives[i], masked = scene.masked[i];
    const auto is = [](auto list, size_t j) { return std::ranges::find(list, j) != list.end(); };
    const auto cos = [&](size_t j) {
      double s = 0;
      for (size_t d = 0; d < scene.users.cols(); ++d) s += scene.users[i][d] * scene.items[j][d];
      return s;
    };
    std::vector<std::pair<size_t, double>> negatives;
    for (size_t j = 0; j < scene.items.rows() && j < scene.shared_columns; ++j)
      if (!is(own, j) && !is(masked, j))
        negatives.emplace_back(j, scene.log_multiplicity.empty() ? 1 : std::exp(scene.log_multiplicity[j]));
    if (i < scene.row_columns.size())
      for (const uint32_t j : scene.row_columns[i]) negatives.emplace_back(j, 1);
    double weight = 0;
    for (const auto& [j, w] : negatives) weight += w;
    for (size_t k = scene.positives.offsets[i]; k < scene.positives.offsets[i + 1]; ++k)
      for (const auto& [j, w] : negatives)
        total += scene.weights[k] * w / weight *
                 std::max(0.0, scene.options.margin - cos(scene.positives.values[k]) + cos(j));
  }
  return total / static_cast<double>(scene.users.rows());
}

TEST(Triplet, OneRowByHand) {
  // The positive's cosine is 0.5, the margin 0.2: 0.6 is 0.3 inside, 0.4 is 0.1 inside, 0.2 is far enough.
  LossOptions options;
  options.kind = LossKind::triplet, options.margin = 0.2;
  ThreadPool pool(1);
  Matrix<double> users(1, 1), items(4, 1), d_users(1, 1), d_items(4, 1);
  users[0][0] = 1, items[0][0] = 0.6, items[1][0] = 0.5, items[2][0] = 0.4, items[3][0] = 0.2;
  const Ragged<uint32_t> positives{{0, 1}, {1}};
  LossInput<double> input;
  input.users = users, input.items = items, input.positives = &positives;
  LossOutput<double> output;
  output.d_users = d_users, output.d_items = d_items;
  make_loss<double>(options)->run(pool, input, output);
  EXPECT_NEAR(output.value, (0.3 + 0.1) / 3, 1e-14);
  EXPECT_NEAR(d_items[0][0], 1.0 / 3, 1e-14);
  EXPECT_NEAR(d_items[1][0], -2.0 / 3, 1e-14);
  EXPECT_NEAR(d_items[2][0], 1.0 / 3, 1e-14);
  EXPECT_EQ(d_items[3][0], 0);
  EXPECT_NEAR(d_users[0][0], (0.6 + 0.4 - 2 * 0.5) / 3, 1e-14);
  EXPECT_EQ(output.d_log_temperature, 0);
}

TEST(Triplet, GradientsAreTheSlopesOfTheReference) {
  Scene<double> scene(7, 5, 140, 3, Correction::standard, 3);  // two tiles of columns
  scene.options.kind = LossKind::triplet, scene.options.margin = 0.3;
  scene.log_multiplicity.assign(140, 0.0);
  for (size_t j = 0; j < 140; ++j) scene.log_multiplicity[j] = 0.01 * static_cast<double>(j);
  const auto formula = [&] { return reference(scene); };
  expect_slopes(scene, formula);
  scene.give_rows_own_columns(7);
  expect_slopes(scene, formula);
  scene.shared_columns = 0, scene.frozen_begin = scene.frozen_end = 0;  // own columns alone; the second row has none
  expect_slopes(scene, formula);
}

TEST(Triplet, ReadsNeitherTemperatureNorCorrection) {
  ThreadPool pool(1);
  Scene<double> a(7, 5, 40, 3, Correction::standard), b(7, 5, 40, 3, Correction::none);
  a.options.kind = b.options.kind = LossKind::triplet;
  b.temperature = 0.5, b.options.popularity_dial = 0.3, b.options.temperature_ratio = 2;
  a.run(pool), b.run(pool);
  EXPECT_EQ(a.output.value, b.output.value);
  EXPECT_TRUE(std::ranges::equal(a.d_users.values(), b.d_users.values()));
}

}  // namespace
}  // namespace pagoda
