#include "core/error.h"

#include <gtest/gtest.h>

namespace pagoda {
namespace {

TEST(Error, EachKindHasItsExitCode) {
  EXPECT_EQ(exit_code(ErrorKind::failed), 1);
  EXPECT_EQ(exit_code(ErrorKind::usage), 2);
  EXPECT_EQ(exit_code(ErrorKind::input), 3);
  EXPECT_EQ(exit_code(ErrorKind::interrupted), 130);
}

TEST(Error, FailThrowsTheFormattedMessageWithItsKind) {
  try {
    fail(ErrorKind::input, "{}:{}: no '{}'", "clicks.csv", 7, "price");
    FAIL() << "fail returned";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_STREQ(error.what(), "clicks.csv:7: no 'price'");
  }
}

TEST(ErrorDeathTest, ABrokenInvariantAbortsNamingPlaceAndReason) {
  check(true, "holds");
  EXPECT_DEATH(check(false, "rows are sorted"), "error_test.cpp:[0-9]+.*broken invariant: rows are sorted");
}

}  // namespace
}  // namespace pagoda
