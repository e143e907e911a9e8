#include "math/instructions.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"

namespace pagoda {
namespace {

using enum Instructions;

TEST(Instructions, AreThoseOfTheCpuUpToTheOneThatIsAskedFor) {
  EXPECT_EQ(usable_instructions("", {portable, avx2}), (std::vector{portable, avx2}));
  EXPECT_EQ(usable_instructions("portable", {portable, avx2}), std::vector{portable});
  EXPECT_EQ(usable_instructions("avx2", {portable, avx2, avx512}), (std::vector{portable, avx2}));
  const auto message = [](const char* word, const std::vector<Instructions>& of_cpu) -> std::string {
    try {
      usable_instructions(word, of_cpu);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(message("avx512", {portable, avx2}),
            "PAGODA_KERNELS=avx512: this CPU does not have these instructions; the best it has is avx2");
  EXPECT_EQ(message("sse9", {portable}), "PAGODA_KERNELS=sse9: expected portable, avx2, avx512 or avx512_bf16");
}

TEST(Instructions, OfBf16AreTakenWhereTheyAreFastOrAskedFor) {
  EXPECT_TRUE(use_bf16_loss("", true));
  EXPECT_FALSE(use_bf16_loss("", false));
  EXPECT_TRUE(use_bf16_loss("avx2", false));
  EXPECT_TRUE(use_bf16_loss("avx512_bf16", true));
}

TEST(Instructions, AreAtMostTheLimit) {
  const char* environment = std::getenv("PAGODA_KERNELS");
  const std::string before = environment ? environment : "";
  const auto all = usable_instructions();
  EXPECT_EQ(all.front(), portable);
  limit_instructions("portable");
  EXPECT_EQ(usable_instructions(), std::vector{portable});
  limit_instructions("mmx");
  EXPECT_THROW(usable_instructions(), Error);
  limit_instructions("");
  EXPECT_GE(usable_instructions().size(), all.size());
  limit_instructions(before);
}

}  // namespace
}  // namespace pagoda
