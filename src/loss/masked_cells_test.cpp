#include "loss/masked_cells.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace pagoda::loss {
namespace {

TEST(MaskedCells, AreThoseOfEachStepOfRowsAndColumns) {
  // Rows 0 to 39 in two groups; row r masks every column that 3 + r divides, of 100.
  constexpr size_t kRows = 40, kColumns = 100;
  std::vector<std::vector<uint32_t>> masked(kRows);
  std::vector<size_t> before{0};
  for (size_t r = 0; r < kRows; ++r) {
    for (uint32_t j = 0; j < kColumns && r != 7; ++j)
      if (j % (3 + r) == 0) masked[r].push_back(j);
    before.push_back(before.back() + masked[r].size());
  }
  MaskedCells cells;
  cells.resize(200, 3000, 5000);  // a larger block leaves no trace
  for (size_t g = 0; g < 7; ++g)
    cells.take_group(g, g < 6 ? 32 : 8, 100 * g, [&](size_t) { return std::vector<uint32_t>{2999}; });
  cells.resize(kRows, kColumns, before.back());
  for (const size_t g : {1, 0})
    cells.take_group(g, g == 0 ? 32 : 8, before[32 * g], [&](size_t r) { return masked[32 * g + r]; });
  std::set<std::pair<size_t, size_t>> found, expected;
  for (size_t g = 0; g < 2; ++g)
    for (size_t b = 0; b < 4; ++b)
      for (uint32_t k = cells.at()[g * cells.stride() + b]; k < cells.at()[g * cells.stride() + b + 1]; ++k)
        EXPECT_TRUE(found.insert({32 * g + cells.cells()[k] / 32, 32 * b + cells.cells()[k] % 32}).second);
  for (size_t r = 0; r < kRows; ++r)
    for (const uint32_t j : masked[r]) expected.insert({r, j});
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace pagoda::loss
