// Where the time of a training step goes.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace pagoda {

enum class Stage : uint8_t {
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
constexpr size_t kStages = 10;

// Each moment belongs to one stage: the one entered last. Costs two readings of the clock a change. Not thread-safe.
class StageClock {
 public:
  StageClock() : since_(Clock::now()) {}
  Stage enter(Stage stage);  // returns the stage before
  double seconds(Stage stage) const { return seconds_[static_cast<size_t>(stage)]; }

  // A stage within another, to the end of the scope. clock may be null: nothing is measured.
  class Within {
   public:
    Within(StageClock* clock, Stage stage) : clock_(clock), outer_(clock ? clock->enter(stage) : stage) {}
    ~Within() {
      if (clock_) clock_->enter(outer_);
    }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    StageClock* clock_;
    Stage outer_;
  };

  // A line a stage: seconds, milliseconds a step, share. `making`: seconds of the thread that makes batches, beside it.
  std::string table(uint64_t steps, double making) const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point since_;
  Stage stage_ = Stage::between;
  std::array<double, kStages> seconds_{};
};

}  // namespace pagoda
