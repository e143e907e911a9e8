// Indexes over rows that are stored as f16: the same answers, bit for bit, as over the floats that these are.
#include <gtest/gtest.h>

#include <numeric>

#include "index/block_scores.h"
#include "index/cascade.h"
#include "index/index_test.h"
#include "index/partitioned_index.h"

namespace pagoda::index {
namespace {

class StoredRows : public testing::TestWithParam<size_t> {
 protected:
  StoredRows() {
    const auto exact = clustered_matrix(6000, GetParam(), 1);
    halves_.resize(exact.rows(), exact.cols());
    std::transform(exact.begin(), exact.end(), halves_.begin(), math::to_f16);
    floats_.resize(exact.rows(), exact.cols());
    for (size_t r = 0; r < exact.rows(); ++r) f16().read(r, floats_[r]);
  }
  math::RowsView f16() const { return math::RowsView(math::MatrixView<const uint16_t>(halves_)); }

  math::Matrix<uint16_t> halves_;
  math::Matrix<float> floats_;
  math::Matrix<float> queries_ = clustered_matrix(9, GetParam(), 2);
  ThreadPool pool_{2};
};
INSTANTIATE_TEST_SUITE_P(Dims, StoredRows, testing::Values(5, 24, 64));

TEST_P(StoredRows, ScoresAndTheExactIndexAreTheSame) {
  std::vector<uint32_t> rows(101);
  for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = i * 37 % 6000;
  std::vector<float> a(rows.size()), b(rows.size());
  score_rows(f16(), rows, queries_.row(0), a.data());
  score_rows(floats_, rows, queries_.row(0), b.data());
  EXPECT_EQ(a, b);
  math::ItemSet some(6000);
  for (uint32_t i = 0; i < 6000; i += 7) some.add(i);
  for (const math::ItemSet* allowed :
       {static_cast<const math::ItemSet*>(nullptr), static_cast<const math::ItemSet*>(&some)})
    expect_same(make_exact_index(f16())->search(pool_, queries_, {.k = 50, .allowed = allowed}),
                make_exact_index(floats_)->search(pool_, queries_, {.k = 50, .allowed = allowed}));
}

TEST_P(StoredRows, ThePartitionedIndexIsTheSame) {
  const auto of_halves = build_partitions(pool_, f16(), {.lists = 40, .k = 100}, queries_);
  const auto of_floats = build_partitions(pool_, floats_, {.lists = 40, .k = 100}, queries_);
  EXPECT_TRUE(std::ranges::equal(of_halves.codes, of_floats.codes));
  EXPECT_EQ(of_halves.curve.recalls, of_floats.curve.recalls);
  for (const double recall : {0.9, 1.0})
    expect_same(make_partitioned_index(of_halves, f16())->search(pool_, queries_, {.k = 100, .recall = recall}),
                make_partitioned_index(of_floats, floats_)->search(pool_, queries_, {.k = 100, .recall = recall}));
}

TEST_P(StoredRows, ASecondModelOfACascadeIsTheSame) {
  const auto first = make_exact_index(floats_);
  std::vector<uint32_t> row(6000);
  std::iota(row.begin(), row.end(), 0u);
  math::Matrix<float> both(queries_.rows(), 2 * GetParam());
  for (size_t q = 0; q < both.rows(); ++q)
    for (size_t d = 0; d < both.cols(); ++d) both[q][d] = queries_[q][d % GetParam()] * (d < GetParam() ? 1.f : -1.f);
  expect_same(make_cascade_index(*first, f16(), row, 200)->search(pool_, both, {.k = 60}),
              make_cascade_index(*first, floats_, row, 200)->search(pool_, both, {.k = 60}));
}

}  // namespace
}  // namespace pagoda::index
