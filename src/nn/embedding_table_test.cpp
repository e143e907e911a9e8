#include "nn/embedding_table.h"

#include <gtest/gtest.h>

#include <map>

#include "core/rng.h"
#include "math/bf16.h"

namespace pagoda::nn {
namespace {

math::Bag random_bag(size_t examples, uint32_t rows, uint64_t lane) {
  Rng rng(1, Stream::test, 0, lane);
  math::Bag bag;
  for (size_t i = 0; i < examples; ++i) {
    for (size_t n = rng.below(6); n > 0; --n)
      bag.add(static_cast<uint32_t>(rng.below(rows)), static_cast<float>(rng.normal()));
    bag.close();
  }
  return bag;
}

math::Matrix<double> random_matrix(size_t rows, size_t cols, uint64_t lane) {
  Rng rng(2, Stream::test, 0, lane);
  math::Matrix<double> m(rows, cols);
  for (auto& v : m) v = rng.normal();
  return m;
}

TEST(EmbeddingTable, ForwardIsTheWeightedSumOfItsRows) {
  ThreadPool pool(1);
  EmbeddingTable<double> table("t", 3, 2);
  for (size_t r = 0; r < 3; ++r) {
    table.values()[r][0] = static_cast<double>(r + 1);
    table.values()[r][1] = 10. * static_cast<double>(r + 1);
  }
  math::Bag bag;
  bag.add(0, .5f);
  bag.add(2, 2.f);
  bag.add(0, 1.f);
  bag.close();
  bag.close();
  math::Matrix<double> out(2, 4);
  out.fill(7);
  table.forward(pool, bag, out.view().slice_cols(1, 3));
  const double expected[2][4] = {{7, 7.5, 75, 7}, {7, 0, 0, 7}};
  for (size_t i = 0; i < 2; ++i)
    for (size_t k = 0; k < 4; ++k) EXPECT_EQ(out[i][k], expected[i][k]);
}

TEST(EmbeddingTable, BackwardOfSeveralReadingsIsTheNaiveSum) {
  ThreadPool pool(2);
  for (uint32_t rows : {5u, 3000u, 5'000'000u}) {  // one, two and three digits of the sort
    EmbeddingTable<double> table("t", rows, 3);
    const math::Bag a = random_bag(500, rows, 1), b = random_bag(700, rows, 2);
    const auto wide = random_matrix(500, 5, 3), db = random_matrix(700, 3, 4);
    const auto da = wide.view().slice_cols(1, 4);
    RowGradients<double> gradients;
    gradients.rows = {9, 9, 9};  // of a step before
    const std::vector<EmbeddingTable<double>::Reading> readings{{&a, da}, {&b, db}};
    table.backward(pool, readings, gradients);
    std::map<uint32_t, std::array<double, 3>> naive;
    for (const auto& reading : readings)
      for (size_t i = 0; i < reading.bag->size(); ++i)
        for (size_t n = reading.bag->rows.offsets[i]; n < reading.bag->rows.offsets[i + 1]; ++n)
          for (size_t k = 0; k < 3; ++k)
            naive[reading.bag->rows.values[n]][k] += static_cast<double>(reading.bag->weights[n]) * reading.d_out[i][k];
    ASSERT_EQ(gradients.rows.size(), naive.size());
    double squares = 0;
    size_t at = 0;
    for (const auto& [row, sum] : naive) {
      ASSERT_EQ(gradients.rows[at], row);
      for (size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(gradients.values[at][k], sum[k], 1e-12);
        squares += sum[k] * sum[k];
      }
      ++at;
    }
    EXPECT_NEAR(gradients.squared_norm(), squares, 1e-9 * squares);
  }
}

TEST(EmbeddingTable, WithoutReadingsThereIsNoGradient) {
  ThreadPool pool(1);
  EmbeddingTable<float> table("t", 4, 2);
  RowGradients<float> gradients;
  table.backward(pool, {}, gradients);
  EXPECT_TRUE(gradients.rows.empty());
  EXPECT_EQ(gradients.squared_norm(), 0.0);
}

TEST(EmbeddingTable, BitsAreThoseOfOneThread) {
  EmbeddingTable<float> table("t", 1000, 16);
  ThreadPool one(1);
  table.initialise(one, 3, 0, .5);
  const math::Bag bag = random_bag(2000, 1000, 5);
  math::Matrix<float> d(2000, 16), out[2];
  Rng rng(4, Stream::test);
  for (auto& v : d) v = static_cast<float>(rng.normal());
  RowGradients<float> gradients[2];
  for (int threads : {1, 2}) {
    ThreadPool pool(threads);
    out[threads - 1].resize(2000, 16);
    table.forward(pool, bag, out[threads - 1]);
    const EmbeddingTable<float>::Reading reading{&bag, d};
    table.backward(pool, {&reading, 1}, gradients[threads - 1]);
  }
  EXPECT_TRUE(std::equal(out[0].begin(), out[0].end(), out[1].begin()));
  EXPECT_EQ(gradients[0].rows, gradients[1].rows);
  EXPECT_TRUE(std::equal(gradients[0].values.begin(), gradients[0].values.end(), gradients[1].values.begin()));
}

TEST(EmbeddingTable, InBf16ReadsItsRoundedRows) {
  ThreadPool pool(2);
  EmbeddingTable<float> table("t", 50, 33, math::Precision::bf16), exact("t", 50, 33);
  table.initialise(pool, 3, 0, .5);
  exact.initialise(pool, 3, 0, .5);
  EXPECT_EQ(table.rows(), 50u);
  EXPECT_EQ(table.dim(), 33u);
  for (float& v : exact.values()) v = math::from_bf16(math::to_bf16(v));
  const math::Bag bag = random_bag(700, 50, 5);
  math::Matrix<float> out(700, 33), expected(700, 33);
  table.forward(pool, bag, out);
  exact.forward(pool, bag, expected);
  EXPECT_TRUE(std::equal(out.begin(), out.end(), expected.begin()));
}

TEST(EmbeddingTable, StartsNormalAndARowDoesNotDependOnTheOthers) {
  EmbeddingTable<double> table("t", 2000, 8), shorter("t", 10, 8);
  ThreadPool pool(2);
  table.initialise(pool, 3, 1, .25);
  shorter.initialise(pool, 3, 1, .25);
  double sum = 0, squares = 0;
  for (double v : table.values()) {
    sum += v;
    squares += v * v;
  }
  EXPECT_NEAR(sum / 16000, 0, 4 * .25 / std::sqrt(16000));
  EXPECT_NEAR(squares / 16000, .0625, .0625 * 4 * std::sqrt(2.0 / 16000));
  EXPECT_TRUE(std::ranges::equal(table.values().row(9), shorter.values().row(9)));
}

TEST(EmbeddingTable, StartsWithTheSameBitsOnAnyNumberOfThreads) {
  constexpr uint32_t kRows = 20'000;
  EmbeddingTable<float> tables[2];
  for (int threads : {1, 2}) {
    ThreadPool pool(threads);
    tables[threads - 1] = EmbeddingTable<float>("t", kRows, 3);
    tables[threads - 1].initialise(pool, 7, 2, .5, kRows - 100);
  }
  EXPECT_TRUE(std::ranges::equal(tables[0].values(), tables[1].values()));
  for (const uint32_t row : {0u, 4096u, kRows - 101}) {  // each by its own number
    Rng rng(7, Stream::initialise, row, 2);
    for (const float value : tables[1].values().row(row))
      EXPECT_EQ(value, static_cast<float>(.5 * rng.normal())) << row;
  }
  for (const uint32_t row : {0u, 99u}) {  // the small ones by their number among themselves
    Rng rng(7, Stream::initialise, (uint64_t{1} << 40) + row, 2);
    for (const float value : tables[1].values().row(kRows - 100 + row))
      EXPECT_EQ(value, static_cast<float>(.5 * rng.normal()) / 64) << row;
  }
  EmbeddingTable<float> longer("t", kRows + 50, 3);
  ThreadPool pool(1);
  longer.initialise(pool, 7, 2, .5, kRows - 50);
  for (uint32_t row = kRows - 100; row < kRows; ++row)
    EXPECT_TRUE(std::ranges::equal(longer.values().row(row + 50), tables[0].values().row(row))) << row;
}

}  // namespace
}  // namespace pagoda::nn
