// What identifies a run: its config and its data. A checkpoint resumes only if neither has changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataset/dataset.h"
#include "dataset/options.h"

namespace pagoda::train {

struct RunIdentity {
  std::string config;  // dataset::resume_record(), without keys that change no bit: threads, checkpoint_seconds
  std::string data;    // JSON: counts and checksums of what was read, sizes of the files that are named one by one
  // Checksums of the config alone, by which checkpoints of version 0.1 identify theirs; several if a default of that
  // version meant something else.
  std::vector<uint64_t> former_checksums;
};

// One pass over the data in memory; the files are not read again.
RunIdentity run_identity(const dataset::Options& options, const dataset::Dataset& data);

// What has changed in `now`, in words: "train.epochs is 8, was 6; the log has 120 rows, had 100". "": nothing.
std::string what_changed(const RunIdentity& was, const RunIdentity& now);

}  // namespace pagoda::train
