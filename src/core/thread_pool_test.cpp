#include "core/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace pagoda {
namespace {

class ThreadPoolOf : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolOf, testing::Values(1, 2, 5));

TEST_P(ThreadPoolOf, EveryTaskRunsOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.size(), GetParam());
  for (const size_t n : {0, 1, 2, 3, 1000}) {
    std::vector<std::atomic<int>> times(n);
    pool.run(n, [&](size_t i) { ++times[i]; });
    for (const auto& t : times) EXPECT_EQ(t, 1);
  }
}

TEST_P(ThreadPoolOf, ManyShortRunsFollowOneAnother) {
  ThreadPool pool(GetParam());
  std::atomic<size_t> sum = 0;
  for (int run = 0; run < 2000; ++run) pool.run(7, [&](size_t i) { sum += i; });
  EXPECT_EQ(sum, 2000u * 21u);
}

TEST_P(ThreadPoolOf, RunsOfThreadsThatAreKeptAwakeAreAsOthers) {
  ThreadPool pool(GetParam());
  std::atomic<size_t> sum = 0;
  for (int search = 0; search < 50; ++search) {
    const ThreadPool::Awake awake(pool);
    for (int run = 0; run < 20; ++run) pool.run(7, [&](size_t i) { sum += i; });
    pool.run(3, [&](size_t) { const ThreadPool::Awake within_a_task(pool); });
  }
  pool.run(7, [&](size_t i) { sum += i; });
  EXPECT_EQ(sum, 1001u * 21u);
}

// The CPU time that the process uses while this thread sleeps.
double cpu_seconds_of_others(std::chrono::milliseconds time) {
  const auto used = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  const double before = used();
  std::this_thread::sleep_for(time);
  return used() - before;
}

TEST(ThreadPool, ThreadsSpinWhileTheyAreKeptAwakeAndSleepAfterwards) {
  using std::chrono::milliseconds;
  ThreadPool pool(2);
  pool.run(2, [](size_t) {});
  {
    const ThreadPool::Awake awake(pool);
    double spun = 0;  // on a busy machine a thread may have to wait for a CPU
    for (int tries = 0; tries < 100 && spun < 0.005; ++tries) spun += cpu_seconds_of_others(milliseconds(20));
    EXPECT_GE(spun, 0.005);
  }
  double least = 1;
  for (int tries = 0; tries < 100 && least > 0.005; ++tries)
    least = std::min(least, cpu_seconds_of_others(milliseconds(20)));
  EXPECT_LE(least, 0.005);
}

TEST_P(ThreadPoolOf, ARunInsideATaskRunsOnTheTasksThread) {
  ThreadPool pool(GetParam());
  std::atomic<int> others = 0, done = 0;
  pool.run(4, [&](size_t) {
    const auto mine = std::this_thread::get_id();
    pool.run(10, [&](size_t) {
      others += std::this_thread::get_id() != mine;
      ++done;
    });
  });
  EXPECT_EQ(done, 40);
  EXPECT_EQ(others, 0);
}

TEST_P(ThreadPoolOf, TheFirstTasksExceptionIsRethrownAndTheOthersStillRun) {
  ThreadPool pool(GetParam());
  std::atomic<int> done = 0;
  try {
    pool.run(100, [&](size_t i) {
      if (i >= 30 && i % 10 == 0) throw std::runtime_error(std::to_string(i));
      ++done;
    });
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "30");
  }
  EXPECT_EQ(done, 93);
  pool.run(5, [&](size_t) { ++done; });  // the pool is as good as before
  EXPECT_EQ(done, 98);
}

TEST_P(ThreadPoolOf, ChunksCoverTheRangeWithoutOverlap) {
  ThreadPool pool(GetParam());
  for (const size_t n : {0, 1, 9, 10, 11, 100}) {
    std::vector<std::atomic<int>> times(n);
    std::atomic<size_t> calls = 0;
    pool.for_chunks(n, 10, [&](size_t begin, size_t end) {
      EXPECT_LT(begin, end);
      EXPECT_EQ(begin % 10, 0u);
      for (size_t i = begin; i < end; ++i) ++times[i];
      ++calls;
    });
    for (const auto& t : times) EXPECT_EQ(t, 1);
    EXPECT_EQ(calls, (n + 9) / 10);
  }
}

TEST(ThreadPool, TasksRunAtTheSameTimeOnTwoThreads) {
  ThreadPool pool(2);
  std::atomic<int> arrived = 0;
  pool.run(2, [&](size_t) {  // each waits for the other: ends only if both run at once
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST(ThreadPool, ZeroThreadsMeansOneForEachCpu) { EXPECT_GE(ThreadPool(0).size(), 1); }

}  // namespace
}  // namespace pagoda
