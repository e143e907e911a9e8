#include "index/code_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::index {
namespace {

// Random codes in blocks, and the same as plain rows.
struct Codes {
  Codes(size_t rows, size_t dim, uint64_t seed) : rows(rows), groups(code_groups(dim)) {
    Rng rng(seed, Stream::test);
    plain.assign(rows * groups * 4, 0);
    blocks.assign(blocks_of(rows) * block_bytes(groups) + 4096, 255);  // what pads the last block must not matter
    for (size_t row = 0; row < rows; ++row) {
      for (size_t d = 0; d < dim; ++d)
        plain[row * groups * 4 + d] = static_cast<int8_t>(static_cast<int>(rng.below(255)) - 127);
      pack_codes(&plain[row * groups * 4], groups, row, blocks.data());
    }
  }
  const int8_t* row(size_t r) const { return &plain[r * groups * 4]; }
  int32_t product(size_t r, const int8_t* query) const {
    int32_t sum = 0;
    for (size_t d = 0; d < groups * 4; ++d) sum += row(r)[d] * query[d];
    return sum;
  }
  size_t rows, groups;
  std::vector<int8_t> plain;
  std::vector<uint8_t> blocks;
};

class EachInstructionSet : public testing::TestWithParam<math::SimdLevel> {
 protected:
  const CodeKernels& kernels() const { return code_kernels(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(CodeKernels, EachInstructionSet, testing::ValuesIn(math::usable_simd_levels()),
                         [](const auto& info) { return std::string(math::name_of(info.param)); });

TEST_P(EachInstructionSet, ProductsAreThoseOfThePlainRows) {
  for (const size_t dim : {1, 3, 4, 17, 32, 64, 100, 128, 1024})
    for (const size_t rows : {1, 15, 16, 17, 100}) {
      const Codes items(rows, dim, dim), queries(1, dim, 99);
      std::vector<int32_t> products(blocks_of(rows) * kBlockRows);
      kernels().products(items.blocks.data(), rows, items.groups, queries.row(0),
                         code_start(queries.row(0), items.groups), products.data());
      for (size_t r = 0; r < rows; ++r) ASSERT_EQ(products[r], items.product(r, queries.row(0))) << dim << " " << r;
    }
}

TEST_P(EachInstructionSet, TheLargestCodesDoNotOverflow) {
  constexpr size_t kGroups = 256;
  std::vector<int8_t> most(4 * kGroups, 127), least(4 * kGroups, -127);
  std::vector<uint8_t> block(block_bytes(kGroups));
  for (size_t lane = 0; lane < kBlockRows; ++lane)
    pack_codes(lane % 2 ? most.data() : least.data(), kGroups, lane, block.data());
  int32_t products[kBlockRows];
  kernels().products(block.data(), kBlockRows, kGroups, most.data(), code_start(most.data(), kGroups), products);
  EXPECT_EQ(products[0], -127 * 127 * 1024);
  EXPECT_EQ(products[1], 127 * 127 * 1024);
}

TEST_P(EachInstructionSet, SelectFindsWhatIsAboveTheThresholdAndLetIn) {
  Rng rng(3, Stream::test);
  for (const size_t dim : {4, 18, 64})
    for (const size_t rows : {1, 16, 31, 500})
      for (const size_t n_queries : {1, 2, 4, 5, 9})
        for (const bool masked : {false, true}) {
          const Codes items(rows, dim, rows + dim), queries(n_queries, dim, 7);
          std::vector<uint16_t> masks(blocks_of(rows));
          for (auto& m : masks) m = static_cast<uint16_t>(rng.below(4) == 0 ? 0 : rng());
          std::vector<std::vector<float>> scores(n_queries, std::vector<float>(rows + 2 * kBlockRows));
          std::vector<std::vector<uint32_t>> positions(n_queries, std::vector<uint32_t>(rows + 2 * kBlockRows));
          std::vector<CodeScan> scans;
          for (size_t q = 0; q < n_queries; ++q)
            scans.push_back({queries.row(q), code_start(queries.row(q), items.groups),
                             q == 1 ? INT32_MIN : static_cast<int32_t>(rng.below(40000)) - 20000,
                             0.5f + static_cast<float>(q), scores[q].data(), positions[q].data(), q % 2});
          const auto before = scans;
          kernels().select(items.blocks.data(), rows, items.groups, masked ? masks.data() : nullptr, 1000, scans.data(),
                           n_queries);
          for (size_t q = 0; q < n_queries; ++q) {
            std::vector<uint32_t> expected;
            for (uint32_t r = 0; r < rows; ++r)
              if (items.product(r, queries.row(q)) > before[q].threshold && (!masked || masks[r / 16] >> (r % 16) & 1))
                expected.push_back(r);
            ASSERT_EQ(scans[q].found, before[q].found + expected.size());
            for (size_t i = 0; i < expected.size(); ++i) {
              ASSERT_EQ(positions[q][before[q].found + i], 1000 + expected[i]);
              ASSERT_EQ(scores[q][before[q].found + i],
                        static_cast<float>(items.product(expected[i], queries.row(q))) * before[q].scale);
            }
          }
        }
}

TEST_P(EachInstructionSet, NearestIsTheFirstOfTheLargestProducts) {
  for (const size_t dim : {1, 30, 64})
    for (const size_t rows : {1, 5, 16, 200})
      for (const size_t n : {1, 3, 8, 21}) {
        const Codes items(rows, dim, rows), queries(n, dim, 5);  // of one component many products are equal
        std::vector<uint32_t> best(n);
        std::vector<int32_t> values(n);
        Rng rng(rows, Stream::test);
        std::vector<int32_t> biases(blocks_of(rows) * kBlockRows);
        for (auto& b : biases) b = static_cast<int32_t>(rng.below(3)) * 1000;
        const auto score = [&](uint32_t r, size_t q) {  // the code start of a query is the same for all rows
          return items.product(r, queries.row(q)) + biases[r];
        };
        kernels().nearest(items.blocks.data(), biases.data(), rows, items.groups, queries.plain.data(), n, best.data(),
                          values.data());
        for (size_t q = 0; q < n; ++q) {
          uint32_t expected = 0;
          for (uint32_t r = 1; r < rows; ++r)
            if (score(r, q) > score(expected, q)) expected = r;
          ASSERT_EQ(best[q], expected);
          ASSERT_EQ(values[q], score(expected, q) - code_start(queries.row(q), items.groups));
        }
      }
}

TEST_P(EachInstructionSet, KeepAboveKeepsTheOrder) {
  Rng rng(4, Stream::test);
  for (const size_t n : {0, 1, 15, 16, 17, 1000}) {
    std::vector<float> scores(n);
    std::vector<uint32_t> positions(n);
    std::vector<std::pair<float, uint32_t>> expected, kept;
    for (uint32_t i = 0; i < n; ++i) {
      scores[i] = static_cast<float>(rng.below(5));
      positions[i] = i;
      if (scores[i] > 2.0f) expected.emplace_back(scores[i], i);
    }
    const size_t found = kernels().keep_above(scores.data(), positions.data(), n, 2.0f);
    for (size_t i = 0; i < found; ++i) kept.emplace_back(scores[i], positions[i]);
    ASSERT_EQ(kept, expected);
  }
}

TEST_P(EachInstructionSet, MasksSayWhichRowsAreInTheSet) {
  Rng rng(5, Stream::test);
  std::vector<uint64_t> set(20);
  for (auto& word : set) word = rng();
  for (const size_t n : {1, 16, 40, 333}) {
    std::vector<uint32_t> rows(n);
    for (auto& row : rows) row = static_cast<uint32_t>(rng.below(20 * 64));
    std::vector<uint16_t> masks(blocks_of(n));
    kernels().masks(set.data(), rows.data(), n, masks.data());
    for (size_t i = 0; i < blocks_of(n) * kBlockRows; ++i)
      ASSERT_EQ(masks[i / 16] >> (i % 16) & 1, i < n && (set[rows[i] / 64] >> (rows[i] % 64) & 1));
  }
}

TEST(CodeKernels, EncodeRoundsAndHoldsWithinTheCodes) {
  const float values[] = {0.0f, 0.26f, -0.26f, 0.24f, 100.0f, -100.0f};
  int8_t codes[8];
  quantize(values, 2.0f, codes);
  EXPECT_EQ(std::vector<int>(codes, codes + 8), (std::vector<int>{0, 1, -1, 0, 127, -127, 0, 0}));
}

}  // namespace
}  // namespace pagoda::index
