#include "math/tile_kernels.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "math/bf16.h"
#include "math/math_test.h"

namespace pagoda::math {
namespace {

// Around the widths of all vectors, and the heights of all groups of rows.
constexpr size_t kRows[] = {1, 3, 4, 6, 7, 12, 13, 29, 99}, kColumns[] = {1, 5, 8, 16, 31, 32, 33, 70, 100};
constexpr size_t kDims[] = {1, 3, 4, 8, 15, 16, 17, 32, 40, 64, 100};

size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

class TileKernelsTest : public testing::TestWithParam<SimdLevel> {
 protected:
  const TileKernels& k = tile_kernels(GetParam());
};

TEST_P(TileKernelsTest, ProductsAndPowersEqualTheDefinition) {
  for (const size_t rows : kRows)
    for (const size_t n : kColumns)
      for (const size_t dim : kDims) {
        const auto u = noise(rows, dim, dim + 3, 0), v = noise(n, dim, dim + 1, 1);
        const auto u_view = u.view().slice_cols(0, dim), v_view = v.view().slice_cols(0, dim);
        const size_t padded = round_up(n, k.panel);
        std::vector<float> panels(padded * dim), bias(padded, kMaskedBias), shift(rows);
        std::vector<double> sums(rows);
        for (size_t j = 0; j < n; ++j) bias[j] = 0.1f * static_cast<float>(j) - 2;
        for (size_t i = 0; i < rows; ++i) shift[i] = static_cast<float>(i % 30) - 3;
        k.pack(v_view, panels.data());
        Matrix<float> s(rows, padded + 5), e(rows, padded + 5);
        k.products(u_view, panels.data(), n, 0.3f, s);
        k.exp2_logits(u_view, panels.data(), n, 0.3f, bias.data(), shift.data(), v_view, e, sums.data());
        for (size_t i = 0; i < rows; ++i) {
          double sum = 0;
          for (size_t j = 0; j < n; ++j) {
            double exact = 0, size = 0;
            for (size_t d = 0; d < dim; ++d) {
              exact += double{u[i][d]} * double{v[j][d]};
              size += std::abs(double{u[i][d]} * double{v[j][d]});
            }
            ASSERT_NEAR(s[i][j], 0.3 * exact, 1e-6 * size);
            const double power = std::exp2(0.3f * exact + bias[j] - shift[i]);
            ASSERT_NEAR(e[i][j], power, power * 1e-6 * (4 + size));
            sum += e[i][j];
          }
          for (size_t j = n; j < padded; ++j) ASSERT_EQ(e[i][j], 0);
          ASSERT_NEAR(sums[i], sum, 1e-6 * sum);
        }
      }
}

float rounded(float x) { return from_bf16(to_bf16(x)); }
float first_of(uint32_t pair) { return from_bf16(static_cast<uint16_t>(pair)); }
float second_of(uint32_t pair) { return from_bf16(static_cast<uint16_t>(pair >> 16)); }

TEST_P(TileKernelsTest, PowersOfPairsEqualTheDefinitionAndLieBothWays) {
  for (const size_t rows : {2, 4, 6, 12, 14, 30})
    for (const size_t n : kColumns)
      for (const size_t dim : kDims) {
        const auto u = noise(rows, dim, dim + 3, 0), v = noise(n, dim, dim + 1, 1);
        const size_t padded = round_up(n, k.panel), pairs = (dim + 1) / 2;
        Matrix<uint32_t> u_pairs(rows, pairs);
        for (size_t i = 0; i < rows; ++i)
          for (size_t d = 0; d < pairs; ++d)
            u_pairs[i][d] = pair_bf16(0.3f * u[i][2 * d], 2 * d + 1 < dim ? 0.3f * u[i][2 * d + 1] : 0.0f);
        std::vector<uint32_t> panels(padded * pairs);
        std::vector<float> bias(padded, kMaskedBias), shift(rows);
        std::vector<double> sums(rows);
        for (size_t j = 0; j < n; ++j) bias[j] = 0.1f * static_cast<float>(j) - 2;
        for (size_t i = 0; i < rows; ++i) shift[i] = static_cast<float>(i) - 3;
        k.pack_pairs(v.view().slice_cols(0, dim), panels.data());
        Matrix<uint32_t> by_row(rows, padded / 2 + 3), by_column(rows / 2, padded + 5);
        k.exp2_logits_bf16(u_pairs, panels.data(), n, bias.data(), shift.data(), by_row, by_column, sums.data());
        for (size_t i = 0; i < rows; ++i) {
          double sum = 0;
          for (size_t j = 0; j < padded; ++j) {
            const float e = (j % 2 ? second_of : first_of)(by_row[i][j / 2]);
            ASSERT_EQ(e, (i % 2 ? second_of : first_of)(by_column[i / 2][j]));
            double exact = 0, size = 0;
            for (size_t d = 0; d < dim && j < n; ++d) {
              const double term = double{rounded(0.3f * u[i][d])} * double{rounded(v[j][d])};
              exact += term;
              size += std::abs(term);
            }
            const double power = j < n ? std::exp2(exact + bias[j] - shift[i]) : 0;
            ASSERT_NEAR(e, power, power * (0x1p-8 + 0x1p-12 + 1e-6 * size));
            sum += power;
          }
          ASSERT_NEAR(sums[i], sum, 0x1p-12 * sum);
        }
      }
}

TEST_P(TileKernelsTest, ProductsOfPairsEqualTheDefinition) {
  for (const size_t m : kRows)
    for (const size_t inner : kColumns)
      for (const size_t dim : kDims) {
        const auto random_pairs = [](size_t rows, size_t cols, size_t stride, uint64_t lane) {
          const auto values = noise(rows, 2 * cols, 2 * stride, lane);
          Matrix<uint32_t> pairs(rows, stride);
          for (size_t i = 0; i < rows; ++i)
            for (size_t j = 0; j < cols; ++j) pairs[i][j] = pair_bf16(values[i][2 * j], values[i][2 * j + 1]);
          return pairs;
        };
        const auto a = random_pairs(m, inner, inner + 2, 0), at = random_pairs(inner, m, m + 2, 1);
        const auto b = random_pairs(inner, dim, round_up(dim, k.lanes), 2);
        auto c = noise(m, dim, dim + 1, 3);
        const auto before = c;
        const auto b_view = b.view().slice_cols(0, dim);
        Matrix<float> fresh(m, dim);
        fresh.fill(std::numeric_limits<float>::quiet_NaN());
        k.product_pairs(a.view().slice_cols(0, inner), b_view, fresh);
        k.add_transposed_product_pairs(at.view().slice_cols(0, m), b_view, c.view().slice_cols(0, dim));
        const auto dot = [](uint32_t x, uint32_t y) {
          return double{first_of(x)} * double{first_of(y)} + double{second_of(x)} * double{second_of(y)};
        };
        for (size_t i = 0; i < m; ++i) {
          for (size_t d = 0; d < dim; ++d) {
            double exact = 0, of_transposed = before[i][d];
            for (size_t j = 0; j < inner; ++j) {
              exact += dot(a[i][j], b[j][d]);
              of_transposed += dot(at[j][i], b[j][d]);
            }
            ASSERT_NEAR(fresh[i][d], exact, 1e-5 * static_cast<double>(inner + 4));
            ASSERT_NEAR(c[i][d], of_transposed, 1e-5 * static_cast<double>(inner + 4));
          }
          ASSERT_TRUE(std::isnan(c[i][dim]));  // nothing beyond D is written
        }
      }
}

TEST(Bf16, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3f808000u)), 0x3f80);  // halfway: to the even one below
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3f818000u)), 0x3f82);  // halfway: to the even one above
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_EQ(to_bf16(-2.5f), 0xc020);
  EXPECT_EQ(from_bf16(0xc020), -2.5f);
  EXPECT_EQ(to_bf16(std::numeric_limits<float>::infinity()), 0x7f80);
}

TEST_P(TileKernelsTest, HitsAreTheScoresAboveTheBarOfTheirQuery) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const size_t n : kRows)
    for (const size_t queries : kColumns)
      for (const size_t dim : {1, 16, 37}) {
        const auto items = noise(n, dim, dim + 3, 0), asked = noise(queries, dim, dim + 1, 1);
        const size_t padded = round_up(queries, k.panel);
        std::vector<float> panels(padded * dim), bars(padded, kInfinity);
        k.pack(asked.view().slice_cols(0, dim), panels.data());
        Matrix<float> scores(queries, round_up(n, k.panel));
        std::vector<float> item_panels(round_up(n, k.panel) * dim);
        k.pack(items.view().slice_cols(0, dim), item_panels.data());
        k.products(asked.view().slice_cols(0, dim), item_panels.data(), n, 1, scores);
        for (size_t q = 0; q < queries; ++q)
          bars[q] = q % 5 == 0 ? -kInfinity : scores[q][q % n];  // its own is not above
        std::vector<ScoreHit> hits(n * padded);
        hits.resize(k.above(items.view().slice_cols(0, dim), panels.data(), queries, bars.data(), hits.data()));
        Matrix<float> found(queries, n);
        std::vector<uint32_t> next(queries, 0);
        for (const auto& hit : hits) {
          ASSERT_LT(hit.query, queries);
          ASSERT_GE(hit.item, next[hit.query]) << "items rise";
          next[hit.query] = hit.item + 1;
          ASSERT_EQ(hit.score, scores[hit.query][hit.item]);
          found[hit.query][hit.item] = 1;
        }
        for (size_t q = 0; q < queries; ++q)
          for (size_t i = 0; i < n; ++i) ASSERT_EQ(found[q][i] == 1, scores[q][i] > bars[q]);
      }
}

TEST_P(TileKernelsTest, PowersAreExactFromTheLeastToTheMostAndZeroBelow) {
  const float one = 1;
  const size_t n = k.panel;
  std::vector<float> panels(n), bias(n);
  Matrix<float> e(1, n);
  const float shift = 0;
  double sum = 0, worst = 0;
  const MatrixView<const float> u(&one, 1, 1);
  for (float x = -99.9f; x < 100; x += 0.37f) {
    for (size_t j = 0; j < n; ++j) bias[j] = x + 0.011f * static_cast<float>(j);
    k.exp2_logits(u, panels.data(), n, 1, bias.data(), &shift, {}, e, &sum);
    for (size_t j = 0; j < n; ++j) worst = std::max(worst, std::abs(e[0][j] / std::exp2(double{bias[j]}) - 1));
  }
  EXPECT_LT(worst, 0x1p-21);
  for (const float x : {-100.5f, -126.0f, -150.0f, -1000.0f, kMaskedBias, -std::numeric_limits<float>::max()}) {
    bias.assign(n, x);
    k.exp2_logits(u, panels.data(), n, 1, bias.data(), &shift, {}, e, &sum);
    for (size_t j = 0; j < n; ++j) EXPECT_EQ(e[0][j], 0) << x;
    EXPECT_EQ(sum, 0);
  }
}

TEST_P(TileKernelsTest, ProductsOfMatricesEqualTheDefinition) {
  for (const size_t m : kRows)
    for (const size_t inner : kColumns)
      for (const size_t dim : kDims) {
        const size_t stride = round_up(dim, k.lanes);
        const auto a = noise(m, inner, inner + 2, 0), at = noise(inner, m, m + 2, 1);
        auto b = noise(inner, dim, stride, 2), c = noise(m, dim, dim + 1, 3);
        const auto before = c;
        const auto b_view = b.view().slice_cols(0, dim);
        Matrix<float> fresh(m, dim);
        fresh.fill(std::numeric_limits<float>::quiet_NaN());
        k.product(a.view().slice_cols(0, inner), b_view, fresh);
        k.add_transposed_product(at.view().slice_cols(0, m), b_view, c.view().slice_cols(0, dim));
        for (size_t i = 0; i < m; ++i) {
          for (size_t d = 0; d < dim; ++d) {
            double exact = 0, of_transposed = before[i][d], size = 4;
            for (size_t j = 0; j < inner; ++j) {
              exact += double{a[i][j]} * double{b[j][d]};
              of_transposed += double{at[j][i]} * double{b[j][d]};
              size += std::abs(double{a[i][j]} * double{b[j][d]}) + std::abs(double{at[j][i]} * double{b[j][d]});
            }
            ASSERT_NEAR(fresh[i][d], exact, 1e-6 * size);
            ASSERT_NEAR(c[i][d], of_transposed, 1e-6 * size);
          }
          ASSERT_TRUE(std::isnan(c[i][dim]));  // nothing beyond D is written
        }
      }
}

// B ends where memory does: what is read beyond its last vector is a crash.
TEST_P(TileKernelsTest, ProductsOfMatricesReadNothingBeyondWholeVectors) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto* const pages =
      static_cast<char*>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(pages + page, page, PROT_NONE), 0);
  for (size_t dim = 1; dim <= 130; ++dim) {
    const size_t m = 7, inner = 3, stride = round_up(dim, k.lanes);
    void* const b = pages + page - inner * stride * sizeof(float);
    const auto of = [&](auto* data) { return MatrixView(data, inner, stride).slice_cols(0, dim); };
    const auto floats = of(static_cast<const float*>(b));
    const auto pairs = of(static_cast<const uint32_t*>(b));
    const Matrix<float> a(m, inner), at(inner, m);
    const Matrix<uint32_t> a_pairs(m, inner), at_pairs(inner, m);
    Matrix<float> c(m, dim);
    k.product(a, floats, c);
    k.add_transposed_product(at, floats, c);
    k.product_pairs(a_pairs, pairs, c);
    k.add_transposed_product_pairs(at_pairs, pairs, c);
    for (const float x : c) ASSERT_EQ(x, 0);
  }
  munmap(pages, 2 * page);
}

TEST_P(TileKernelsTest, SumsOfListsOfRowsEqualTheDefinition) {
  Rng rng(4, Stream::test);
  const std::vector<uint64_t> offsets{2, 2, 3, 53, 60};  // an empty list, one of a row, a long one
  const size_t lists = offsets.size() - 1, readable = 63;
  for (const size_t dim : kDims) {
    const auto table = noise(40, dim, dim + 2, 0);
    std::vector<uint32_t> rows(readable);
    std::vector<float> weights(readable);
    for (auto& row : rows) row = static_cast<uint32_t>(rng.below(40));
    for (auto& weight : weights) weight = static_cast<float>(rng.normal());
    Matrix<float> added(lists, dim + 1), fresh(lists, dim + 1);
    Matrix<float> of_bf16(lists, dim);
    added.fill(0.5f);
    fresh.fill(std::numeric_limits<float>::quiet_NaN());
    const auto values = table.view().slice_cols(0, dim);
    k.add_lists(values, offsets.data(), lists, rows.data(), weights.data(), readable, added.view().slice_cols(0, dim));
    k.sum_lists(values, offsets.data(), lists, rows.data(), weights.data(), readable, fresh.view().slice_cols(0, dim));
    Matrix<uint16_t> bf16_values(40, dim);
    for (size_t r = 0; r < 40; ++r) std::transform(values[r], values[r] + dim, bf16_values[r], to_bf16);
    k.sum_lists_of_bf16(bf16_values, offsets.data(), lists, rows.data(), weights.data(), readable, of_bf16);
    for (size_t i = 0; i < lists; ++i) {
      for (size_t d = 0; d < dim; ++d) {
        double exact = 0, size = 1, rounded_sum = 0;
        for (size_t n = offsets[i]; n < offsets[i + 1]; ++n) {
          rounded_sum += double{weights[n]} * double{rounded(table[rows[n]][d])};
          exact += double{weights[n]} * double{table[rows[n]][d]};
          size += std::abs(weights[n] * table[rows[n]][d]);
        }
        ASSERT_NEAR(added[i][d], 0.5 + exact, 1e-6 * size);
        ASSERT_NEAR(fresh[i][d], exact, 1e-6 * size);
        ASSERT_NEAR(of_bf16[i][d], rounded_sum, 1e-6 * size);
      }
      ASSERT_EQ(added[i][dim], 0.5f);  // nothing beyond D is written
      ASSERT_TRUE(std::isnan(fresh[i][dim]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Usable, TileKernelsTest, testing::ValuesIn(usable_simd_levels()));

}  // namespace
}  // namespace pagoda::math
