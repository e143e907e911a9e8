#include "simulate/decayed_count_min.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::simulate {
namespace {

using Items = std::vector<uint32_t>;

double p(const sampling::Frequency& sketch, uint32_t item) { return std::exp(sketch.log_probability(item)); }

TEST(DecayedCountMin, IsTheDecayedShareWhereNoCellIsShared) {
  // A half-life of one draw: weights 1, 2, 4, 8 of 15.
  const auto sketch = make_decayed_count_min({.half_life = 1, .rows = 2, .columns = 1 << 16}, 1);
  EXPECT_EQ(sketch->log_probability(3), 0);
  sketch->observe(Items{7, 8});
  sketch->observe(Items{9, 7});
  EXPECT_NEAR(p(*sketch, 7), 9.0 / 15, 1e-6);
  EXPECT_NEAR(p(*sketch, 8), 4.0 / 15, 1e-6);  // 2 / 15 is less than half a draw
  EXPECT_NEAR(p(*sketch, 9), 4.0 / 15, 1e-6);
  EXPECT_NEAR(p(*sketch, 1), 4.0 / 15, 1e-6);  // never seen: half a draw of 8
}

TEST(DecayedCountMin, ADrawHalvesInAHalfLifeHoweverLongTheStream) {
  const auto sketch = make_decayed_count_min({.half_life = 100, .rows = 1, .columns = 1 << 16}, 1);
  const double total = 1 / (1 - std::exp2(-0.01));  // of an endless stream, the latest draw weighing 1
  sketch->observe(Items(20000, 1));                 // 200 doublings: cells were scaled back many times
  sketch->observe(Items(100, 2));
  EXPECT_NEAR(p(*sketch, 1), 0.5, 1e-4);
  EXPECT_NEAR(p(*sketch, 2), 0.5, 1e-4);
  sketch->observe(Items(200, 3));
  EXPECT_NEAR(p(*sketch, 2), 0.125, 1e-4);
  EXPECT_NEAR(p(*sketch, 9), 0.5 / total, 1e-6);
}

TEST(DecayedCountMin, CollisionsOnlyAddAndTheConservativeUpdateAddsLess) {
  Items stream;
  Rng rng(1, Stream::test);
  std::vector<double> share(400);
  for (int t = 0; t < 40000; ++t) {
    stream.push_back(static_cast<uint32_t>(rng.below(1 + rng.below(400))));
    share[stream.back()] += 1 / 40000.0;
  }
  double error[2];
  for (const bool conservative : {false, true}) {
    const auto sketch =
        make_decayed_count_min({.half_life = 1e12, .rows = 2, .columns = 200, .conservative = conservative}, 3);
    sketch->observe(stream);
    error[conservative] = 0;
    for (uint32_t item = 0; item < 400; ++item) {
      EXPECT_GE(p(*sketch, item), share[item] * (1 - 1e-4));
      error[conservative] += p(*sketch, item) - share[item];
    }
  }
  EXPECT_LT(error[true], 0.8 * error[false]);
}

TEST(DecayedCountMin, OptionsAreChecked) {
  EXPECT_THROW(make_decayed_count_min({.half_life = 0}, 1), Error);
  EXPECT_THROW(make_decayed_count_min({.half_life = NAN}, 1), Error);
  EXPECT_THROW(make_decayed_count_min({.rows = 0}, 1), Error);
  EXPECT_THROW(make_decayed_count_min({.columns = 0}, 1), Error);
}

}  // namespace
}  // namespace pagoda::simulate
