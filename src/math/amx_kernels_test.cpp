#include "math/amx_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.h"
#include "math/bf16.h"
#include "math/math_test.h"
#include "math/tile_kernels.h"

namespace pagoda::math {
namespace {

constexpr size_t kRows[] = {1, 31, 33, 170}, kColumns[] = {1, 17, 65, 300}, kDims[] = {1, 16, 31, 32, 40, 64, 100};

size_t round_up(size_t n) { return (n + kAmxStep - 1) / kAmxStep * kAmxStep; }
float rounded(float x) { return from_bf16(to_bf16(x)); }

// A block of rows of U and columns of V, some logits masked, and what the kernels make of it.
struct Scene {
  const AmxKernels& k = *amx_kernels();
  size_t rows, n, dim, padded_rows, padded_n, padded_dim;
  float scale = 0.3f;
  Matrix<float> u, v, rounded_u, rounded_v;  // the users by their scale
  std::vector<float> bias, shift, factors;
  std::vector<uint32_t> masked_at{0};
  std::vector<uint16_t> masked;
  std::vector<bool> is_masked;
  Matrix<uint16_t> users, columns, by_dim, factored;
  std::vector<double> sums;
  Matrix<float> d_users, d_columns;

  Scene(size_t the_rows, size_t the_n, size_t the_dim, bool masks)
      : rows(the_rows), n(the_n), dim(the_dim), padded_rows(round_up(rows)), padded_n(round_up(n)),
        padded_dim(round_up(dim)), u(noise(rows, dim, dim + 3, 0)), v(noise(n, dim, dim + 1, 1)), rounded_u(u),
        rounded_v(v), bias(padded_n, kMaskedBias), shift(padded_rows, 1e30f), factors(rows),
        is_masked(padded_rows * padded_n), users(padded_rows, padded_dim), columns(padded_n, padded_dim),
        by_dim(padded_n, padded_dim), factored(padded_rows, padded_dim), sums(padded_rows),
        d_users(padded_rows, padded_dim), d_columns(padded_n, padded_dim) {
    for (float& x : rounded_u.values()) x = rounded(scale * x);
    for (float& x : rounded_v.values()) x = rounded(x);
    Rng rng(5, Stream::test, rows, n);
    for (size_t j = 0; j < n; ++j) bias[j] = 0.1f * static_cast<float>(j % 40) - 2;
    for (size_t i = 0; i < rows; ++i) shift[i] = static_cast<float>(i % 30) - 3;
    for (size_t i = 0; i < rows; ++i) factors[i] = 0.1f + static_cast<float>(rng.uniform());
    for (size_t i = 0; i < padded_rows; i += 32)
      for (size_t j = 0; j < padded_n; j += 32) {
        for (size_t cell = 0; cell < 1024 && masks; cell += 1 + rng.below(60)) {
          masked.push_back(static_cast<uint16_t>(cell));
          is_masked[(i + cell / 32) * padded_n + j + cell % 32] = true;
        }
        masked_at.push_back(static_cast<uint32_t>(masked.size()));
      }
    d_users.fill(std::numeric_limits<float>::quiet_NaN());
    d_columns.fill(0.5f);
    k.pack_columns(v.view().slice_cols(0, dim), columns.data(), by_dim.data());
    k.pack_users(u.view().slice_cols(0, dim), scale, users.data());
    k.pack_factored_users(u.view().slice_cols(0, dim), factors.data(), factored.data());
  }
  AmxBlock block() const {
    return {.users = users.data(),
            .columns = columns.data(),
            .rows = padded_rows,
            .n = padded_n,
            .dim = padded_dim,
            .shift = shift.data(),
            .bias = bias.data(),
            .masked_at = masked_at.data(),
            .masked_stride = padded_n / 32,
            .masked = masked.data()};
  }
  void run(size_t constant_begin, size_t constant_end) {
    k.exp2_sums(block(), sums.data());
    k.exp2_products(block(), by_dim.data(), factored.data(), constant_begin, constant_end, d_users.data(),
                    d_columns.data());
  }
  double power(size_t i, size_t j) const {
    if (is_masked[i * padded_n + j]) return 0;
    double x = bias[j] - shift[i];
    for (size_t d = 0; d < dim; ++d) x += double{rounded_u[i][d]} * double{rounded_v[j][d]};
    return x < -100 ? 0 : std::exp2(x);
  }
  float d_column(size_t j, size_t d) const {
    return d_columns.data()[(j / 16 * (padded_dim / 16) + d / 16) * kAmxTileFloats + j % 16 * 16 + d % 16];
  }
};

class AmxKernelsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!best_amx_kernels()) GTEST_SKIP() << "this CPU has no tile registers, or the system does not allow them";
  }
};

TEST_F(AmxKernelsTest, SumsAndProductsEqualTheDefinition) {
  for (const size_t rows : kRows)
    for (const size_t n : kColumns)
      for (const size_t dim : kDims) {
        Scene scene(rows, n, dim, (rows + n + dim) % 2);
        scene.run(0, 0);
        Matrix<double> e(rows, n);
        for (size_t i = 0; i < rows; ++i) {
          double sum = 0;
          for (size_t j = 0; j < n; ++j) sum += e[i][j] = scene.power(i, j);
          ASSERT_NEAR(scene.sums[i], sum, 0x1p-11 * sum) << rows << ' ' << n << ' ' << dim;
        }
        // Each of its powers is rounded by up to 2^-9, and so is each factored number.
        for (size_t i = 0; i < rows; ++i)
          for (size_t d = 0; d < dim; ++d) {
            double exact = 0, size = 0;
            for (size_t j = 0; j < n; ++j) {
              exact += e[i][j] * double{scene.rounded_v[j][d]};
              size += std::abs(e[i][j] * double{scene.v[j][d]});
            }
            ASSERT_NEAR(scene.d_users[i][d], exact, 0x1p-8 * size) << rows << ' ' << n << ' ' << dim;
          }
        for (size_t j = 0; j < n; ++j)
          for (size_t d = 0; d < dim; ++d) {
            double exact = 0.5, size = 1;
            for (size_t i = 0; i < rows; ++i) {
              const double term = e[i][j] * double{rounded(scene.factors[i] * scene.u[i][d])};
              exact += term;
              size += std::abs(term);
            }
            ASSERT_NEAR(scene.d_column(j, d), exact, 0x1p-8 * size) << rows << ' ' << n << ' ' << dim;
          }
      }
}

TEST_F(AmxKernelsTest, OfRowsColumnsAndNumbersThatFillUpNothingIsLeft) {
  Scene scene(40, 70, 40, true);
  scene.run(0, 0);
  for (size_t i = 0; i < scene.padded_rows; ++i)
    for (size_t d = 0; d < scene.padded_dim; ++d)
      if (i >= 40 || d >= 40) {
        ASSERT_EQ(scene.d_users[i][d], 0);
      }
  for (size_t i = 40; i < scene.padded_rows; ++i) ASSERT_EQ(scene.sums[i], 0);
  for (size_t j = 0; j < scene.padded_n; ++j)
    for (size_t d = 0; d < scene.padded_dim; ++d)
      if (j >= 70 || d >= 40) {
        ASSERT_EQ(scene.d_column(j, d), 0.5f);
      }
}

TEST_F(AmxKernelsTest, WholeStepsOfConstantColumnsAreLeftOut) {
  Scene all(64, 300, 64, true), some(64, 300, 64, true), none(64, 300, 64, true);
  all.run(0, 0);
  some.run(70, 200);
  none.run(0, 1000);
  for (size_t j = 0; j < 300; ++j)
    for (size_t d = 0; d < 64; ++d) {
      if (j < 70 || j >= 200) {
        ASSERT_EQ(some.d_column(j, d), all.d_column(j, d));
      }
      if (j >= 96 && j < 192) {
        ASSERT_EQ(some.d_column(j, d), 0.5f);
      }
      ASSERT_EQ(none.d_column(j, d), 0.5f);
    }
  EXPECT_TRUE(std::ranges::equal(some.d_users.values(), all.d_users.values()));
  EXPECT_TRUE(std::ranges::equal(none.d_users.values(), all.d_users.values()));
}

TEST_F(AmxKernelsTest, PowersAreRightFromTheLeastToTheMostAndZeroBelow) {
  Scene scene(1, 32, 1, false);
  scene.users.fill(0);
  scene.shift[0] = 0;
  for (float x = -99.9f; x < 100; x += 0.37f) {
    double sum = 0;
    for (size_t j = 0; j < 32; ++j) {
      scene.bias[j] = x + 0.011f * static_cast<float>(j);
      sum += std::exp2(double{scene.bias[j]});
    }
    scene.k.exp2_sums(scene.block(), scene.sums.data());
    ASSERT_NEAR(scene.sums[0], sum, 0x1p-12 * sum) << x;
  }
  for (const float x : {-100.5f, -126.0f, -150.0f, -1000.0f, kMaskedBias, -std::numeric_limits<float>::max()}) {
    scene.bias.assign(32, x);
    scene.k.exp2_sums(scene.block(), scene.sums.data());
    ASSERT_EQ(scene.sums[0], 0) << x;
  }
}

}  // namespace
}  // namespace pagoda::math
