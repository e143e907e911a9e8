// The simulation of Yi et al., RecSys 2019, section 6.1: how well streaming frequency estimation follows a popularity
// that turns over at once.
//
// Items 0 .. M-1 have q_i ~ i^2. Each step draws a batch of |B| items without replacement; after `switch_step` steps
// q_i ~ (M - 1 - i)^2. The error is (1 / (2 |B|)) sum_i |p_i - |B| q_i|, where p_i is the estimated probability that
// item i is in the next batch. Drawing without replacement alone makes it at least about .0245 at M = 1000, |B| = 128.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/thread_pool.h"

namespace pagoda::simulate {

struct FrequencySimulation {
  int64_t items = 1000;
  int64_t batch = 128;
  std::vector<double> learning_rates{0.1, 0.02, 0.01, 0.005};
  int64_t buckets = 5000;          // in total: each of m hashes has buckets / m
  std::vector<int64_t> hashes{1};  // the m to try
  int64_t steps = 20000;
  int64_t switch_step = 10000;  // the last step of the first popularity; steps: it never changes
  int64_t every = 100;          // steps between two measurements
  double initial_gap = 100;     // where B starts in the paper's estimator (A starts at 0)
  int64_t seed = 1;
  int64_t seeds = 1;  // number of runs, each with its own draws and hashes; the error is their mean
};

struct FrequencyError {
  bool as_printed;  // the paper's estimator as printed; else ours, with the errata (sampling/frequency.h)
  double learning_rate;
  int64_t hashes, buckets;  // buckets of each hash
  int64_t step;
  double error;      // mean over the seeds
  double deviation;  // standard deviation over the seeds
};

// Every estimator sees the same draws. Results are ordered by estimator (printed, then ours; learning rate; hashes),
// then by step. Also writes folder/frequency.jsonl, one object per line with the names above. The results are the same
// on any number of threads. Error{usage}: a batch not smaller than the items, no step, no seed, and what
// validate(FrequencyOptions) refuses.
std::vector<FrequencyError> simulate_frequency(const FrequencySimulation& options, ThreadPool& pool,
                                               const std::string& folder);

}  // namespace pagoda::simulate
