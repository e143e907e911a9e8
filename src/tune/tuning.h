// A tuning: trials of configs on the validation part, until the budget is spent. The test part is not looked at.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "math/bootstrap.h"
#include "tune/importance.h"
#include "tune/search.h"
#include "tune/space.h"
#include "tune/trial_run.h"

namespace pagoda::tune {

struct Budget {
  std::optional<int64_t> trials;  // in all, those of earlier calls included; otherwise:
  double minutes = 30;            // of this call
};

// A stretch of a trial that is done, in the order in which the search asked for it.
struct Stretch {
  Job job;
  Standing standing;
  double seconds = 0;  // of this stretch
};

// A trial that was trained again with other seeds.
struct Finalist {
  size_t trial = 0;
  std::vector<Standing> repeats = {};  // per fresh seed
  std::vector<double> users = {};      // the metric of each user, averaged over the fresh seeds
  double mean = 0;                     // of the metric over them. Without a fresh seed both are those of the search.
};

struct Outcome {
  Space space;
  std::string metric;
  size_t users = 0;            // that the trials are judged by
  std::vector<int64_t> rungs;  // in epochs of the config as it stands; a config of more epochs has as many more here
  uint64_t seed = 0;           // train.seed of the trials
  std::vector<uint64_t> fresh_seeds;  // of the repeats; empty: there was no time for them
  std::vector<Trial> trials;
  std::vector<Stretch> stretches;
  std::vector<Finalist> finalists;  // the first is the config as it stands
  size_t winner = 0;                // of the finalists
  // Of the winner, less the config as it stands: the mean over users and its bootstrap interval over them.
  double difference = 0;
  math::Interval interval = {};
  int64_t epochs(size_t trial) const;  // that it was trained for, at most
  bool is_sure() const { return winner != 0 && interval.low > 0; }
};

struct KeyImportance {
  size_t key = 0;  // of the space
  Importance importance;
};
// Of the keys of which something can be said, the one that explains most first; `epochs` takes the rung that they are
// judged at.
std::vector<KeyImportance> key_importance(const Outcome& outcome, int64_t& epochs);

// Goes on with what the folder holds of the same config and data; writes trials.jsonl there and states/. `base` and
// `data` are of the same files. Nothing: the end was asked for, or the time was over, before the config as it stands
// was trained to its end. `interrupted` is looked at after every step. Error{usage}: a budget of nothing, another
// tuning in the folder, or one at work there.
std::optional<Outcome> tune(ThreadPool& pool, const dataset::Options& base, const dataset::Dataset& data,
                            const Budget& budget, const std::string& folder, const std::atomic<bool>& interrupted);

}  // namespace pagoda::tune
