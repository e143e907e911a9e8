#include "index/layered_index.h"

#include "index/index_test.h"
#include "index/partitioned_index.h"

namespace pagoda::index {
namespace {

// 3,000 items, of which some are hidden, and 200 added; the same as one exact index in which the hidden are filtered
// out.
class Layers : public testing::Test {
 protected:
  static constexpr size_t kBelow = 3000, kAdded = 200, kAll = kBelow + kAdded;

  Layers() : all_(clustered_matrix(kAll, 16, 1)), queries_(clustered_matrix(20, 16, 2)), shown_(kBelow, true) {
    Rng rng(3, Stream::test);
    for (int i = 0; i < 300; ++i) shown_.remove(static_cast<uint32_t>(rng.below(kBelow)));
    std::copy_n(all_[7], 16, all_[kBelow + 5]);  // a tie across the layers
    shown_.add(7);
    exact_ = make_exact_index(all_);
    below_ = make_exact_index(below_vectors());
    above_ = make_exact_index(added());
    layered_ = make_layered_index(*below_, shown_, *above_);
    visible_ = math::ItemSet(kAll, true);
    for (uint32_t i = 0; i < kBelow; ++i)
      if (!shown_.has(i)) visible_.remove(i);
  }
  math::MatrixView<const float> below_vectors() const { return all_.view().slice_rows(0, kBelow); }
  math::MatrixView<const float> added() const { return all_.view().slice_rows(kBelow, kAll); }

  // The layered answer is the exact one.
  void expect_exact(const Index& layered, SearchOptions options) {
    const auto found = layered.search(pool_, queries_, options);
    math::ItemSet allowed = visible_;
    if (options.allowed) allowed &= *options.allowed;
    options.allowed = &allowed;
    expect_same(found, exact_->search(pool_, queries_, options));
  }

  ThreadPool pool_{2};
  math::Matrix<float> all_, queries_;
  math::ItemSet shown_, visible_;
  std::unique_ptr<Index> exact_, below_, above_, layered_;
};

TEST_F(Layers, AnswerAsOneExactIndexUnderFiltersExclusionsAndQuotas) {
  math::ItemSet third(kAll);
  for (uint32_t i = 0; i < kAll; i += 3) third.add(i);
  math::Ragged<uint32_t> excluded;
  Rng rng(4, Stream::test);
  for (size_t q = 0; q < queries_.rows(); ++q) {
    for (int i = 0; i < 400; ++i) excluded.values.push_back(static_cast<uint32_t>(rng.below(kAll)));
    excluded.close();
  }
  std::vector<uint32_t> group_of(kAll);
  for (auto& group : group_of) group = static_cast<uint32_t>(rng.below(20));
  const Quota quota{std::span(group_of).first(kBelow), 3, std::span(group_of).subspan(kBelow)}, whole{group_of, 3};
  for (const size_t k : {1, 10, 500, 5000})
    for (const auto* allowed : {static_cast<const math::ItemSet*>(nullptr), static_cast<const math::ItemSet*>(&third)})
      for (const auto* out : {static_cast<const math::Ragged<uint32_t>*>(nullptr),
                              static_cast<const math::Ragged<uint32_t>*>(&excluded)}) {
        SCOPED_TRACE(fmt::format("k {}, filter {}, exclusions {}", k, allowed != nullptr, out != nullptr));
        expect_exact(*layered_, {.k = k, .allowed = allowed, .excluded = out});
        expect_exact(*layered_, {.k = k, .allowed = allowed, .excluded = out, .min_score = 0.4f});
      }
  const auto found = layered_->search(pool_, queries_, {.k = 40, .quota = &quota});
  expect_same(found, exact_->search(pool_, queries_, {.k = 40, .allowed = &visible_, .quota = &whole}));
}

TEST_F(Layers, APartitionedIndexBelowKeepsItsListsFull) {
  const auto partitioned = make_partitioned_index(build_partitions(pool_, below_vectors(), {}, {}), below_vectors());
  const auto layered = make_layered_index(*partitioned, shown_, *above_);
  expect_exact(*layered, {.k = 50, .recall = 1});
  const auto found = layered->search(pool_, queries_, {.k = 50});
  const auto exact = exact_->search(pool_, queries_, {.k = 50, .allowed = &visible_});
  EXPECT_EQ(found.items.offsets, exact.items.offsets);
  EXPECT_GT(recall_of(found, exact), 0.9);
}

TEST_F(Layers, EitherMayBeEmpty) {
  const math::ItemSet none(kBelow), all(kBelow, true);
  const auto only_added = make_layered_index(*below_, none, *above_);
  const auto found = only_added->search(pool_, queries_, {.k = 10});
  for (const uint32_t item : found.items.values) EXPECT_GE(item, kBelow);
  const auto nothing = make_exact_index(all_.view().slice_rows(kAll, kAll));
  const auto nothing_added = make_layered_index(*below_, all, *nothing);
  expect_same(nothing_added->search(pool_, queries_, {.k = 10}), below_->search(pool_, queries_, {.k = 10}));
}

TEST_F(Layers, MayLieOverEachOther) {
  const size_t middle = kBelow + 80;
  const auto merged = make_exact_index(all_.view().slice_rows(kBelow, middle));
  const auto fresh = make_exact_index(all_.view().slice_rows(middle, kAll));
  const auto lower = make_layered_index(*below_, shown_, *merged);
  math::ItemSet shown(middle, true);
  for (const uint32_t row : {3u, 7u, 2999u, 3000u, 3005u, 3079u}) {
    shown.remove(row);
    visible_.remove(row);
  }
  const auto both = make_layered_index(*lower, shown, *fresh);
  math::ItemSet third(kAll);
  for (uint32_t i = 0; i < kAll; i += 3) third.add(i);
  for (const size_t k : {1, 50, 5000}) {
    expect_exact(*both, {.k = k});
    expect_exact(*both, {.k = k, .allowed = &third});
  }
}

TEST(ItemSetSlice, IsTheRowsInBetween) {
  Rng rng(1, Stream::test);
  math::ItemSet set(500);
  for (int i = 0; i < 200; ++i) set.add(static_cast<uint32_t>(rng.below(500)));
  for (const auto& [begin, end] : std::vector<std::pair<size_t, size_t>>{
           {0, 500}, {0, 0}, {500, 500}, {0, 64}, {64, 128}, {1, 65}, {63, 64}, {37, 411}, {320, 500}, {449, 500}}) {
    const auto slice = set.slice(begin, end);
    ASSERT_EQ(slice.items(), end - begin);
    std::vector<uint32_t> expected;
    for (const uint32_t row : set.rows())
      if (row >= begin && row < end) expected.push_back(row - static_cast<uint32_t>(begin));
    EXPECT_EQ(slice.rows(), expected) << begin << " " << end;
    auto whole = set.slice(0, begin);
    whole.append(slice);
    whole.append(set.slice(end, 500));
    EXPECT_EQ(whole.rows(), set.rows()) << begin << " " << end;
  }
}

}  // namespace
}  // namespace pagoda::index
