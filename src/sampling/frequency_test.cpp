#include "sampling/frequency.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::sampling {
namespace {

using Items = std::vector<uint32_t>;

FrequencyOptions streaming(double learning_rate = 0.01) {
  FrequencyOptions options;
  options.kind = FrequencyKind::streaming;
  options.learning_rate = learning_rate;
  options.buckets = 1 << 16;
  options.hashes = 1;
  options.bias_correction = false;
  return options;
}

double gap(const Frequency& frequency, uint32_t item) { return std::exp(-frequency.log_probability(item)); }

// Ticks the clock of examples without touching the items of a test.
void pass_time(Frequency& frequency, size_t ticks) {
  Items others;
  for (size_t k = 0; k < ticks; ++k) others.push_back(1000);
  frequency.observe(others);
}

std::span<const std::byte> bytes_of(const ByteWriter& writer) {
  return std::as_bytes(std::span(writer.bytes().data(), writer.bytes().size()));
}

TEST(Counts, AreExactButForHalfACountEach) {
  const std::vector<uint64_t> counts{6, 0, 2};
  const auto frequency = make_counts(counts);
  EXPECT_NEAR(std::exp(frequency->log_probability(0)), 6.5 / 9.5, 1e-15);
  EXPECT_NEAR(std::exp(frequency->log_probability(1)), 0.5 / 9.5, 1e-15);
  EXPECT_NEAR(std::exp(frequency->log_probability(2)), 2.5 / 9.5, 1e-15);
  EXPECT_NEAR(std::exp(frequency->log_probability(77)), 0.5 / 9.5, 1e-15);  // an item of no row
  frequency->observe(Items{1, 1, 1});
  EXPECT_NEAR(std::exp(frequency->log_probability(1)), 0.5 / 9.5, 1e-15);
}

TEST(Counts, OfNothingStayFinite) {
  EXPECT_TRUE(std::isfinite(make_counts({})->log_probability(0)));
  EXPECT_NEAR(std::exp(make_counts(std::vector<uint64_t>{0, 0})->log_probability(0)), 0.5, 1e-15);
}

TEST(Streaming, TheFirstSightOnlySeeds) {
  const auto frequency = make_streaming(streaming(), 1);
  pass_time(*frequency, 500);
  frequency->observe(Items{7});  // tick 501
  // No gap yet: one draw in all the ticks. The printed algorithm would have taken 501 for a gap.
  EXPECT_NEAR(gap(*frequency, 7), 501, 1e-9);
  pass_time(*frequency, 9);
  frequency->observe(Items{7});  // its first gap: 10
  EXPECT_NEAR(gap(*frequency, 7), 10, 1e-5);
}

TEST(Streaming, TheMeanGapIsPlainUntilTheLearningRateTakesOver) {
  const auto frequency = make_streaming(streaming(0.4), 1);
  frequency->observe(Items{7});
  const auto seen_after = [&](size_t ticks) {
    pass_time(*frequency, ticks - 1);
    frequency->observe(Items{7});
    return gap(*frequency, 7);
  };
  EXPECT_NEAR(seen_after(10), 10, 1e-5);
  EXPECT_NEAR(seen_after(30), 20, 1e-5);                   // 1/2 > 0.4
  EXPECT_NEAR(seen_after(40), 0.6 * 20 + 0.4 * 40, 1e-5);  // 1/3 < 0.4
  EXPECT_NEAR(seen_after(5), 0.6 * 28 + 0.4 * 5, 1e-5);
}

TEST(Streaming, ABucketIsUpdatedOnceATick) {
  auto options = streaming(0.5);
  options.clock = FrequencyClock::step;
  const auto frequency = make_streaming(options, 1);
  frequency->observe(Items{7, 7, 7});
  for (int k = 0; k < 3; ++k) frequency->observe(Items{8});
  frequency->observe(Items{7, 8, 7, 7});
  EXPECT_NEAR(gap(*frequency, 7), 4, 1e-6);  // a duplicate would have pulled it to 2, then 1
  EXPECT_NEAR(gap(*frequency, 8), 1, 1e-6);
}

TEST(Streaming, TheClockOfExamplesCountsEveryOccurrence) {
  const auto frequency = make_streaming(streaming(), 1);
  for (int k = 0; k < 100; ++k) frequency->observe(Items{7, 7, 8, 7});
  EXPECT_NEAR(1 / gap(*frequency, 7), 0.75, 0.01);
  EXPECT_NEAR(1 / gap(*frequency, 8), 0.25, 0.001);
  EXPECT_EQ(frequency->clock(), FrequencyClock::example);
}

TEST(Streaming, AnItemThatVanishesDecays) {
  const auto frequency = make_streaming(streaming(), 1);
  for (int k = 0; k < 50; ++k) frequency->observe(Items{7, 8});
  EXPECT_NEAR(gap(*frequency, 7), 2, 1e-5);
  pass_time(*frequency, 6);  // 8 ticks since: four mean gaps, still no evidence
  EXPECT_NEAR(gap(*frequency, 7), 2, 1e-5);
  pass_time(*frequency, 4000 - 8 + 1);
  EXPECT_NEAR(gap(*frequency, 7), 4000.0 / 4, 0.5);
  frequency->observe(Items{7});  // and comes back
  EXPECT_NEAR(gap(*frequency, 7), (49 * 2 + 4001) / 50.0, 0.5);
}

TEST(Streaming, AnItemNeverSeenReadsAsOneDrawInAll) {
  auto options = streaming();
  options.hashes = 3;
  const auto frequency = make_streaming(options, 1);
  EXPECT_EQ(frequency->log_probability(5), 0);  // nothing is known: finite
  pass_time(*frequency, 12345);
  EXPECT_NEAR(gap(*frequency, 5), 12345, 1e-6);
}

// The mean of p over many moments of a stream where `item` comes with probability p.
double mean_reading(FrequencyOptions options, double p, bool when_seen) {
  double sum = 0, readings = 0;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const auto frequency = make_streaming(options, seed);
    Rng rng(seed, Stream::test);
    Items one(1);
    for (int t = 0; t < 40000; ++t) {
      one[0] = rng.uniform() < p ? 7 : 1000;
      frequency->observe(one);
      if (t < 5000 || (when_seen && one[0] != 7)) continue;
      sum += std::exp(frequency->log_probability(7));
      ++readings;
    }
  }
  return sum / readings;
}

TEST(Streaming, TheCorrectedReadingIsUnbiased) {
  auto options = streaming(0.1);
  const double p = 0.1, factor = 1 + 0.1 / 1.9 * (1 - p);  // 1/B is read too high by this
  // Standard error of a reading's mean here: about 0.4%.
  EXPECT_NEAR(mean_reading(options, p, true) / p, factor, 0.015);
  options.bias_correction = true;
  EXPECT_NEAR(mean_reading(options, p, true) / p, 1, 0.015);
  EXPECT_NEAR(mean_reading(options, p, false) / p, 1, 0.02);  // ageing costs 1%
}

TEST(Streaming, TheReadingOfFewGapsIsCorrectedToo) {
  // 20 gaps: 1/B reads high by 1/19, and a/(2-a) with a = 0.001 would not see it.
  double plain = 0, corrected = 0;
  const double p = 0.2;
  const int runs = 4000;
  for (int run = 0; run < runs; ++run) {
    auto options = streaming(0.001);
    options.buckets = 64;
    const auto a = make_streaming(options, 1);
    options.bias_correction = true;
    const auto b = make_streaming(options, 1);
    Rng rng(static_cast<uint64_t>(run), Stream::test);
    Items stream;
    for (int sights = 0; sights < 21;) {
      stream.push_back(rng.uniform() < p ? 7 : 1000);
      sights += stream.back() == 7;
    }
    a->observe(stream);
    b->observe(stream);
    plain += std::exp(a->log_probability(7)) / runs;
    corrected += std::exp(b->log_probability(7)) / runs;
  }
  EXPECT_GT(plain / p, 1.03);
  EXPECT_NEAR(corrected / p, 1, 0.012);
}

TEST(Streaming, MoreHashesUndoCollisions) {
  // 200 items, alike, in 400 buckets: alone, one in three shares its bucket and reads twice as frequent.
  const auto error = [](int64_t hashes) {
    auto options = streaming(0.01);
    options.buckets = 400;
    options.hashes = hashes;
    options.bias_correction = true;
    const auto frequency = make_streaming(options, 3);
    Rng rng(1, Stream::test);
    Items stream;
    for (int t = 0; t < 60000; ++t) stream.push_back(static_cast<uint32_t>(rng.below(200)));
    frequency->observe(stream);
    double sum = 0;
    for (uint32_t item = 0; item < 200; ++item) sum += std::abs(std::exp(frequency->log_probability(item)) * 200 - 1);
    return sum / 200;
  };
  EXPECT_LT(error(3), 0.5 * error(1));
}

// One bucket for all, and a clock that also ticks while nobody comes.
FrequencyOptions one_bucket() {
  auto options = streaming();
  options.buckets = 1;
  options.clock = FrequencyClock::step;
  return options;
}

TEST(Streaming, ABucketHoldsTheGapsOfItsOwnerAlone) {
  const auto frequency = make_streaming(one_bucket(), 1);
  const auto sees = [&](uint32_t item) { frequency->observe(Items{item}); };
  sees(7);
  sees(8);
  sees(7);  // a gap of 2, not two of 1
  EXPECT_NEAR(gap(*frequency, 7), 2, 1e-6);
  EXPECT_NEAR(gap(*frequency, 8), 2, 1e-6);  // owns nothing: as rare as the owner, or rarer
  sees(8);
  sees(8);                                   // the second finds no vote left for 7, and begins anew
  EXPECT_NEAR(gap(*frequency, 8), 5, 1e-6);  // one draw in all the ticks
  sees(9);
  sees(8);
  EXPECT_NEAR(gap(*frequency, 8), 2, 1e-6);
  EXPECT_NEAR(gap(*frequency, 7), 2, 1e-6);
}

TEST(Streaming, AnItemSeenOftenKeepsItsBucketFromThreeOthersAndNotFromAFourth) {
  const auto frequency = make_streaming(one_bucket(), 1);
  for (int k = 0; k < 20; ++k) frequency->observe(Items{7});
  for (int k = 0; k < 3; ++k) frequency->observe(Items{8});
  EXPECT_NEAR(gap(*frequency, 8), 1, 1e-6);
  frequency->observe(Items{8});
  EXPECT_NEAR(gap(*frequency, 8), 24, 1e-6);
}

TEST(Streaming, ANewItemDoesNotBeginWithTheSilenceOfTheOneBeforeIt) {
  const auto frequency = make_streaming(one_bucket(), 1);
  const auto every = [&](int steps, uint32_t item) {
    for (int k = 1; k < steps; ++k) frequency->observe({});
    frequency->observe(Items{item});
  };
  for (int k = 0; k < 9; ++k) every(10, 7);
  every(5000, 8);
  for (int k = 0; k < 4; ++k) every(20, 8);  // three votes, the takeover, a gap
  EXPECT_NEAR(gap(*frequency, 8), 20, 1e-5);
}

TEST(Streaming, AsPrintedStartsFromTheGivenGap) {
  auto options = streaming(0.25);
  options.clock = FrequencyClock::step;
  options.initial_gap = 100;
  const auto frequency = make_streaming(options, 1);
  EXPECT_NEAR(gap(*frequency, 7), 100, 1e-4);
  for (int k = 0; k < 3; ++k) frequency->observe(Items{8});
  frequency->observe(Items{7});  // tick 4, A = 0
  EXPECT_NEAR(gap(*frequency, 7), 0.75 * 100 + 0.25 * 4, 1e-4);
  for (int k = 0; k < 3000; ++k) frequency->observe(Items{8});
  EXPECT_NEAR(gap(*frequency, 7), 76, 1e-4);
}

TEST(Streaming, ASavedStateGoesOnAsIfNeverStopped) {
  auto options = streaming(0.05);
  options.buckets = 50;
  options.hashes = 2;
  const auto frequency = make_streaming(options, 1), other = make_streaming(options, 2);
  Rng rng(1, Stream::test);
  const auto batch = [&] {
    Items items;
    for (int k = 0; k < 64; ++k) items.push_back(static_cast<uint32_t>(rng.below(1 + rng.below(40))));
    return items;
  };
  for (int k = 0; k < 20; ++k) frequency->observe(batch());
  ByteWriter state;
  frequency->save(state);
  ByteReader in(bytes_of(state), "frequency");
  other->load(in);
  EXPECT_TRUE(in.at_end());
  for (int k = 0; k < 20; ++k) {
    const auto items = batch();
    frequency->observe(items);
    other->observe(items);
  }
  for (uint32_t item = 0; item < 60; ++item) EXPECT_EQ(frequency->log_probability(item), other->log_probability(item));
  ByteWriter a, b;
  frequency->save(a);
  other->save(b);
  EXPECT_EQ(a.bytes(), b.bytes());
}

// The bytes of a bucket as version 0.1 wrote them: u64 last tick, f32 gap, u16 tag, u16 of gaps (14 bits) and votes
// (2).
TEST(Streaming, ABucketsBytesAreThoseOfTheFirstVersion) {
  const auto frequency = make_streaming(one_bucket(), 1);
  for (const uint32_t item : {9, 7, 7, 7, 8}) frequency->observe(Items{item});
  ByteWriter state;
  frequency->save(state);
  const auto bytes = bytes_of(state);
  ByteReader bucket(bytes.last(16), "bucket");
  EXPECT_EQ(bucket.value<uint64_t>(), 4u) << "the last tick of the owner";
  EXPECT_EQ(bucket.value<float>(), 1.0f);
  bucket.value<uint16_t>();
  const auto counted = bucket.value<uint16_t>();
  EXPECT_EQ(counted & 0x3fff, 1) << "the first 7 took the vote of 9, the second the bucket, the third is a gap";
  EXPECT_EQ(counted >> 14, 1) << "one vote of its coming, one of the third 7, and 8 took one";
  for (int k = 0; k < 20'000; ++k) frequency->observe(Items{7});
  ByteWriter later;
  frequency->save(later);
  ByteReader full(bytes_of(later).last(2), "bucket");
  EXPECT_EQ(full.value<uint16_t>(), 0xffff) << "both counts stay at their maximum";
}

TEST(Streaming, AStateOfAnotherShapeOrKindIsRefused) {
  auto options = streaming();
  options.buckets = 64;
  ByteWriter state;
  make_streaming(options, 1)->save(state);
  options.buckets = 65;
  ByteReader shape(bytes_of(state), "frequency");
  EXPECT_THROW(make_streaming(options, 1)->load(shape), Error);
  ByteReader kind(bytes_of(state), "frequency");
  EXPECT_THROW(make_counts({})->load(kind), Error);
  ByteReader cut(bytes_of(state).first(bytes_of(state).size() - 1), "frequency");
  options.buckets = 64;
  EXPECT_THROW(make_streaming(options, 1)->load(cut), Error);
}

TEST(Counts, ASavedStateReadsTheSame) {
  const auto frequency = make_counts(std::vector<uint64_t>{5, 1, 9}), other = make_counts({});
  ByteWriter state;
  frequency->save(state);
  ByteReader in(bytes_of(state), "frequency");
  other->load(in);
  for (uint32_t item = 0; item < 5; ++item) EXPECT_EQ(frequency->log_probability(item), other->log_probability(item));
}

TEST(FrequencyOptions, AreChecked) {
  for (const double a : {0.0, -1.0, 1.5, double{NAN}}) {
    FrequencyOptions options;
    options.learning_rate = a;
    EXPECT_THROW(make_frequency(options, {}, 1), Error);
  }
  FrequencyOptions options;
  options.buckets = 0;
  EXPECT_THROW(validate(options), Error);
  options.buckets = 10;
  options.hashes = 0;
  EXPECT_THROW(validate(options), Error);
}

}  // namespace
}  // namespace pagoda::sampling
