// Measures where the time of a repeated job goes, by stages that the caller names.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pagoda {

// Time is charged to the stage that was entered last. By convention the first stage opens a round (it waits for the
// round's work), and the last stage is the time between rounds, in which the clock starts. A change of stage costs one
// reading of the clock. Not thread-safe.
class StageClock {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Stage {
    const char* name;
    const char* meaning;
  };

  // `stages` is borrowed and has two or more elements. `now` is the clock to read; tests pass their own.
  explicit StageClock(std::span<const Stage> stages, Time (*now)() = std::chrono::steady_clock::now)
      : stages_(stages), now_(now), since_(now()), stage_(stages.size() - 1), seconds_(stages.size()) {}

  size_t enter(size_t stage);  // returns the previous stage
  double seconds(size_t stage) const { return seconds_[stage]; }

  // A line for each stage (seconds, milliseconds per round, share), then their sum, then the median round. The median
  // leaves out the first two rounds, in which memory is touched and code is generated for the first time. `round` is
  // what a round is called.
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
