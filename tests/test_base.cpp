#include <gtest/gtest.h>

#include "math/environment.h"

int main(int argc, char** argv) {
  pagoda::math::take_environment();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
