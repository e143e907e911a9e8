#include "core/stage_clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace pagoda {
namespace {

void wait(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

TEST(StageClock, EachMomentBelongsToTheStageEnteredLast) {
  StageClock clock;
  EXPECT_EQ(clock.enter(Stage::read), Stage::between);
  wait(20);
  clock.enter(Stage::towers);
  {
    const StageClock::Within within(&clock, Stage::gather);
    wait(30);
  }
  wait(10);
  EXPECT_EQ(clock.enter(Stage::between), Stage::towers);
  EXPECT_GE(clock.seconds(Stage::read), 0.020);
  EXPECT_GE(clock.seconds(Stage::gather), 0.030);
  EXPECT_GE(clock.seconds(Stage::towers), 0.010);
  EXPECT_EQ(clock.seconds(Stage::loss), 0);
}

TEST(StageClock, WithoutOneNothingIsMeasured) { const StageClock::Within within(nullptr, Stage::gather); }

TEST(StageClock, TheTableHasEachStageItsTimeAStepAndItsShare) {
  StageClock clock;
  clock.enter(Stage::loss);
  wait(20);
  clock.enter(Stage::between);
  const auto table = clock.table(10, 0.5);
  for (const char* text : {"stage", "read", "sample", "gather", "loss", "update", "10 steps", "50.000"})
    EXPECT_NE(table.find(text), std::string::npos) << text << "\n" << table;
}

}  // namespace
}  // namespace pagoda
