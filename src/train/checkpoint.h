// Where a run stands, so that it can go on after a kill to the same bits as if it had never been killed.
//
// Section files of kind "checkpoint", version 3: progress, config, data, judged, evaluated, weights/*, optimizer1/*,
// optimizer2/*, temperature, frequency, mined, memory. Version 2, of 0.1, has no config, data, judged and evaluated: a
// checksum of the config stands at the head of progress. Written beside the old one and renamed, so there is always one
// that is whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/patience.h"
#include "train/run_identity.h"
#include "train/trainer.h"

namespace pagoda::train {

enum class Phase : uint32_t {
  choose,  // train on train, judge on validation
  refit,   // train on train and validation for the chosen number of epochs
  ship,    // train on all rows for as many, once the model of before is judged on the test part
};

// The model that was judged in the place of the one of phase ship.
struct JudgedModel {
  std::string fingerprint;  // of its bundle; "": nothing was judged
  uint64_t training_rows = 0;
  std::string figures;  // JSON of `pagoda evaluate`, without the time it took
};

struct TrainingProgress {
  Phase phase = Phase::choose;
  uint64_t next_step = 0;  // of the phase
  double loss_sum = 0;     // since the last line of the log: of each step's loss times its examples
  uint64_t loss_examples = 0;
  double hit_sum = 0, pair_sum = 0;  // since then: accidental hits, of how many (row, column) pairs
  double best_value = -1;            // of the choosing metric
  uint64_t best_epoch = 0;           // epochs trained at the best value; 0: none was judged yet
  uint64_t evaluations_since_best = 0;
  std::vector<EvaluatedEpoch> evaluated = {};  // of phase choose
  uint64_t steps_before = 0;                   // taken by the phases that have ended
  double seconds = 0;                          // of training, over all resumes
  JudgedModel judged = {};                     // from phase ship on
};

void save_checkpoint(const std::string& path, const TrainingProgress& progress, const RunIdentity& run,
                     const model::Model& model, const Trainer& trainer);

// A run resumes with the config and the data it began with. Error{usage}: of another config, or of other data; the
// message says what changed. Error{failed}: damaged.
class Checkpoint {
 public:
  Checkpoint(const std::string& path, const RunIdentity& run);
  const TrainingProgress& progress() const { return progress_; }
  void restore(model::Model& model, Trainer& trainer) const;

 private:
  SectionFile file_;
  TrainingProgress progress_;
};

// The weights of the best model so far, in a file of their own.
void save_best(const std::string& path, const model::Model& model);
void load_best(const std::string& path, model::Model& model);

}  // namespace pagoda::train
