#include "core/step_clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace pagoda {
namespace {

void wait(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

TEST(StepClock, EachMomentBelongsToTheStageEnteredLast) {
  StepClock clock;
  EXPECT_EQ(clock.enter(StepStage::read), StepStage::between);
  wait(20);
  clock.enter(StepStage::towers);
  {
    const StepClock::Within within(&clock, StepStage::gather);
    wait(30);
  }
  wait(10);
  EXPECT_EQ(clock.enter(StepStage::between), StepStage::towers);
  EXPECT_GE(clock.seconds(StepStage::read), 0.020);
  EXPECT_GE(clock.seconds(StepStage::gather), 0.030);
  EXPECT_GE(clock.seconds(StepStage::towers), 0.010);
  EXPECT_EQ(clock.seconds(StepStage::loss), 0);
}

TEST(StepClock, TheMedianIsOfWholeStepsAfterTheFirstTwo) {
  StepClock clock;
  for (const int ms : {90, 80, 10, 30, 20}) {
    {
      const StepClock::Within read(&clock, StepStage::read);
      wait(ms / 2);
    }
    clock.enter(StepStage::loss);
    wait(ms / 2);
    clock.enter(StepStage::between);
    wait(5);
  }
  const auto table = clock.table(5, 0);
  const double median = std::stod(table.substr(table.find("median") + 6));
  EXPECT_GE(median, 20);
  EXPECT_LT(median, 29) << table;
}

TEST(StepClock, WithoutOneNothingIsMeasured) { const StepClock::Within within(nullptr, StepStage::gather); }

TEST(StepClock, TheTableHasEachStageItsTimeAStepAndItsShare) {
  StepClock clock;
  clock.enter(StepStage::loss);
  wait(20);
  clock.enter(StepStage::between);
  const auto table = clock.table(10, 0.5);
  for (const char* text : {"stage", "read", "sample", "gather", "loss", "update", "10 steps", "50.000"})
    EXPECT_NE(table.find(text), std::string::npos) << text << "\n" << table;
}

}  // namespace
}  // namespace pagoda
