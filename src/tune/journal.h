// trials.jsonl, what a tuning has done so far: a line that says of which config and data it is, and a line a finished
// stretch of a trial.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/run_identity.h"
#include "tune/trial_run.h"

namespace pagoda::tune {

struct Record {
  std::string id;  // of config and seed: TrialRunner::id()
  uint64_t seed = 0;
  int64_t epochs = 0;   // the rung
  size_t trial = 0;     // its number
  std::string origin;   // "as it stands", "spread", "near the best", "repeat"
  std::string changes;  // "loss.temperature = 0.07"
  Standing standing = {};
};

// Not thread-safe.
class Journal {
 public:
  // Reads the file where there is one, and begins it otherwise. A last line that a crash has cut is left out, with a
  // warning. Error{usage}: it is of another config, other data or another metric; the message says what changed.
  // Error{input}: damaged.
  Journal(std::string path, const train::RunIdentity& run, const std::string& metric);

  const Standing* find(const std::string& id, int64_t epochs) const;  // nullptr: not done yet
  size_t begun() const { return begun_; }                             // trials that have a line
  void add(const Record& record);                                     // written before it returns

 private:
  std::string path_, text_;
  std::map<std::pair<std::string, int64_t>, Standing> done_;
  size_t begun_ = 0;
};

}  // namespace pagoda::tune
