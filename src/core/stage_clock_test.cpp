#include "core/stage_clock.h"

#include <gtest/gtest.h>

namespace pagoda {
namespace {

enum Stage : size_t { wait, work, inner, between };
constexpr StageClock::Stage kStages[] = {
    {"wait", "for work"}, {"work", "itself"}, {"inner", "a part of it"}, {"between", "the rest"}};

StageClock::Time time_now;
StageClock::Time now() { return time_now; }
void pass(int ms) { time_now += std::chrono::milliseconds(ms); }

TEST(StageClock, EachMomentBelongsToTheStageEnteredLast) {
  StageClock clock(kStages, now);
  pass(7);
  EXPECT_EQ(clock.enter(wait), between);
  pass(20);
  EXPECT_EQ(clock.enter(work), wait);
  pass(10);
  EXPECT_EQ(clock.enter(inner), work);
  pass(30);
  EXPECT_EQ(clock.enter(work), inner);
  pass(5);
  EXPECT_EQ(clock.enter(between), work);
  pass(100);  // not counted until another stage is entered
  EXPECT_DOUBLE_EQ(clock.seconds(between), 0.007);
  EXPECT_DOUBLE_EQ(clock.seconds(wait), 0.020);
  EXPECT_DOUBLE_EQ(clock.seconds(work), 0.015);
  EXPECT_DOUBLE_EQ(clock.seconds(inner), 0.030);
}

TEST(StageClock, TheMedianIsOfWholeRoundsAfterTheFirstTwo) {
  StageClock clock(kStages, now);
  for (const int ms : {90, 80, 10, 30, 20}) {
    clock.enter(wait);
    pass(ms / 2);
    clock.enter(between);  // a round begins with its wait, and does not end with it
    clock.enter(work);
    pass(ms / 2);
    clock.enter(between);
    pass(5);
  }
  const auto table = clock.table(5, "step");
  EXPECT_NE(table.find("median                    20.000          of the steps after the first two"), table.npos)
      << table;
}

TEST(StageClock, TheTableHasEachStageItsTimeARoundAndItsShare) {
  StageClock clock(kStages, now);
  clock.enter(work);
  pass(2000);
  clock.enter(inner);
  pass(500);
  clock.enter(between);
  EXPECT_EQ(clock.table(10, "step"),
            "stage        seconds   ms a step   share\n"
            "wait            0.00       0.000    0.0%  for work\n"
            "work            2.00     200.000   80.0%  itself\n"
            "inner           0.50      50.000   20.0%  a part of it\n"
            "between         0.00       0.000    0.0%  the rest\n"
            "all             2.50     250.000          10 steps\n"
            "median                     0.000          of the steps after the first two");
}

}  // namespace
}  // namespace pagoda
