// The state of a run. A run that was killed resumes from it to the same bits as if it had never been killed.
//
// Section files of kind "checkpoint", version 3: progress, config, data, judged, evaluated, neighbours, ratio,
// weights/*, optimizer1/*, optimizer2/*, temperature, steps, frequency, mined, memory. Version 2, written by 0.1, lacks
// config, data, judged, evaluated and steps; its progress begins with a checksum of the config. A checkpoint is written
// to a file beside the old one, then renamed, so there is always a complete one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/patience.h"
#include "train/run_identity.h"
#include "train/trainer.h"

namespace pagoda::train {

// What loss.temperature_ratio = "auto" tries, in this order.
constexpr double kRatios[] = {1.0, 1.2};

enum class Phase : uint32_t {
  choose,  // trains on the training part; the validation part chooses the number of epochs
  judge,   // refits with both parts (RefitBy): the model that the test part may judge
  ship,    // refits with all rows, after the model before it was judged
};

// The model that was judged in place of the one that phase ship trains.
struct JudgedModel {
  std::string fingerprint;  // of its bundle; "": nothing was judged
  uint64_t training_rows = 0;
  std::string figures;  // JSON of `pagoda evaluate`, without the time it took
};

struct TrainingProgress {
  Phase phase = Phase::choose;
  uint64_t next_step = 0;  // of the phase
  double loss_sum = 0;     // of each step's loss times its examples, since the last record of the log
  uint64_t loss_examples = 0;
  double hit_sum = 0, pair_sum = 0;  // likewise: accidental hits, all (row, column) pairs
  double best_value = -1;            // of the choosing metric
  uint64_t best_epoch = 0;           // epochs trained at the best value; 0: not evaluated yet
  uint64_t evaluations_since_best = 0;
  std::vector<EvaluatedEpoch> evaluated = {};  // of phase choose
  uint64_t steps_before = 0;                   // of the finished phases
  double seconds = 0;                          // of training, over all resumes
  JudgedModel judged = {};                     // set from phase ship on
  model::NeighbourChoice neighbours = {};      // set after phase choose, where it was to be chosen
  // Where loss.temperature_ratio is to be chosen: in phase choose, the finished trainings, one for each of kRatios;
  // after it, the ratio that was chosen (0: not yet). best_value and best_epoch are the best of all of them.
  std::vector<std::vector<EvaluatedEpoch>> tried = {};
  double ratio = 0;
};

void save_checkpoint(const std::string& path, const TrainingProgress& progress, const RunIdentity& run,
                     const model::Model& model, const Trainer& trainer);

// A run resumes only with the config and the data it began with. Error{usage}: the checkpoint is of another config or
// of other data; the message says what changed. Error{failed}: it is damaged.
class Checkpoint {
 public:
  Checkpoint(const std::string& path, const RunIdentity& run);
  const TrainingProgress& progress() const { return progress_; }
  void restore(model::Model& model, Trainer& trainer) const;

 private:
  SectionFile file_;
  TrainingProgress progress_;
};

// The weights of the best model so far, in a file of their own; with a trainer, its state beside them.
void save_best(const std::string& path, const model::Model& model, const Trainer* trainer);
void load_best(const std::string& path, model::Model& model, Trainer* trainer);
// The trainer's state beside the weights goes on in `trainer` (Trainer::go_on).
void carry_best(const std::string& path, const model::CarryOver& carry, const dataset::Options& was, Trainer& trainer);

}  // namespace pagoda::train
