#include "nn/history_transformer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "nn/nn_test.h"

namespace pagoda::nn {
namespace {

constexpr size_t kDim = 6, kHeads = 2, kLongest = 5, kBlocks = 2;
constexpr uint32_t kRows = 7;
constexpr double kShare = 0.3;

using Lists = std::vector<std::vector<uint32_t>>;

// Weights are not read.
math::Bag bag_of(const Lists& lists) {
  math::Bag bag;
  for (const auto& rows : lists) {
    for (auto row : rows) bag.add(row, 99.f);
    bag.close();
  }
  return bag;
}

// The latest first: empty, one item, a repeated item, the longest.
const Lists kApart{{}, {3}, {2, 5, 2}, {0, 1, 2, 3, 6}};
// Two sequences, one asked at three places and twice at one of them; an empty history before each.
const Lists kSuccessive{{}, {2}, {5, 2}, {5, 2}, {1, 0, 5, 2}, {}, {4, 3, 6}, {1, 4, 3, 6}};

template <class T>
struct Stack {
  EmbeddingTable<T> table{"items", kRows, kDim};
  HistoryTransformer<T> transformer{{.dim = kDim, .blocks = kBlocks, .heads = kHeads, .longest = kLongest}};
  explicit Stack(bool random) {
    table.values() = random_matrix<T>(kRows, kDim, 1);
    transformer.initialise(3, 4, 0.5);
    uint64_t lane = 10;
    if (random)
      HistoryTransformer<T>::for_each_parameter(transformer,
                                                [&](const std::string&, math::Matrix<T>& matrix, const auto&) {
                                                  matrix = random_matrix<T>(matrix.rows(), matrix.cols(), lane++);
                                                  for (T& v : matrix)
                                                    v *= T{0.4};  // the reference takes exp of scores as they are
                                                });
  }
  math::Matrix<T> vectors(ThreadPool& pool, const math::Bag& bag, bool successive,
                          typename HistoryTransformer<T>::Pass& pass, double share = 0) const {
    math::Matrix<T> y(bag.size(), kDim);
    y.fill(99);
    transformer.forward(pool, table, bag, successive, {.share = share, .seed = 5, .step = 6, .substream = 1}, pass, y);
    return y;
  }
};

using Row = std::vector<double>;
using Rows = std::vector<Row>;

// The formula, term by term.
struct Naive {
  std::map<std::string, math::Matrix<double>*> p;
  explicit Naive(Stack<double>& stack) {
    HistoryTransformer<double>::for_each_parameter(
        stack.transformer,
        [&](const std::string& name, math::Matrix<double>& matrix, const auto&) { p[name] = &matrix; });
  }
  static Row times(const Row& x, const math::Matrix<double>& w) {
    Row y(w.cols(), 0.0);
    for (size_t c = 0; c < w.cols(); ++c)
      for (size_t k = 0; k < x.size(); ++k) y[c] += x[k] * w[k][c];
    return y;
  }
  static Row plus(Row x, const Row& y) {
    for (size_t k = 0; k < x.size(); ++k) x[k] += y[k];
    return x;
  }
  static Row normed(const Row& x, const math::Matrix<double>& gain) {
    double squares = 0;
    for (double v : x) squares += v * v;
    Row y;
    for (size_t k = 0; k < x.size(); ++k)
      y.push_back(gain[0][k] * x[k] / std::sqrt(squares / static_cast<double>(x.size()) + 1e-6));
    return y;
  }
  Row attention(const std::string& name, const Rows& x, size_t at) const {
    constexpr size_t kWidth = kDim / kHeads;
    const auto q = times(x[at], *p.at(name + "queries"));
    Row mixed(kDim, 0.0);
    for (size_t h = 0; h < kHeads; ++h) {
      double sum = 0;
      Row part(kWidth, 0.0);
      for (size_t j = 0; j <= at; ++j) {
        const auto kv = times(x[j], *p.at(name + "keys_values"));
        double score = (*p.at(name + "ages"))[h][kLongest - 1 - (at - j)];
        for (size_t k = 0; k < kWidth; ++k) score += q[h * kWidth + k] * kv[h * kWidth + k] / std::sqrt(double{kWidth});
        sum += std::exp(score);
        for (size_t k = 0; k < kWidth; ++k) part[k] += std::exp(score) * kv[kDim + h * kWidth + k];
      }
      for (size_t k = 0; k < kWidth; ++k) mixed[h * kWidth + k] = part[k] / sum;
    }
    return times(mixed, *p.at(name + "output"));
  }
  Row vector(const math::Matrix<double>& table, const std::vector<uint32_t>& latest_first) const {
    if (latest_first.empty()) return Row(kDim, 0.0);
    Rows x;
    for (size_t j = latest_first.size(); j-- > 0;) {
      const auto row = table.row(latest_first[j]);
      x.emplace_back(row.begin(), row.end());
    }
    for (size_t b = 1; b <= kBlocks; ++b) {
      const auto name = "block" + std::to_string(b) + ".";
      Rows normed_x, next;
      for (const auto& row : x) normed_x.push_back(normed(row, *p.at(name + "gain")));
      for (size_t i = 0; i < x.size(); ++i) {
        const auto between = plus(x[i], attention(name, normed_x, i));
        auto inner = times(normed(between, *p.at(name + "gain_between")), *p.at(name + "inner"));
        for (size_t k = 0; k < inner.size(); ++k)
          inner[k] = std::max(inner[k] + (*p.at(name + "inner_bias"))[0][k], 0.0);
        auto added = times(inner, *p.at(name + "outer"));
        for (size_t k = 0; k < added.size(); ++k) added[k] += (*p.at(name + "outer_bias"))[0][k];
        next.push_back(plus(between, added));
      }
      x = next;
    }
    return plus(attention("", x, x.size() - 1), times(x.back(), *p.at("latest")));
  }
};

TEST(HistoryTransformer, IsTheFormula) {
  ThreadPool pool(2);
  Stack<double> stack(true);
  const Naive naive(stack);
  for (const auto& [lists, successive] :
       {std::pair(kApart, false), std::pair(kApart, true), std::pair(kSuccessive, false), std::pair(kSuccessive, true)})
    for (const bool for_backward : {false, true}) {
      HistoryTransformer<double>::Pass pass{.for_backward = for_backward};
      const auto y = stack.vectors(pool, bag_of(lists), successive, pass);
      for (size_t i = 0; i < lists.size(); ++i) {
        const auto expected = naive.vector(stack.table.values(), lists[i]);
        for (size_t k = 0; k < kDim; ++k) EXPECT_NEAR(y[i][k], expected[k], 1e-11) << i;
      }
    }
}

TEST(HistoryTransformer, SuccessiveHistoriesShareTheirPositions) {
  ThreadPool pool(1);
  Stack<double> stack(true);
  HistoryTransformer<double>::Pass pass;
  stack.vectors(pool, bag_of(kSuccessive), true, pass);
  EXPECT_EQ(pass.every.begins, (std::vector<uint32_t>{0, 4, 8}));
  EXPECT_EQ(pass.asked.asked, (std::vector<uint32_t>{0, 1, 1, 3, 2, 3}));
  stack.vectors(pool, bag_of(kSuccessive), false, pass);
  EXPECT_EQ(pass.every.positions(), 1u + 2 + 2 + 4 + 3 + 4);
}

TEST(HistoryTransformer, BeginsAtTheWeightedMean) {
  ThreadPool pool(1);
  Stack<double> stack(false);
  Naive(stack).p.at("queries")->fill(0);
  HistoryTransformer<double>::Pass pass;
  const auto y = stack.vectors(pool, bag_of(kApart), false, pass);
  for (size_t i = 0; i < kApart.size(); ++i)
    for (size_t k = 0; k < kDim; ++k) {
      double sum = 0, weights = 0;
      for (size_t j = 0; j < kApart[i].size(); ++j) {
        const double weight = std::pow(1.0 + static_cast<double>(j), -0.5);
        sum += weight * stack.table.values()[kApart[i][j]][k];
        weights += weight;
      }
      EXPECT_NEAR(y[i][k], weights > 0 ? sum / weights : 0, 1e-12);
    }
}

TEST(HistoryTransformer, EveryGradientIsThatOfFiniteDifferences) {
  ThreadPool pool(2);
  for (const auto& [lists, successive, share] :
       {std::tuple(kApart, false, 0.0), std::tuple(kSuccessive, true, 0.0), std::tuple(kSuccessive, true, kShare)}) {
    SCOPED_TRACE(testing::Message() << "successive " << successive << ", dropout " << share);
    Stack<double> stack(true);
    const auto bag = bag_of(lists);
    const auto c = random_matrix<double>(bag.size(), kDim, 2);
    HistoryTransformer<double>::Pass pass;
    const auto f = [&] {
      const auto y = stack.vectors(pool, bag, successive, pass, share);
      double sum = 0;
      for (size_t n = 0; n < y.size(); ++n) sum += y.data()[n] * c.data()[n];
      return sum;
    };
    f();
    HistoryTransformer<double>::Gradients gradients;
    const auto reading = stack.transformer.backward(pool, pass, c, gradients);
    RowGradients<double> d_table;
    stack.table.backward(pool, std::span(&reading, 1), d_table);
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
    HistoryTransformer<double>::for_each_parameter(
        stack.transformer, [&](const std::string& name, math::Matrix<double>& matrix, const auto& gradient_of) {
          const auto& gradient = gradient_of(gradients);
          ASSERT_EQ(gradient.size(), matrix.size()) << name;
          for (size_t n = 0; n < matrix.size(); ++n) {
            expect(matrix.data()[n], gradient.data()[n], 1e-6, name);
            squares += gradient.data()[n] * gradient.data()[n];
          }
        });
    EXPECT_NEAR(gradients.squared_norm(), squares, 1e-12 * squares);
    std::map<uint32_t, size_t> place;
    for (size_t r = 0; r < d_table.rows.size(); ++r) place[d_table.rows[r]] = r;
    for (uint32_t row = 0; row < kRows; ++row)
      for (size_t k = 0; k < kDim; ++k)
        expect(stack.table.values()[row][k], place.contains(row) ? d_table.values[place[row]][k] : 0.0, 1e-6, "table");
  }
}

// Random lists of up to kLongest items; as many again that go on from those before.
Lists many_lists(size_t n) {
  Rng rng(1, Stream::test);
  Lists lists;
  for (size_t i = 0; i < n; ++i) {
    std::vector<uint32_t> list(rng.below(kLongest));
    for (auto& row : list) row = static_cast<uint32_t>(rng.below(kRows));
    lists.push_back(list);
    list.insert(list.begin(), static_cast<uint32_t>(rng.below(kRows)));
    lists.push_back(list);
  }
  return lists;
}

TEST(HistoryTransformer, TheBitsDoNotDependOnTheThreads) {
  Stack<float> stack(true);
  const auto bag = bag_of(many_lists(1000));
  const auto c = random_matrix<float>(bag.size(), kDim, 2);
  std::vector<std::vector<float>> outcomes;
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    HistoryTransformer<float>::Pass pass;
    HistoryTransformer<float>::Gradients gradients;
    const auto y = stack.vectors(pool, bag, true, pass, kShare);
    const auto reading = stack.transformer.backward(pool, pass, c, gradients);
    RowGradients<float> d_table;
    stack.table.backward(pool, std::span(&reading, 1), d_table);
    auto& all = outcomes.emplace_back(y.begin(), y.end());
    all.insert(all.end(), d_table.values.begin(), d_table.values.end());
    HistoryTransformer<float>::for_each_parameter(
        stack.transformer, [&](const std::string&, math::Matrix<float>&, const auto& gradient_of) {
          const auto& gradient = gradient_of(gradients);
          all.insert(all.end(), gradient.begin(), gradient.end());
        });
  }
  EXPECT_EQ(outcomes[0], outcomes[1]);
}

TEST(HistoryTransformer, WithoutABackwardAHistoryHasTheSameBitsInAnyBatch) {
  ThreadPool pool(2);
  Stack<float> stack(true);
  const auto lists = many_lists(100);
  HistoryTransformer<float>::Pass pass{.for_backward = false};
  const auto together = stack.vectors(pool, bag_of(lists), false, pass);
  for (size_t i = 0; i < lists.size(); ++i) {
    const auto alone = stack.vectors(pool, bag_of({lists[i]}), false, pass);
    ASSERT_TRUE(std::equal(alone[0], alone[0] + kDim, together[i])) << i;
  }
}

}  // namespace
}  // namespace pagoda::nn
