// Sampling and loss together: does the gradient over sampled columns, corrected by the mixture's log expected count,
// average to the gradient of the full softmax over the catalogue?
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/rng.h"
#include "loss/accidental_hits.h"
#include "loss/loss.h"
#include "sampling/mixture.h"

namespace pagoda {
namespace {

constexpr size_t kItems = 40, kBatch = 192, kDim = 4;
constexpr double kTemperature = 0.5;

// A few hot items, many cold ones; users and items in one space, positives drawn by popularity alone.
struct Shop {
  std::vector<uint64_t> counts;
  std::unique_ptr<sampling::Frequency> frequency;
  sampling::ItemsOfUsers
      own;  // nobody has anything yet: a row's positive of the moment is masked, or void as a row's own column
  sampling::CrossBatchMemory memory{kBatch * 2, kDim};
  math::Matrix<double> users{kBatch, kDim}, items{kItems, kDim};
  ThreadPool pool{2};

  Shop() {
    for (size_t item = 0; item < kItems; ++item) counts.push_back(1000000 / ((item + 1) * (item + 1)));
    frequency = sampling::make_counts(counts);
    Rng rng(1, Stream::test);
    for (auto* matrix : {&users, &items})
      for (size_t i = 0; i < matrix->rows(); ++i) {
        double norm = 0;
        for (double& x : matrix->row(i)) {
          x = rng.normal();
          norm += x * x;
        }
        for (double& x : matrix->row(i)) x /= std::sqrt(norm);
      }
  }
  sampling::SamplingContext context() const {
    return {.catalogue_items = kItems,
            .batch_rows = kBatch,
            .training_counts = counts,
            .frequency = frequency.get(),
            .user_items = &own,
            .impressions = nullptr,
            .mined = nullptr,
            .memory = &memory};
  }
  // The two batches before `step`, their densities exact.
  void remember(uint64_t step) {
    for (const uint64_t earlier : {step + 100000, step + 200000}) {
      const auto items = positives(earlier);
      std::vector<double> log_density;
      for (const uint32_t item : items) log_density.push_back(frequency->log_probability(item));
      math::Matrix<float> vectors(kBatch, kDim);
      memory.push(items, log_density, vectors);
    }
  }
  std::vector<uint32_t> positives(uint64_t step) const {
    Rng rng(2, Stream::test, step);
    double total = 0;
    for (const uint64_t count : counts) total += static_cast<double>(count);
    std::vector<uint32_t> result;
    for (size_t i = 0; i < kBatch; ++i) {
      double u = rng.uniform() * total;
      uint32_t item = 0;
      while (u >= static_cast<double>(counts[item])) u -= static_cast<double>(counts[item++]);
      result.push_back(item);
    }
    return result;
  }
};

// dU, then the gradient of each item's vector.
using Gradient = std::vector<double>;

Gradient gradient(Shop& shop, const sampling::Columns& columns, const math::Ragged<uint32_t>& positives,
                  loss::Correction correction) {
  math::Matrix<double> vectors(columns.items.size(), kDim), d_users(kBatch, kDim), d_items(columns.items.size(), kDim);
  for (size_t j = 0; j < columns.items.size(); ++j) std::ranges::copy(shop.items.row(columns.items[j]), vectors[j]);
  std::vector<uint32_t> users(kBatch);
  for (uint32_t i = 0; i < kBatch; ++i) users[i] = i;
  const auto masked =
      loss::accidental_hits(shop.pool, users, positives, std::span(columns.items).first(columns.shared));
  loss::LossOptions options;
  options.correction = correction;
  loss::LossInput<double> input;
  input.users = shop.users;
  input.items = vectors;
  input.positives = &positives;
  input.masked = &masked;
  input.first_negative = columns.first_negative;
  input.log_count = columns.log_count;
  input.shared_columns = columns.shared;
  input.frozen_begin = columns.memory_begin;
  input.frozen_end = columns.memory_end;
  if (columns.row_columns.size() > 0) {
    input.row_columns = &columns.row_columns;
    input.row_log_count = columns.row_log_count;
  }
  input.negatives_drawn = columns.drawn;
  input.temperature = kTemperature;
  loss::LossOutput<double> output;
  output.d_users = d_users;
  output.d_items = d_items;
  loss::make_loss<double>(options)->run(shop.pool, input, output);
  Gradient result(d_users.begin(), d_users.end());
  result.resize(kBatch * kDim + kItems * kDim);
  for (size_t j = 0; j < columns.items.size(); ++j) {
    if (j >= columns.memory_begin && j < columns.memory_end) continue;
    const double scale = columns.gradient_scale.empty() ? 1.0 : columns.gradient_scale[j];
    for (size_t d = 0; d < kDim; ++d) result[(kBatch + columns.items[j]) * kDim + d] += scale * d_items[j][d];
  }
  return result;
}

double norm(const Gradient& g) {
  double sum = 0;
  for (const double x : g) sum += x * x;
  return std::sqrt(sum);
}

// |mean of (sampled - full)| / |mean of full| over the steps, the items' and the users' gradients together; of an
// unbiased one the noise alone is .34 / sqrt(steps). `correct` may replace the log counts.
double bias(Shop& shop, uint64_t steps, const std::vector<sampling::NegativesOptions>& sources,
            loss::Correction correction, const std::function<void(sampling::Columns&)>& correct = {}) {
  const sampling::Mixture mixture(sources, shop.context());
  const sampling::Mixture catalogue({{"catalogue"}}, shop.context());
  Gradient difference((kBatch + kItems) * kDim), full((kBatch + kItems) * kDim);
  for (uint64_t step = 0; step < steps; ++step) {
    const auto items = shop.positives(step);
    sampling::Columns columns, all;
    shop.remember(step);
    shop.own.clear();
    for (const uint32_t& item : items) shop.own.push({&item, 1});
    std::vector<uint32_t> rows(kBatch);
    std::iota(rows.begin(), rows.end(), 0u);
    const sampling::SamplingStep now{.seed = 1, .step = step, .progress = 0.5, .positives = items, .users = rows};
    mixture.draw(now, columns);
    catalogue.draw(now, all);
    if (correct) correct(columns);
    math::Ragged<uint32_t> own, rows_of_items;
    for (uint32_t i = 0; i < kBatch; ++i) {
      own.push(std::vector<uint32_t>{i});
      rows_of_items.push(std::vector<uint32_t>{items[i]});
    }
    const auto sampled = gradient(shop, columns, own, correction);
    const auto exact = gradient(shop, all, rows_of_items, loss::Correction::none);
    for (size_t k = 0; k < full.size(); ++k) {
      difference[k] += sampled[k] - exact[k];
      full[k] += exact[k];
    }
  }
  return norm(difference) / norm(full);
}

// Log counts as if the one source had drawn every column.
std::function<void(sampling::Columns&)> counted_by(const Shop& shop, const sampling::NegativesOptions& options) {
  return [&shop, options](sampling::Columns& columns) {
    const auto source = sampling::make_negative_source(options, shop.context());
    const std::vector<uint32_t> positives(kBatch);
    const double log_draws = std::log(source->draws({.progress = 0.5, .positives = positives}));
    const auto log_count = [&](size_t j) { return log_draws + source->log_density(columns.items[j]); };
    for (size_t j = 0; j < columns.items.size(); ++j) columns.log_count[j] = log_count(j);
    for (size_t k = 0; k < columns.row_log_count.size(); ++k)
      columns.row_log_count[k] = log_count(columns.row_columns.values[k]);
  };
}

TEST(MixtureUnbiased, TheMixturesCountsGiveTheFullSoftmaxAndOtherCountsDoNot) {
  Shop shop;
  const std::vector<sampling::NegativesOptions> sources{{"in_batch"}, {"uniform", 192}};
  EXPECT_LT(bias(shop, 600, sources, loss::Correction::negatives), 0.02);
  EXPECT_LT(bias(shop, 150, sources, loss::Correction::leave_one_out),
            0.06);  // n counts the draws that are masked, too
  EXPECT_GT(bias(shop, 50, sources, loss::Correction::none), 0.3);
  EXPECT_GT(bias(shop, 50, sources, loss::Correction::negatives, counted_by(shop, {"in_batch"})), 0.3);
  EXPECT_GT(bias(shop, 50, sources, loss::Correction::negatives, counted_by(shop, {"uniform", 192})), 0.3);
}

// Each blend under the one rule; then each column counted by the one source alone that stands first in the blend.
TEST(MixtureUnbiased, EveryBlendOfSourcesGivesTheFullSoftmax) {
  Shop shop;
  const sampling::NegativesOptions in_batch{"in_batch"}, uniform{"uniform", 192}, hot{"hot", 96},
      cold{"cold_per_user", 64}, popularity{"popularity", 768}, memory{"cross_batch", 2 * kBatch};
  const std::vector<std::vector<sampling::NegativesOptions>> blends{{popularity},
                                                                    {uniform, hot},
                                                                    {uniform, popularity},
                                                                    {in_batch, uniform, hot},
                                                                    {uniform, cold},
                                                                    {in_batch, cold},
                                                                    {in_batch, uniform, memory},
                                                                    {in_batch, uniform, hot, cold, popularity, memory}};
  for (const auto& blend : blends) {
    std::string names;
    for (const auto& source : blend) names += source.source + " ";
    EXPECT_LT(bias(shop, 300, blend, loss::Correction::negatives), 0.035) << names;
    EXPECT_GT(bias(shop, 50, blend, loss::Correction::none), 0.1) << names;
    if (blend.size() > 1)
      EXPECT_GT(bias(shop, 50, blend, loss::Correction::negatives, counted_by(shop, blend[0])), 0.07) << names;
  }
}

TEST(MixtureUnbiased, UniformNegativesAloneGiveTheFullSoftmax) {
  Shop shop;
  const std::vector<sampling::NegativesOptions> sources{{"uniform", 384}};
  EXPECT_LT(bias(shop, 300, sources, loss::Correction::negatives), 0.02);
  // With the batch's positives among the negatives, of which a uniform count knows nothing, they would not.
  EXPECT_GT(bias(shop, 50, sources, loss::Correction::negatives,
                 [](sampling::Columns& columns) { columns.first_negative = 0; }),
            0.3);
}

}  // namespace
}  // namespace pagoda
