// Where the time of a training step goes.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/stage_clock.h"

namespace pagoda::model {

enum class StepStage : uint8_t { read, sample, encode, gather, towers, loss, backward, combine, update, between };

constexpr std::array<StageClock::Stage, 10> kStepStages{{{"read", "waiting for batches"},
                                                         {"sample", "frequency, negatives, accidental hits"},
                                                         {"encode", "attributes to table rows"},
                                                         {"gather", "table rows summed"},
                                                         {"towers", "layers, forward"},
                                                         {"loss", "logits, softmax, gradient"},
                                                         {"backward", "layers, backward"},
                                                         {"combine", "gradients of a table row added up"},
                                                         {"update", "optimiser"},
                                                         {"between", "evaluations, checkpoints, mining"}}};

class StepClock {
 public:
  StepStage enter(StepStage stage) { return static_cast<StepStage>(clock_.enter(static_cast<size_t>(stage))); }
  double seconds(StepStage stage) const { return clock_.seconds(static_cast<size_t>(stage)); }
  std::string table(uint64_t steps) const { return clock_.table(steps, "step"); }

  // A stage within another, to the end of the scope. clock may be null: then nothing is measured.
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

 private:
  StageClock clock_{kStepStages};
};

}  // namespace pagoda::model
