// Measures how well streaming frequency estimation follows a real log. Rows are replayed in order of time, and at
// regular checkpoints log p of each item is compared with its exact share of the last rows (a sliding window).
//
// The window is a yardstick, not the truth. The share of an item that occurs n times in it has a relative standard
// error of about 1 / sqrt(n). An estimator remembers about 1 / a gaps of an item, thus 1 / (a p) rows: fewer than the
// window for a hot item, more for a rare one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "data/interactions.h"

namespace pagoda::simulate {

// Items that came out together: a set of cards, a season.
struct ReplayCohorts {
  static constexpr uint32_t kNone = UINT32_MAX;
  std::vector<std::string> names;
  std::vector<uint32_t> of_item;  // per item of the log: its cohort, or kNone
};

struct FrequencyReplay {
  std::vector<double> learning_rates{0.1, 0.02, 0.01, 0.005};
  // Half-lives in rows of the decayed count-min sketches (decayed_count_min.h); empty: no sketch.
  std::vector<double> half_lives;
  std::vector<int64_t> hashes{1, 2, 4};  // the m to try, of the sketches too
  // In total: each of m hashes has buckets / m, of 16 bytes each. A sketch has the same memory: 4 cells of 4 bytes per
  // bucket.
  int64_t buckets = 65536;
  int64_t batch = 1024;     // rows observed at once; a checkpoint is at the end of a batch
  int64_t window = 200000;  // W: rows that the exact shares are counted over
  int64_t every = 0;        // rows from one checkpoint to the next; 0: window
  int64_t seed = 1;         // for the hashes
};

// The items over which an error is taken:
//   items  a tenth of the items of the window, ranked by their rows in it: decile 1 holds the hottest
//   rows   the items that make up a tenth of the window's rows, ranked likewise; an item is weighted by its rows
//   fresh  the items whose first row lies in the window
//   gone   the items seen before the window and not in it
//   cohort the items of one cohort, weighted by their rows; the window is that of the rows that FOLLOW the checkpoint,
//          which p estimates
// Items with equally many rows are ranked at random, not by age. An item belongs to the decile that holds its middle.
enum class ReplayGroup { items, rows, fresh, gone, cohort };
std::string_view name_of(ReplayGroup group);

enum class ReplayEstimator {
  counts,     // shares counted since the first row, to compare with: learning_rate, hashes, buckets are 0
  printed,    // Yi 2019 as printed: A starts at 0, B at the number of the log's items; colliding items share both
  streaming,  // sampling/frequency.h
  count_min,  // decayed_count_min.h
};
std::string_view name_of(ReplayEstimator estimator);

struct ReplayError {
  ReplayEstimator estimator;
  double learning_rate, half_life;  // 0 if it has none
  int64_t hashes, buckets;          // buckets (of a sketch: cells) of each hash
  int64_t row;                      // rows replayed so far
  int64_t time_us;                  // of the last of them
  ReplayGroup group;
  int decile;        // 1 to 10; 0 for fresh, gone and cohorts
  uint32_t cohort;   // kNone for other groups
  int64_t items;     // in the group; an empty group is left out
  double share;      // of the window's rows that are on the group's items
  double estimated;  // the same by the estimator: the sum of p
  // Over the group's items; NaN for `gone`, since their share is 0.
  double mean_error;       // mean of p / share - 1
  double mean_log_error;   // mean of log(p / share): what a loss corrected by log q sees
  double median_absolute;  // median of |p / share - 1|
  double median_ratio;     // median of p / share
};

// Results are ordered by checkpoint, then estimator (plain counts; printed and then streaming, each by learning rate
// and hashes; sketches by half-life and hashes), then group, then decile. With cohorts, they are the only groups, and a
// checkpoint without a whole window after it is left out. Also writes folder/replay.jsonl, one object per line with the
// names above (NaN: null). The clock ticks once per row. Rows of the same time keep the log's order, as all rows do if
// the log has no times. The results are the same on any number of threads. Error{usage}: a log shorter than the window,
// a size below 1, and what validate(FrequencyOptions) refuses.
std::vector<ReplayError> replay_frequency(const data::Interactions& log, const FrequencyReplay& options,
                                          ThreadPool& pool, const std::string& folder,
                                          const ReplayCohorts* cohorts = nullptr);

}  // namespace pagoda::simulate
