// Going on from a model: `pagoda train --from MODEL`.
//
// What training changes beside the weights lies in MODEL.state, a section file of kind "state", version 1, which
// `train` writes after the bundle: `info` (JSON: the fingerprint of what was learnt, steps, lineage), `times` (i64: of
// the users' events, in the order of the bundle's histories), those of model::save_vectors() if the item table has
// vectors, and the sections of Trainer::save(). Bytes: 4 for each
// weight of a table or layer with adagrad, 8 with adam, 4 a table row with row_adagrad, none with sgd; 8 for each
// event; 16 a bucket and hash of the streaming frequency; 4 x dim + 12 for each vector of a cross-batch memory; 4 for
// each component of a given vector.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dataset/earlier.h"
#include "dataset/options.h"
#include "train/trainer.h"

namespace pagoda::train {

std::string state_path(const std::string& bundle);  // BUNDLE.state

// Where a model comes from: the training that began with random weights, and how often it was gone on from since.
struct Lineage {
  uint64_t full_rows = 0;  // that the first training learnt from
  uint64_t times = 0;
};

// The state of `trainer`, for the bundle that lies at `bundle` already; both kinds of events are those of its users,
// `items` its item table (nullptr: none). latest_events: the bundle keeps so many of each user, 0: all. Writes beside,
// then renames. Returns the bytes written.
uint64_t write_state(const std::string& bundle, const dataset::Events& events,
                     const std::vector<dataset::EventHistory>& event_histories, const Lineage& lineage,
                     const Trainer& trainer, const data::Attributes* items, uint64_t latest_events = 0);

// Says how often the model went on, and with how much; a warning when it has learnt more that way than at first: means
// and bounds of numbers, widths of tables and hash buckets are still those of the first training.
void say_lineage(const Lineage& lineage, uint64_t rows);

class WarmStart {
 public:
  // Opens the bundle and its state. A warning says what begins anew if there is no state, or if it is of another model.
  // forget_us: Earlier::forget_us. Error{usage}: an ensemble, or bare vectors; forget_us without times. Error{failed}:
  // one of the files is damaged.
  explicit WarmStart(const std::string& path, int64_t forget_us = 0);

  const dataset::Options& options() const { return options_; }  // of the model
  // The model's options for new rows that bring no config of their own: nothing is held out, and each is learnt as
  // often as the rows before it were.
  dataset::Options options_for_more() const;
  const std::shared_ptr<const dataset::Earlier>& earlier() const { return earlier_; }
  std::string fingerprint() const { return earlier_->bundle->fingerprint(); }

  // Error{usage}: a config that makes towers of another shape; the message has each key.
  void check_shape(const dataset::Options& now) const;
  Lineage next() const { return {lineage_.full_rows, lineage_.times + 1}; }  // of the model that goes on from it
  StepPlan plan() const { return {.planned = 0, .before = steps_, .goes_on = true}; }
  // Carries weights and state over into a model whose encoders were extended from earlier(), and its trainer.
  void carry(model::Model& now, Trainer& trainer) const;

 private:
  dataset::Options options_;
  std::shared_ptr<const dataset::Earlier> earlier_;
  std::shared_ptr<const SectionFile> state_;  // nullptr: it begins anew
  uint64_t steps_ = 0;
  Lineage lineage_;
};

}  // namespace pagoda::train
