#include "core/give_way.h"

#include <gtest/gtest.h>

#include <ctime>
#include <functional>
#include <thread>

#include "core/thread_pool.h"

namespace pagoda {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// On a thread of its own, which gives way.
Clock::duration time_of(const std::function<void()>& work) {
  Clock::duration took{};
  std::thread([&] {
    const GivesWay gives_way;
    const auto began = Clock::now();
    work();
    took = Clock::now() - began;
  }).join();
  return took;
}

void work_for(milliseconds time) {
  const auto used = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  for (const double until = used() + 1e-3 * static_cast<double>(time.count()); used() < until;) {}
}

class GiveWay : public testing::Test {
 protected:
  void SetUp() override { count_waited_for(1); }
  void TearDown() override { count_waited_for(-1); }
};

TEST_F(GiveWay, AThreadThatGivesWayRestsForItsCreditAndForWorkItHasDone) {
  EXPECT_GE(time_of([] { rest(); }), GivesWay::kCredit);
  EXPECT_GE(time_of([] { work_for(milliseconds(40)), rest(); }), milliseconds(40 + 3 * 40));
}

TEST_F(GiveWay, ItIsNotStarved) {
  time_of([] {
    for (int i = 0; i < 10'000; ++i) rest();
  });
}

TEST_F(GiveWay, TheRestEndsWithWhatIsWaitedFor) {
  time_of([] {
    work_for(milliseconds(400));
    std::thread soon([] {
      std::this_thread::sleep_for(milliseconds(20));
      count_waited_for(-1);
    });
    const auto began = Clock::now();
    rest();
    EXPECT_LT(Clock::now() - began, milliseconds(1000)) << "1.2 s were due";
    soon.join();
  });
  count_waited_for(1);
}

TEST_F(GiveWay, APoolOfOneThreadRestsBetweenTasks) {
  ThreadPool pool(1);
  EXPECT_GE(time_of([&] { pool.run(2, [](size_t) {}); }), GivesWay::kCredit);
}

}  // namespace
}  // namespace pagoda
