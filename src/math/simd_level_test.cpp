#include "math/simd_level.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"

namespace pagoda::math {
namespace {

using enum SimdLevel;

TEST(SimdLevel, AreThoseOfTheCpuUpToTheOneThatIsAskedFor) {
  EXPECT_EQ(usable_simd_levels("", {portable, avx2}, AmxState::none), (std::vector{portable, avx2}));
  EXPECT_EQ(usable_simd_levels("portable", {portable, avx2}, AmxState::none), std::vector{portable});
  EXPECT_EQ(usable_simd_levels("avx2", {portable, avx2, avx512}, AmxState::none), (std::vector{portable, avx2}));
  const auto message = [](const char* word, const std::vector<SimdLevel>& of_cpu,
                          AmxState amx = AmxState::none) -> std::string {
    try {
      usable_simd_levels(word, of_cpu, amx);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(message("avx512", {portable, avx2}),
            "PAGODA_KERNELS=avx512: this CPU does not have these instructions; the best it has is avx2");
  EXPECT_EQ(message("sse9", {portable}), "PAGODA_KERNELS=sse9: expected portable, avx2, avx512, avx512_bf16 or amx");
  EXPECT_EQ(message("amx", {portable, avx2}),
            "PAGODA_KERNELS=amx: this CPU does not have these instructions; the best it has is avx2");
  EXPECT_EQ(message("amx", {portable, avx2, avx512, avx512_bf16}, AmxState::refused),
            "PAGODA_KERNELS=amx: the kernel does not let this process use the tile registers of this CPU; the best it "
            "has is avx512_bf16");
}

TEST(SimdLevel, OfTilesNeedThePermissionOfTheKernel) {
  const char* environment = std::getenv("PAGODA_KERNELS");
  limit_simd_level("");
  EXPECT_EQ(usable_simd_levels().back() == amx, amx_state() == AmxState::allowed);
  EXPECT_TRUE(amx_state() != AmxState::allowed || bf16_is_fast());
  limit_simd_level(environment ? environment : "");
}

TEST(SimdLevel, OfBf16AreTakenWhereTheyAreFastOrAskedFor) {
  EXPECT_TRUE(use_bf16_loss("", true));
  EXPECT_FALSE(use_bf16_loss("", false));
  EXPECT_TRUE(use_bf16_loss("avx2", false));
  EXPECT_TRUE(use_bf16_loss("avx512_bf16", true));
}

TEST(SimdLevel, AreAtMostTheLimit) {
  const char* environment = std::getenv("PAGODA_KERNELS");
  const std::string before = environment ? environment : "";
  const auto all = usable_simd_levels();
  EXPECT_EQ(all.front(), portable);
  limit_simd_level("portable");
  EXPECT_EQ(usable_simd_levels(), std::vector{portable});
  limit_simd_level("mmx");
  EXPECT_THROW(usable_simd_levels(), Error);
  limit_simd_level("");
  EXPECT_GE(usable_simd_levels().size(), all.size());
  limit_simd_level(before);
}

}  // namespace
}  // namespace pagoda::math
