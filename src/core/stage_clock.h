// Where the time of a job goes that is done over and over: a clock for stages that the caller names.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pagoda {

// Each moment belongs to one stage: the one that was entered last. By convention the first stage opens a round (it
// waits for the round's work), and the last stage is the time between rounds, in which the clock starts. A change of
// stage costs one reading of the clock. Not thread-safe.
class StageClock {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Stage {
    const char* name;
    const char* meaning;
  };

  // `stages` is borrowed: two or more of them. `now` is the clock that is read; tests pass their own.
  explicit StageClock(std::span<const Stage> stages, Time (*now)() = std::chrono::steady_clock::now)
      : stages_(stages), now_(now), since_(now()), stage_(stages.size() - 1), seconds_(stages.size()) {}

  size_t enter(size_t stage);  // returns the stage before
  double seconds(size_t stage) const { return seconds_[stage]; }

  // A line for each stage: seconds, milliseconds a round, share; then their sum, and the median of the rounds after the
  // first two, in which memory is touched and code is generated for the first time. `round`: what a round is called.
  std::string table(uint64_t rounds, const char* round) const;

 private:
  std::span<const Stage> stages_;
  Time (*now_)();
  Time since_;
  size_t stage_;
  std::vector<double> seconds_;
  double in_round_ = 0;        // since the last moment between rounds
  std::vector<float> rounds_;  // seconds of each round
};

}  // namespace pagoda
