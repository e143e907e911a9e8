// Where the time of a training step goes.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pagoda {

enum class StepStage : uint8_t {
  read,      // waiting for the thread that makes batches
  sample,    // frequency estimation, negatives, accidental hits
  encode,    // items' attributes to rows of tables
  gather,    // rows of tables summed
  towers,    // layers and normalisation, forward
  loss,      // logits, their softmax, the gradient
  backward,  // layers and normalisation, backward
  combine,   // gradients of the same table row added up
  update,    // the optimiser
  between,   // evaluations, checkpoints, mining
};
constexpr size_t kStepStages = 10;

// Each moment belongs to one stage: the one entered last. Costs two readings of the clock a change. Not thread-safe.
class StepClock {
 public:
  StepClock() : since_(Clock::now()) {}
  StepStage enter(StepStage stage);  // returns the stage before
  double seconds(StepStage stage) const { return seconds_[static_cast<size_t>(stage)]; }

  // A stage within another, to the end of the scope. clock may be null: nothing is measured.
  class Within {
   public:
    Within(StepClock* clock, StepStage stage) : clock_(clock), outer_(clock ? clock->enter(stage) : stage) {}
    ~Within() {
      if (clock_) clock_->enter(outer_);
    }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    StepClock* clock_;
    StepStage outer_;
  };

  // A line a stage: seconds, milliseconds a step, share; and the median of the steps after the first two, in which memory
  // is touched and code made for the first time. `making`: seconds of the thread that makes batches, beside it.
  std::string table(uint64_t steps, double making) const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point since_;
  StepStage stage_ = StepStage::between;
  std::array<double, kStepStages> seconds_{};
  double in_step_ = 0;        // since the last moment that was between steps
  std::vector<float> steps_;  // seconds of each step
};

}  // namespace pagoda
