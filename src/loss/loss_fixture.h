// A batch for the tests of losses, and a check of its gradients by central differences.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "loss/loss.h"

namespace pagoda::loss {

// A random batch and the output of a loss on it.
template <class T>
struct LossFixture {
  LossOptions options;
  math::Precision precision = math::Precision::f32;
  math::Matrix<T> users, items, d_users, d_items;
  math::Ragged<uint32_t> positives, masked, row_columns;
  std::vector<double> weights, log_count, log_multiplicity, row_log_count;
  std::vector<float> thresholds;  // of SL@K
  size_t shared_columns = SIZE_MAX, frozen_begin = 0, frozen_end = 0;
  double draws = 0, temperature = 0.1;
  LossOutput<T> output;

  LossFixture(uint64_t seed, size_t batch, size_t columns, size_t dim, Correction correction, size_t most_positives = 1)
      : users(batch, dim), items(columns, dim), d_users(batch, dim), d_items(columns, dim) {
    options.correction = correction;
    Rng rng(seed, Stream::test);
    for (auto* m : {&users, &items})
      for (size_t i = 0; i < m->rows(); ++i) {
        double norm = 0;
        for (T& x : m->row(i)) {
          x = static_cast<T>(rng.normal());
          norm += x * x;
        }
        for (T& x : m->row(i)) x /= static_cast<T>(std::sqrt(norm));
      }
    for (size_t i = 0; i < batch; ++i) {
      const size_t wanted = 1 + rng.below(most_positives);
      std::vector<uint32_t> own;
      while (own.size() < std::min(wanted, columns)) {
        const auto p = static_cast<uint32_t>(rng.below(columns));
        if (std::ranges::find(own, p) == own.end()) {
          own.push_back(p);
          weights.push_back(0.2 + rng.uniform());
        }
      }
      positives.push(own);
      for (uint32_t j = 0; j < columns; ++j)
        if (rng.uniform() < 0.1 && std::ranges::find(own, j) == own.end()) masked.values.push_back(j);
      masked.close();
    }
    for (size_t j = 0; j < columns; ++j) log_count.push_back(std::log(0.01 + 0.9 * rng.uniform()));
    draws = static_cast<double>(columns);
  }

  // Adds row columns to each row except the second: some of the last `apart` columns, which are no longer shared (one
  // of them in every row, one named twice), and one shared column. Freezes vectors of shared and of other columns.
  void add_row_columns(size_t apart) {
    Rng rng(17, Stream::test);
    shared_columns = items.rows() - apart;
    frozen_begin = shared_columns - 5;
    frozen_end = shared_columns + 2;
    const auto last = static_cast<uint32_t>(items.rows() - 1);
    for (size_t i = 0; i < users.rows(); ++i) {
      const auto add = [&](uint64_t column) {
        const auto j = static_cast<uint32_t>(column);
        if (std::ranges::find(std::as_const(positives)[i], j) != std::as_const(positives)[i].end()) return;
        row_columns.values.push_back(j);
        row_log_count.push_back(std::log(0.1 + rng.uniform()));
      };
      if (i != 1) {
        for (int k = 0; k < 3; ++k) add(shared_columns + rng.below(apart));
        add(rng.below(shared_columns));
        add(last);
        add(row_columns.values.back());
      }
      row_columns.close();
    }
  }

  double cosine(size_t row, size_t column) const {
    double dot = 0;
    for (size_t d = 0; d < users.cols(); ++d) dot += double{users[row][d]} * double{items[column][d]};
    return dot;
  }
  // The columns that are negatives of a row, with the weights w_j of loss.h; the shared ones come first.
  std::vector<std::pair<size_t, double>> negatives(size_t row) const {
    const auto is = [](auto list, size_t j) { return std::ranges::find(list, j) != list.end(); };
    std::vector<std::pair<size_t, double>> found;
    for (size_t j = 0; j < items.rows() && j < shared_columns; ++j)
      if (!is(positives[row], j) && !is(masked[row], j))
        found.emplace_back(j, log_multiplicity.empty() ? 1 : std::exp(log_multiplicity[j]));
    if (row < row_columns.size())
      for (const uint32_t j : row_columns[row]) found.emplace_back(j, 1);
    return found;
  }

  LossInput<T> input() const {
    LossInput<T> input;
    input.users = users;
    input.items = items;
    input.positives = &positives;
    input.positive_weights = weights;
    input.masked = &masked;
    input.log_count = log_count;
    input.log_multiplicity = log_multiplicity;
    input.negatives_drawn = draws;
    input.temperature = temperature;
    input.thresholds = thresholds;
    input.shared_columns = shared_columns;
    input.frozen_begin = frozen_begin;
    input.frozen_end = frozen_end;
    if (row_columns.size() > 0) {
      input.row_columns = &row_columns;
      input.row_log_count = row_log_count;
    }
    return input;
  }
  void run(ThreadPool& pool) { run(pool, input()); }
  void run(ThreadPool& pool, const LossInput<T>& input) {
    output.d_users = d_users;
    output.d_items = d_items;
    make_loss<T>(options, precision)->run(pool, input, output);
  }
};

// Compares gradients with central differences of `reference`, the formula one pair at a time. Frozen rows of dV must
// stay unchanged.
template <class Reference>
void expect_slopes(LossFixture<double>& fixture, const Reference& reference) {
  ThreadPool pool(2);
  constexpr double kUntouched = 7;
  fixture.d_items.fill(kUntouched);
  fixture.run(pool);
  EXPECT_NEAR(fixture.output.value, reference(), 1e-12);
  const double step = 1e-5;
  const auto slope = [&](double& x) {
    const double old = x;
    x = old + step;
    const double high = reference();
    x = old - step;
    const double low = reference();
    x = old;
    return (high - low) / (2 * step);
  };
  for (size_t k = 0; k < fixture.users.size(); ++k)
    ASSERT_NEAR(fixture.d_users.values()[k], slope(fixture.users.values()[k]), 1e-6) << "dU " << k;
  for (size_t j = 0; j < fixture.items.rows(); ++j) {
    const bool frozen = j >= fixture.frozen_begin && j < fixture.frozen_end;
    for (size_t d = 0; d < fixture.items.cols(); ++d)
      ASSERT_NEAR(fixture.d_items[j][d], frozen ? kUntouched : slope(fixture.items[j][d]), 1e-6)
          << "dV " << j << ", " << d;
  }
  ASSERT_NEAR(fixture.output.d_log_temperature, slope(fixture.temperature) * fixture.temperature, 1e-6);
}

// expect_slopes() with columns that stand for several, with row columns, and with row columns alone. The fixture has
// two tiles of columns and nothing of these yet.
template <class Reference>
void expect_slopes_in_all_forms(LossFixture<double>& fixture, const Reference& reference) {
  fixture.log_multiplicity.assign(fixture.items.rows(), 0.0);
  for (size_t j = 0; j < fixture.items.rows(); ++j) fixture.log_multiplicity[j] = 0.01 * static_cast<double>(j);
  expect_slopes(fixture, reference);
  fixture.add_row_columns(7);
  expect_slopes(fixture, reference);
  fixture.shared_columns = 0;
  fixture.frozen_begin = fixture.frozen_end = 0;  // own columns alone; the second row has none
  expect_slopes(fixture, reference);
}

// The loss of one user, whose vector is the number 1, with items that are its cosines, one of them the positive.
template <class T>
struct OneRow {
  math::Matrix<T> d_users, d_items;
  LossOutput<T> output;

  OneRow(const LossOptions& options, std::initializer_list<T> cosines, uint32_t positive,
         std::span<const double> log_count = {})
      : d_users(1, 1), d_items(cosines.size(), 1) {
    math::Matrix<T> users(1, 1), items(cosines.size(), 1);
    users[0][0] = 1;
    std::ranges::copy(cosines, items.begin());
    const math::Ragged<uint32_t> positives{{0, 1}, {positive}};
    LossInput<T> input;
    input.users = users;
    input.items = items;
    input.positives = &positives;
    input.log_count = log_count;
    output.d_users = d_users;
    output.d_items = d_items;
    ThreadPool pool(1);
    make_loss<T>(options)->run(pool, input, output);
  }
};

}  // namespace pagoda::loss
