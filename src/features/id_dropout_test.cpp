#include "features/id_dropout.h"

#include <cmath>

#include "features/features_test.h"

namespace pagoda::features {
namespace {

constexpr uint32_t kWords = 100, kBuckets = 8;
constexpr size_t kExamples = 20000;

EncodedBatch batch_of_ids() {
  EncodedBatch batch;
  batch.size = kExamples;
  batch.bags.resize(2);
  for (uint32_t i = 0; i < kExamples; ++i)
    for (auto& bag : batch.bags) {
      if (i % 10 != 9) bag.add(i % kWords, 1.f);  // every tenth has none
      bag.close();
    }
  return batch;
}

TowerLayout layout_of(const std::string& first) {
  TowerLayout layout;
  layout.add({first, kWords + kBuckets, 4, false, kBuckets, true});
  layout.add({"second", kWords, 4, false, 0, true});
  return layout;
}

TEST(IdDropout, AnItemReadsAnyBucketInPlaceOfItsIdAsOftenAsAsked) {
  const auto before = batch_of_ids();
  auto batch = before;
  drop_ids(batch, layout_of("item.id"), 0.3, Rng(1, Stream::dropout));
  size_t dropped = 0;
  std::vector<size_t> of_bucket(kBuckets);
  for (size_t i = 0; i < kExamples; ++i) {
    const auto now = list(batch, 0, i), was = list(before, 0, i);
    ASSERT_EQ(now.size(), was.size());
    if (now == was) continue;
    ++dropped;
    ASSERT_GE(now[0], kWords);
    ++of_bucket.at(now[0] - kWords);
  }
  const double n = 0.9 * kExamples, expected = static_cast<double>(dropped) / kBuckets;
  EXPECT_NEAR(static_cast<double>(dropped), 0.3 * n, 4 * std::sqrt(0.3 * 0.7 * n));
  double chi_square = 0;
  for (const size_t met : of_bucket) chi_square += std::pow(static_cast<double>(met) - expected, 2) / expected;
  EXPECT_LT(chi_square, 24.3) << "of 7 degrees of freedom, p = .001";
  EXPECT_EQ(batch.bags[1].rows.values, before.bags[1].rows.values);
}

TEST(IdDropout, AUserReadsNoRowAndTheSameSeedDropsTheSame) {
  auto batch = batch_of_ids(), again = batch_of_ids();
  for (auto* b : {&batch, &again}) drop_ids(*b, layout_of("user.id"), 0.3, Rng(1, Stream::dropout));
  EXPECT_EQ(batch.bags[0].rows.offsets, again.bags[0].rows.offsets);
  const double n = 0.9 * kExamples;
  EXPECT_NEAR(static_cast<double>(batch.bags[0].rows.values.size()), 0.7 * n, 4 * std::sqrt(0.3 * 0.7 * n));
  EXPECT_EQ(batch.bags[0].weights.size(), batch.bags[0].rows.values.size());
}

TEST(IdDropout, NothingChangesWithoutAnIdOrAShare) {
  const auto before = batch_of_ids();
  for (const auto& [name, share] : {std::pair("user.history", 0.5), std::pair("item.id", 0.0)}) {
    auto batch = before;
    drop_ids(batch, layout_of(name), share, Rng(1, Stream::dropout));
    expect_same(batch, before);
  }
}

}  // namespace
}  // namespace pagoda::features
