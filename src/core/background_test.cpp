#include "core/background.h"

#include <gtest/gtest.h>

#include <ctime>

#include "core/thread_pool.h"

namespace pagoda {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class Background : public testing::Test {
 protected:
  void SetUp() override { load_.add(1); }

  void work(milliseconds time) {
    cpu_ += time;
    now_ += time;
  }
  // How long it yields now.
  nanoseconds yields() {
    const auto before = now_;
    throttle_.yield();
    return now_ - before;
  }

  ForegroundLoad load_;
  nanoseconds cpu_{milliseconds(123)}, now_{milliseconds(4567)};
  std::function<void()> while_asleep_ = [] {};
  BackgroundThrottle throttle_{load_,
                               {.cpu = [this] { return cpu_; },
                                .now = [this] { return now_; },
                                .sleep =
                                    [this](nanoseconds time) {
                                      now_ += time;
                                      while_asleep_();
                                    }}};
};

TEST_F(Background, ItYieldsForItsCreditAndThreeTimesItsWork) {
  EXPECT_EQ(yields(), BackgroundThrottle::kCredit);
  work(milliseconds(40));
  EXPECT_EQ(yields(), milliseconds(3 * 40));
}

TEST_F(Background, ItIsNotStarved) {
  yields();
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(yields(), nanoseconds(0)) << "it has worked no more since " << i;
}

TEST_F(Background, ItStopsYieldingWhenNobodyWaits) {
  work(milliseconds(400));
  while_asleep_ = [&] {
    if (now_ >= milliseconds(4567 + 400 + 20)) load_.add(-1);
    while_asleep_ = now_ >= milliseconds(4567 + 400 + 20) ? [] {} : while_asleep_;
  };
  EXPECT_EQ(yields(), milliseconds(20)) << "1.2 s were due";
  EXPECT_EQ(yields(), nanoseconds(0));
}

TEST_F(Background, WithoutAThrottleNothingYields) {
  yield_to_foreground(nullptr);
  yield_every_64(nullptr, 0);
  EXPECT_EQ(now_, milliseconds(4567));
  yield_every_64(&throttle_, 63);
  EXPECT_EQ(now_, milliseconds(4567));
  yield_every_64(&throttle_, 64);
  EXPECT_EQ(now_, milliseconds(4567) + BackgroundThrottle::kCredit);
}

TEST_F(Background, APoolOfOneThreadYieldsBetweenTasks) {
  ThreadPool pool(1, &throttle_);
  std::vector<nanoseconds> began;
  pool.run(3, [&](size_t) {
    began.push_back(now_);
    work(milliseconds(10));
  });
  ASSERT_EQ(began.size(), 3u);
  EXPECT_EQ(began[1] - began[0], milliseconds(10 + 3 * 10) + BackgroundThrottle::kCredit);
  EXPECT_EQ(began[2] - began[1], milliseconds(10 + 3 * 10));
}

TEST(BackgroundTimes, AreThoseOfTheThreadAndTheSystem) {
  const auto times = BackgroundThrottle::system_times();
  const auto cpu = times.cpu(), now = times.now();
  times.sleep(milliseconds(20));
  EXPECT_GE(times.now() - now, milliseconds(20));
  EXPECT_LT(times.cpu() - cpu, milliseconds(20)) << "asleep it has no CPU";
}

}  // namespace
}  // namespace pagoda
