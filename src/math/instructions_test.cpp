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
  EXPECT_TRUE(takes_bf16("", true));
  EXPECT_FALSE(takes_bf16("", false));
  EXPECT_TRUE(takes_bf16("avx2", false));
  EXPECT_TRUE(takes_bf16("avx512_bf16", true));
}

TEST(Instructions, AreAtMostWhatTheEnvironmentNames) {
  const auto all = usable_instructions();
  EXPECT_EQ(all.front(), portable);
  ::setenv("PAGODA_KERNELS", "portable", 1);
  EXPECT_EQ(usable_instructions(), std::vector{portable});
  ::setenv("PAGODA_KERNELS", "mmx", 1);
  EXPECT_THROW(usable_instructions(), Error);
  ::unsetenv("PAGODA_KERNELS");
  EXPECT_EQ(usable_instructions(), all);
}

}  // namespace
}  // namespace pagoda
