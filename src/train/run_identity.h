// What a run is the run of: its config and its data. A checkpoint goes on only where both are as they were.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataset/dataset.h"
#include "dataset/options.h"

namespace pagoda::train {

struct RunIdentity {
  std::string config;  // dataset::resume_record(), without what changes no bit: threads, time between checkpoints
  std::string data;    // JSON: counts and checksums of what was read, sizes of the files that are named one by one
  // Of the config alone: what checkpoints of version 0.1 are told by. More than one where that version's default meant
  // something else.
  std::vector<uint64_t> former_checksums;
};

// One pass over the data in memory; the files are not read again.
RunIdentity run_identity(const dataset::Options& options, const dataset::Dataset& data);

// In words: what of `now` is not as it was, "train.epochs is 8, was 6; the log has 120 rows, had 100". "": nothing.
std::string what_changed(const RunIdentity& was, const RunIdentity& now);

}  // namespace pagoda::train
