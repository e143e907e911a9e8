// What suits a log where nobody has said it: for `init`, which proposes it, and for `train` without a config.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/time_split.h"
#include "dataset/options.h"

namespace pagoda::train {

// The rows and what they are of.
struct LogSize {
  uint64_t rows = 0;
  int64_t items = 0;
};

// What trains well on logs that nobody tuned for; docs/experiments/defaults.md has the figures. Sums of ids and features,
// a history that is the user's other items, read by the items' own embeddings, and Adam with a falling rate. A config
// that does not say a key keeps the value of version 0.1, which the key's own default is.
dataset::Options suited_options();

// Lengths of lists, the metric that chooses, the draws of a uniform source and the batch. Gives what is to be said of it, a
// sentence each.
std::vector<std::string> suit_size(dataset::Options& options, const LogSize& log);
// Where lists keep what a user had, it is a negative, too: it competes for their places. Where items have no ids, a history
// has embeddings of its own.
void suit_history(dataset::Options& options);
// With times, rows weigh by their age as the validation part tells. Gives what is to be said of it.
std::string suit_half_life(dataset::Options& options);
// An epoch of a small log is some fifty steps, not one: `batch` halved until it is, down to 64.
int64_t batch_for(int64_t batch, uint64_t rows);

// A split in time that leaves users to judge by (choose_time_split). Where none leaves 200 of them, or half of those whom
// their last rows would judge, each user's last row is held out; where nobody has three rows, rows at random. Gives what is
// to be said.
std::string suit_split(data::SplitOptions& split, const data::TimedRows& rows);

}  // namespace pagoda::train
