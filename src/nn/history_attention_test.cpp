#include "nn/history_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <thread>

#include "nn/nn_test.h"

namespace pagoda::nn {
namespace {

constexpr size_t kDim = 4, kHeads = 2, kLongest = 5;
constexpr uint32_t kRows = 7;

// Empty, one item, a repeated item, the longest.
math::Bag histories() {
  math::Bag bag;
  for (const auto& rows : std::vector<std::vector<uint32_t>>{{}, {3}, {2, 5, 2}, {0, 1, 2, 3, 6}}) {
    for (auto row : rows) bag.add(row, 99.f);  // weights are not read
    bag.close();
  }
  return bag;
}

template <class T>
struct Model {
  EmbeddingTable<T> table{"items", kRows, kDim};
  HistoryAttention<T> attention{kDim, kHeads, kLongest};
  explicit Model(bool random) {
    table.values() = random_matrix<T>(kRows, kDim, 1);
    attention.initialise(3, 4, 0.5);
    uint64_t lane = 10;
    if (random)
      HistoryAttention<T>::for_each_parameter(attention, [&](const char*, math::Matrix<T>& matrix, auto) {
        matrix = random_matrix<T>(matrix.rows(), matrix.cols(), lane++);
      });
  }
  std::map<std::string, math::Matrix<T>*> parameters() {
    std::map<std::string, math::Matrix<T>*> all;
    HistoryAttention<T>::for_each_parameter(
        attention, [&](const char* name, math::Matrix<T>& matrix, auto) { all[name] = &matrix; });
    return all;
  }
};

// The formula, term by term.
std::vector<double> naive(Model<double>& model, std::span<const uint32_t> rows) {
  std::vector<double> y(kDim, 0.0);
  if (rows.empty()) return y;
  const auto p = model.parameters();
  const auto e = [&](size_t j, size_t k) { return model.table.values()[rows[j]][k]; };
  for (size_t h = 0; h < kHeads; ++h) {
    std::vector<double> score(rows.size());
    double sum = 0;
    for (size_t j = 0; j < rows.size(); ++j) {
      for (size_t k = 0; k < kDim; ++k) {
        double q = (*p.at("constants"))[0][h * kDim + k];
        for (size_t l = 0; l < kDim; ++l) q += e(0, l) * (*p.at("queries"))[l][h * kDim + k];
        score[j] += q * e(j, k) / std::sqrt(static_cast<double>(kDim));
      }
      score[j] = std::exp(score[j] + (*p.at("ages"))[h][j]);
      sum += score[j];
    }
    for (size_t j = 0; j < rows.size(); ++j)
      for (size_t k = 0; k < kDim; ++k)
        for (size_t l = 0; l < kDim; ++l) y[l] += score[j] / sum * e(j, k) * (*p.at("values"))[h * kDim + k][l];
  }
  for (size_t k = 0; k < kDim; ++k)
    for (size_t l = 0; l < kDim; ++l) y[l] += e(0, k) * (*p.at("latest"))[k][l];
  return y;
}

TEST(HistoryAttention, IsTheFormula) {
  ThreadPool pool(2);
  Model<double> model(true);
  const auto bag = histories();
  HistoryAttention<double>::Pass pass;
  math::Matrix<double> y(bag.size(), kDim);
  y.fill(99);
  model.attention.forward(pool, model.table, bag, pass, y);
  for (size_t i = 0; i < bag.size(); ++i) {
    const auto expected = naive(model, bag.rows[i]);
    for (size_t k = 0; k < kDim; ++k) EXPECT_NEAR(y[i][k], expected[k], 1e-12) << i;
  }
}

TEST(HistoryAttention, BeginsAtTheWeightedMean) {
  ThreadPool pool(1);
  Model<double> model(false);
  model.parameters().at("queries")->fill(0);
  const auto bag = histories();
  HistoryAttention<double>::Pass pass;
  math::Matrix<double> y(bag.size(), kDim);
  model.attention.forward(pool, model.table, bag, pass, y);
  for (size_t i = 0; i < bag.size(); ++i)
    for (size_t k = 0; k < kDim; ++k) {
      double sum = 0, weights = 0;
      for (size_t j = 0; j < bag.rows[i].size(); ++j) {
        const double weight = std::pow(1.0 + static_cast<double>(j), -0.5);
        sum += weight * model.table.values()[bag.rows[i][j]][k];
        weights += weight;
      }
      EXPECT_NEAR(y[i][k], weights > 0 ? sum / weights : 0, 1e-12);
    }
}

TEST(HistoryAttention, EveryGradientIsThatOfFiniteDifferences) {
  ThreadPool pool(2);
  Model<double> model(true);
  const auto bag = histories();
  const auto c = random_matrix<double>(bag.size(), kDim, 2);
  HistoryAttention<double>::Pass pass;
  math::Matrix<double> y(bag.size(), kDim);
  const auto f = [&] {
    model.attention.forward(pool, model.table, bag, pass, y);
    double sum = 0;
    for (size_t n = 0; n < y.size(); ++n) sum += y.data()[n] * c.data()[n];
    return sum;
  };
  f();
  HistoryAttention<double>::Gradients gradients;
  const auto readings = model.attention.backward(pool, model.table, bag, pass, c, gradients);
  RowGradients<double> d_table;
  model.table.backward(pool, readings, d_table);
  const auto expect = [&](double& x, double gradient, double tolerance, const std::string& what) {
    constexpr double kStep = 1e-6;
    const double before = x;
    x = before + kStep;
    const double above = f();
    x = before - kStep;
    const double below = f();
    x = before;
    const double expected = (above - below) / (2 * kStep);
    EXPECT_NEAR(gradient, expected, tolerance * (1 + std::abs(expected))) << what;
  };
  double squares = 0;
  HistoryAttention<double>::for_each_parameter(model.attention,
                                               [&](const char* name, math::Matrix<double>& matrix, auto of) {
                                                 const auto& gradient = gradients.*of;
                                                 ASSERT_EQ(gradient.size(), matrix.size()) << name;
                                                 for (size_t n = 0; n < matrix.size(); ++n) {
                                                   expect(matrix.data()[n], gradient.data()[n], 1e-7, name);
                                                   squares += gradient.data()[n] * gradient.data()[n];
                                                 }
                                               });
  EXPECT_NEAR(gradients.squared_norm(), squares, 1e-12 * squares);
  // A bag's weights are floats.
  std::map<uint32_t, size_t> place;
  for (size_t r = 0; r < d_table.rows.size(); ++r) place[d_table.rows[r]] = r;
  for (uint32_t row = 0; row < kRows; ++row)
    for (size_t k = 0; k < kDim; ++k)
      expect(model.table.values()[row][k], place.contains(row) ? d_table.values[place[row]][k] : 0.0, 1e-5, "table");
}

TEST(HistoryAttention, TheBitsDoNotDependOnTheThreads) {
  Model<float> model(true);
  Rng rng(1, Stream::test);
  math::Bag bag;
  for (int i = 0; i < 2000; ++i) {
    for (uint64_t j = rng.below(kLongest + 1); j > 0; --j) bag.add(static_cast<uint32_t>(rng.below(kRows)), 1.f);
    bag.close();
  }
  const auto c = random_matrix<float>(bag.size(), kDim, 2);
  std::vector<std::vector<float>> outcomes;
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    HistoryAttention<float>::Pass pass;
    HistoryAttention<float>::Gradients gradients;
    math::Matrix<float> y(bag.size(), kDim);
    model.attention.forward(pool, model.table, bag, pass, y);
    const auto readings = model.attention.backward(pool, model.table, bag, pass, c, gradients);
    RowGradients<float> d_table;
    model.table.backward(pool, readings, d_table);
    auto& all = outcomes.emplace_back(y.begin(), y.end());
    for (const auto* m : {&gradients.queries, &gradients.constants, &gradients.ages, &gradients.values,
                          &gradients.latest, &d_table.values})
      all.insert(all.end(), m->begin(), m->end());
  }
  EXPECT_EQ(outcomes[0], outcomes[1]);
}

}  // namespace
}  // namespace pagoda::nn
