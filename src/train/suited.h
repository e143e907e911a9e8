// Options that suit an untuned log: `init` proposes them, and `train` uses them if it is given no config.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/time_split.h"
#include "dataset/options.h"

namespace pagoda::train {

struct LogSize {
  uint64_t rows = 0;
  int64_t items = 0;
};

// Options that train well on logs that nobody tuned for; docs/experiments/defaults.md has the figures. The towers add
// ids and features; the history is the user's other items, read by the items' own embeddings; Adam's rate falls;
// neighbours stand beside the towers as far as the validation part wants them. A key that a config omits keeps its own
// default, which is the value of version 0.1.
dataset::Options suited_options();

// Sets the lengths of the lists, the metric that chooses, the draws of a uniform source, the dimension and the batch.
// Returns a sentence on each choice worth telling.
std::vector<std::string> suit_size(dataset::Options& options, const LogSize& log);
// If lists keep what a user had, it becomes a negative, too, as it competes for places. If items have no ids, the
// history gets its own embeddings.
void suit_history(dataset::Options& options);
// For a log with times: the validation part decides how much the age of a row takes off its weight. Returns a sentence
// on it.
std::string suit_half_life(dataset::Options& options);
// `batch`, halved until an epoch has at least fifty steps, down to 64: so a small log has enough steps.
int64_t batch_for(int64_t batch, uint64_t rows);

// A split by time that leaves enough users to judge by (choose_time_split): 200 in both parts, or half of the users
// with three rows if that is fewer. If there is none, each user's last row is held out; if nobody has three rows,
// random rows are. Returns a sentence on it.
std::string suit_split(data::SplitOptions& split, const data::TimedRows& rows);

}  // namespace pagoda::train
