#include "math/simd_dispatch.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.h"

namespace pagoda::math {
namespace {

using enum SimdLevel;

PAGODA_INLINE uint32_t mixed_loop(const uint32_t* x, size_t n) {
  uint32_t mixed = 0;
  for (size_t i = 0; i < n; ++i) mixed += (x[i] ^ (x[i] >> 15)) * 0x85ebca6bu;
  return mixed;
}

// x^2 - y: where multiply-adds are fused, which takes -O2, x^2 is not rounded before.
PAGODA_INLINE void squares_less_loop(const float* x, const float* y, float* out, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = x[i] * x[i] - y[i];
}

PAGODA_INLINE void add_to_loop(uint64_t& sum, uint64_t x) { sum += x; }

class Limited {
 public:
  explicit Limited(std::string_view name) { limit_simd_level(std::string(name)); }
  ~Limited() { limit_simd_level(environment_ ? environment_ : ""); }

 private:
  const char* environment_ = std::getenv("PAGODA_KERNELS");
};

TEST(SimdDispatch, EveryLevelRunsTheSameLoop) {
  std::vector<uint32_t> x(1003);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint32_t>(i * i * 2654435761u);
  uint32_t expected = 0;
  for (const uint32_t v : x) expected += (v ^ (v >> 15)) * 0x85ebca6bu;
  for (const auto level : usable_simd_levels())
    EXPECT_EQ(SimdCall<mixed_loop>::run(level, x.data(), x.size()), expected) << name_of(level);
  EXPECT_EQ(simd_call<mixed_loop>(x.data(), x.size()), expected);
}

TEST(SimdDispatch, EveryLevelIsCompiledForItsInstructions) {
  const std::vector<float> x(37, 1 + 0x1p-12f), y(37, 1 + 0x1p-11f);  // x^2 = y + 2^-24
  for (const auto level : usable_simd_levels()) {
    if (level == portable) continue;  // fused or not, as the CPU that the program is for has it
    std::vector<float> rest(x.size());
    SimdCall<squares_less_loop>::run(level, x.data(), y.data(), rest.data(), rest.size());
    for (const float r : rest) EXPECT_EQ(r, 0x1p-24f) << name_of(level);
  }
}

TEST(SimdDispatch, ArgumentsMayBeReferences) {
  uint64_t sum = 1;
  simd_call<add_to_loop>(sum, uint64_t{41});
  EXPECT_EQ(sum, 42u);
}

TEST(SimdDispatch, FollowsTheLimit) {
  const PerSimdLevel<int> names{1, 2, 3, 4, 5};
  for (const auto level : usable_simd_levels()) {
    const Limited scope(name_of(level));
    EXPECT_EQ(best_simd_level(), level);
    EXPECT_EQ(names.best(), static_cast<int>(level) + 1);
  }
  const Limited scope("mmx");
  uint64_t sum = 0;
  EXPECT_THROW(best_simd_level(), Error);
  EXPECT_THROW(simd_call<add_to_loop>(sum, uint64_t{1}), Error);
}

TEST(SimdDispatch, WhatALevelLacksTheOneBelowHas) {
  const PerSimdLevel<int> all{1, 2, 3, 4, 5}, some{1, 2}, one{1};
  EXPECT_EQ(all.at(portable), 1);
  EXPECT_EQ(all.at(avx2), 2);
  EXPECT_EQ(all.at(avx512), 3);
  EXPECT_EQ(all.at(avx512_bf16), 4);
  EXPECT_EQ(all.at(amx), 5);
  EXPECT_EQ(some.at(amx), 2);
  EXPECT_EQ(some.at(avx512_bf16), 2);
  EXPECT_EQ(some.at(portable), 1);
  EXPECT_EQ(one.at(avx512), 1);
}

}  // namespace
}  // namespace pagoda::math
