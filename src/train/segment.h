// One segment of a stream: rows that are learnt once, in order of time, by a model that goes on from the one before.
//
// A cut between two batches changes no bit, so segments may have any number of whole batches.
#pragma once

#include <memory>
#include <string>

#include "core/thread_pool.h"
#include "data/interactions.h"
#include "dataset/options.h"
#include "train/warm_start.h"

namespace pagoda::train {

struct LearntSegment {
  uint64_t examples = 0, steps = 0;
  double loss = 0;  // mean over the examples
  double temperature = 0;
  uint64_t steps_taken = 0;  // by the model, ever
};

// Learns `rows` and writes the bundle and its state. `from`: the model before; nullptr: random weights. Keeps the
// `latest_events` of each user, and the counts of the others.
//
// `options` are those of a stream: rows = "interaction", order = "time", nothing held out. options.data.items is read,
// where it is set, and goes into the bundle; of users the bundle keeps those alone that it has met, so that `users` is
// the whole table that options.data.users names, each time.
LearntSegment learn_segment(ThreadPool& pool, const dataset::Options& options, data::Interactions rows,
                            const std::shared_ptr<const data::Attributes>& users,
                            const std::shared_ptr<const WarmStart>& from, size_t latest_events,
                            const std::string& output);

}  // namespace pagoda::train
