// The environment variables of a program of ours, for its main() alone: nothing below reads the environment.
#pragma once

#include <cstdlib>

#include "math/matrix.h"
#include "math/simd_level.h"

namespace pagoda::math {

// PAGODA_KERNELS: the instructions that kernels use at most (simd_level.h). PAGODA_TABLES: a folder for tables that
// are larger than memory (matrix.h).
inline void take_environment() {
  if (const char* instructions = std::getenv("PAGODA_KERNELS")) limit_simd_level(instructions);
  if (const char* folder = std::getenv("PAGODA_TABLES")) set_table_folder(folder);
}

}  // namespace pagoda::math
