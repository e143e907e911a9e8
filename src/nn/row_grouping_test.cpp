#include "nn/row_grouping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "core/rng.h"

namespace pagoda::nn {
namespace {

math::Bag random_bag(size_t examples, size_t most, uint32_t rows, uint64_t lane) {
  Rng rng(1, Stream::test, 0, lane);
  math::Bag bag;
  for (size_t i = 0; i < examples; ++i) {
    for (size_t n = rng.below(most); n > 0; --n)
      bag.add(static_cast<uint32_t>(rng.below(rows)), static_cast<float>(rng.normal()));
    bag.close();
  }
  return bag;
}

using Use = std::tuple<uint32_t, uint32_t, uint32_t, float>;  // row, reading, example, weight

std::vector<Use> naive(std::span<const math::Bag* const> bags) {
  std::vector<Use> uses;
  for (uint32_t r = 0; r < bags.size(); ++r)
    for (uint32_t i = 0; i < bags[r]->size(); ++i)
      for (size_t n = bags[r]->rows.offsets[i]; n < bags[r]->rows.offsets[i + 1]; ++n)
        uses.emplace_back(bags[r]->rows.values[n], r, i, bags[r]->weights[n]);
  std::ranges::stable_sort(uses, {}, [](const Use& use) { return std::get<0>(use); });
  return uses;
}

std::vector<Use> listed(const RowGrouping& uses) {
  std::vector<Use> list;
  for (size_t r = 0; r < uses.rows.size(); ++r)
    for (size_t n = uses.first[r]; n < uses.first[r + 1]; ++n)
      list.emplace_back(uses.rows[r], uses.readings[n], uses.examples[n], uses.weights[n]);
  return list;
}

TEST(RowGrouping, AreAStableSortByRow) {
  // Few rows and many uses (counters), rows far more than uses (sorting), one piece and many.
  for (const uint32_t rows : {1u, 5u, 300u, 70'000u, 400'000'000u})
    for (const size_t examples : {size_t{3}, size_t{20'000}}) {
      const math::Bag a = random_bag(examples, 6, rows, 1), b = random_bag(examples / 2, 3, rows, 2);
      const std::vector<const math::Bag*> bags{&a, &b};
      for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        RowGrouping uses;
        uses.group(pool, bags);
        EXPECT_EQ(std::ranges::adjacent_find(uses.rows), uses.rows.end());
        EXPECT_EQ(listed(uses), naive(bags)) << rows << " rows, " << examples << " examples";
      }
    }
}

TEST(RowGrouping, ForgetTheStepBefore) {
  ThreadPool pool(2);
  const math::Bag large = random_bag(20'000, 6, 1000, 1), small = random_bag(4, 6, 10, 2);
  const math::Bag *first = &large, *second = &small;
  RowGrouping uses;
  uses.group(pool, {&first, 1});
  uses.group(pool, {&second, 1});
  EXPECT_EQ(listed(uses), naive({&second, 1}));
  uses.group(pool, {});
  EXPECT_TRUE(uses.rows.empty());
}

TEST(RowGrouping, AnExampleLargerThanAPieceIsOnePiece) {
  ThreadPool pool(2);
  math::Bag bag;
  Rng rng(3, Stream::test);
  for (int i = 0; i < 3; ++i) {
    for (int n = 0; n < 40'000; ++n) bag.add(static_cast<uint32_t>(rng.below(50)), 1);
    bag.close();
  }
  const math::Bag* only = &bag;
  RowGrouping uses;
  uses.group(pool, {&only, 1});
  EXPECT_EQ(listed(uses), naive({&only, 1}));
}

}  // namespace
}  // namespace pagoda::nn
