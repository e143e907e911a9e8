#include "core/background.h"

#include <ctime>
#include <thread>
#include <utility>

namespace pagoda {
namespace {

constexpr int kShare = 3;  // how many times its own work a throttle waits
constexpr std::chrono::microseconds kNap{100};

}  // namespace

BackgroundThrottle::Times BackgroundThrottle::system_times() {
  return {.cpu =
              [] {
                timespec now{};
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
                return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
              },
          .now = [] { return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()); },
          .sleep = [](std::chrono::nanoseconds time) { std::this_thread::sleep_for(time); }};
}

BackgroundThrottle::BackgroundThrottle(const ForegroundLoad& foreground, Times times)
    : foreground_(foreground), times_(std::move(times)), began_(times_.cpu()) {}

void BackgroundThrottle::wait() {
  const auto may_yield = kCredit + kShare * (times_.cpu() - began_);
  const auto before = times_.now();
  auto yielded = yielded_;
  while (yielded < may_yield && foreground_.any()) {
    times_.sleep(kNap);
    yielded = yielded_ + (times_.now() - before);
  }
  yielded_ = yielded;
}

}  // namespace pagoda
