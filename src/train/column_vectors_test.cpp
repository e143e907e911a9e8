#include "train/column_vectors.h"

#include <gtest/gtest.h>

namespace pagoda::train {
namespace {

TEST(ColumnVectors, RunTheTowerOncePerItemAndMomentAndAddItsGradientsUp) {
  ThreadPool pool(2);
  sampling::Columns columns;
  columns.items = {7, 3, 7, 9, 7};
  columns.memory_begin = 3;
  columns.memory_end = 4;
  const std::vector<int64_t> moments{1, 1, 1, 1, 2};
  ColumnVectors vectors;
  vectors.arrange(columns, moments);
  EXPECT_EQ(std::vector(vectors.items().begin(), vectors.items().end()), (std::vector<uint32_t>{3, 7, 7}));
  EXPECT_EQ(std::vector(vectors.timestamps_us().begin(), vectors.timestamps_us().end()),
            (std::vector<int64_t>{1, 1, 2}));

  sampling::CrossBatchMemory memory(1, 1);
  math::Matrix<float> old(1, 1), tower(3, 1), v, d_columns(5, 1), d_tower;
  old[0][0] = 90;
  memory.push(std::vector<uint32_t>{9}, std::vector<double>{0}, old);
  for (size_t row = 0; row < 3; ++row) tower[row][0] = static_cast<float>(row + 1);
  vectors.gather(pool, tower, &memory, v);
  EXPECT_EQ(std::vector(v.begin(), v.end()), (std::vector<float>{2, 1, 2, 90, 3}));

  for (size_t j = 0; j < 5; ++j) d_columns[j][0] = static_cast<float>(1 << j);
  vectors.scatter(pool, d_columns, {}, d_tower);
  EXPECT_EQ(std::vector(d_tower.begin(), d_tower.end()), (std::vector<float>{2, 1 + 4, 16}));
  vectors.scatter(pool, d_columns, std::vector<float>{1, 1, 10, 1, 100}, d_tower);
  EXPECT_EQ(std::vector(d_tower.begin(), d_tower.end()), (std::vector<float>{2, 1 + 40, 1600}));
}

TEST(ColumnVectors, WithoutMomentsAnItemIsOneRow) {
  sampling::Columns columns;
  columns.items = {1, 0, 1};
  ColumnVectors vectors;
  vectors.arrange(columns, {});
  EXPECT_EQ(vectors.items().size(), 2u);
  EXPECT_TRUE(vectors.timestamps_us().empty());
}

}  // namespace
}  // namespace pagoda::train
