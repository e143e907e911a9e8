#include "core/lower_case.h"

#include <gtest/gtest.h>

namespace pagoda {
namespace {

TEST(LowerCase, ChangesAsciiLettersAlone) {
  EXPECT_EQ(lower_case("Latin-1 AZ az [@`{"), "latin-1 az az [@`{");
  EXPECT_EQ(lower_case("\xc3\x84\xff\x80"), "\xc3\x84\xff\x80");
  EXPECT_EQ(lower_case(""), "");
}

}  // namespace
}  // namespace pagoda
