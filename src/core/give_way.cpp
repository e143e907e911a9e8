#include "core/give_way.h"

#include <atomic>
#include <ctime>
#include <thread>

#include "core/error.h"

namespace pagoda {
namespace {

constexpr int kRests = 3;  // times the work
constexpr std::chrono::microseconds kLook{100};

std::atomic<int64_t> waited_for{0};
thread_local GivesWay* giving_way = nullptr;

std::chrono::nanoseconds cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

void count_waited_for(int64_t more) { waited_for.fetch_add(more, std::memory_order_relaxed); }

GivesWay::GivesWay() : began_(cpu_time()) {
  check(!giving_way, "a thread gives way once");
  giving_way = this;
}

GivesWay::~GivesWay() { giving_way = nullptr; }

void GivesWay::rest_while_waited_for() {
  using Clock = std::chrono::steady_clock;
  const auto may_rest = kCredit + kRests * (cpu_time() - began_);
  const auto before = Clock::now();
  auto rested = rested_;
  while (rested < may_rest && waited_for.load(std::memory_order_relaxed) > 0) {
    std::this_thread::sleep_for(kLook);
    rested = rested_ + (Clock::now() - before);
  }
  rested_ = rested;
}

void rest() {
  if (giving_way && waited_for.load(std::memory_order_relaxed) > 0) giving_way->rest_while_waited_for();
}

}  // namespace pagoda
