#include <gtest/gtest.h>

#include "loss/loss_fixture.h"

namespace pagoda::loss {
namespace {

// The formula of loss.h, one pair at a time.
double pair_by_pair(const LossFixture<double>& fixture) {
  double total = 0;
  for (size_t i = 0; i < fixture.users.rows(); ++i) {
    const auto own = fixture.positives[i], masked = fixture.masked[i];
    const auto is = [](auto list, size_t j) { return std::ranges::find(list, j) != list.end(); };
    const auto cos = [&](size_t j) {
      double s = 0;
      for (size_t d = 0; d < fixture.users.cols(); ++d) s += fixture.users[i][d] * fixture.items[j][d];
      return s;
    };
    double pulled = 0, weight = 0, pushed = 0, negatives = 0;
    for (size_t k = fixture.positives.offsets[i]; k < fixture.positives.offsets[i + 1]; ++k) {
      pulled += fixture.weights[k] * std::max(0.0, 1 - cos(fixture.positives.values[k]));
      weight += fixture.weights[k];
    }
    const auto push = [&](size_t j, double w) {
      pushed += w * std::max(0.0, cos(j) - fixture.options.margin);
      negatives += w;
    };
    for (size_t j = 0; j < fixture.items.rows() && j < fixture.shared_columns; ++j)
      if (!is(own, j) && !is(masked, j))
        push(j, fixture.log_multiplicity.empty() ? 1 : std::exp(fixture.log_multiplicity[j]));
    if (i < fixture.row_columns.size())
      for (const uint32_t j : fixture.row_columns[i]) push(j, 1);
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
  ThreadPool pool(1);
  math::Matrix<double> users(1, 1), items(4, 1), d_users(1, 1), d_items(4, 1);
  users[0][0] = 1;
  items[0][0] = 0.6;
  items[1][0] = 0.5;
  items[2][0] = 0.4;
  items[3][0] = 0.2;
  const math::Ragged<uint32_t> positives{{0, 1}, {1}};
  LossInput<double> input;
  input.users = users;
  input.items = items;
  input.positives = &positives;
  LossOutput<double> output;
  output.d_users = d_users;
  output.d_items = d_items;
  make_loss<double>(options)->run(pool, input, output);
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
  fixture.log_multiplicity.assign(140, 0.0);
  for (size_t j = 0; j < 140; ++j) fixture.log_multiplicity[j] = 0.01 * static_cast<double>(j);
  const auto formula = [&] { return pair_by_pair(fixture); };
  expect_slopes(fixture, formula);
  fixture.add_row_columns(7);
  expect_slopes(fixture, formula);
  fixture.shared_columns = 0;
  fixture.frozen_begin = fixture.frozen_end = 0;  // own columns alone; the second row has none
  expect_slopes(fixture, formula);
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
