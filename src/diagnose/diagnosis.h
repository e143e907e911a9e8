// Measures what a log says about the negatives that training on it needs. Advice on them is in advice.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diagnose/columns.h"
#include "diagnose/drift.h"

namespace pagoda::diagnose {

// The rows of the training part. Borrowed for the call. user and item [N] are parallel; time_us [N], or empty.
struct ClickLog {
  std::span<const uint32_t> user, item;
  std::span<const int64_t> time_us;
  uint32_t users = 0;            // user < users
  uint32_t catalogue_items = 0;  // item < catalogue_items: the served catalogue, including items that nobody clicked
};

struct DiagnosisOptions {
  int64_t batch = 4096;
  int64_t dim = 64;  // of the vectors, for the cost of a step
};

// A stratum of the items by popularity, as in `pagoda evaluate`; the first is the hottest.
struct Stratum {
  const char* name = "";
  uint64_t items = 0, clicks = 0;
  double in_batch_columns = 0;     // per item: expected columns of a batch, B q
  double in_batch_chance = 0;      // per item: that it is a column beside a row of someone who has not clicked it
  double with_uniform_chance = 0;  // the same with Diagnosis::uniform_count uniform columns added
};

struct Diagnosis {
  uint64_t rows = 0, users = 0, catalogue_items = 0, clicked_items = 0;
  uint64_t items_below_5_clicks = 0;  // including those never clicked
  uint64_t median_user_rows = 0;      // of users with any row
  uint64_t batch = 0, steps = 0;      // B, at most N; whole batches of an epoch

  // Popularity, over the whole catalogue.
  double top_1_share = 0, top_5_share = 0, top_20_share = 0, gini = 0;
  std::array<Stratum, 5> strata;
  // Log of the ratio of expected columns of an item of the top 1% (mean) to the median clicked item: how much more an
  // uncorrected in-batch loss subtracts from the logit of the first.
  double log_q_gap = 0;

  // In-batch columns.
  double items_in_batch = 0;      // expected number of different ones
  double items_absent_epoch = 0;  // expected number that are in no batch of an epoch
  double items_absent_user = 0;   // ... that are beside no row of the median user in an epoch
  double accidental_hits = 0;     // share of a row's other columns
  std::optional<double> accidental_hits_in_time_order;
  double liked_in_batch = 0,
         liked_uniform = 0;  // share of columns whose item the row's user clicks anywhere in the log
  // For in-batch columns alone, and with uniform_count uniform columns, which uniform_count_for() proposes.
  uint64_t uniform_count = 0;
  double effective_items = 0;  // 1 / sum q^2 of one in-batch column
  EffectiveNegatives in_batch, with_uniform;
  double items_absent_user_with_uniform = 0;

  std::optional<Drift> drift;

  // Multiply-adds of an epoch for the logits, forward and backward (3 B columns dim per step), and how often an item is
  // encoded: once per column of a step; with every item a column, a step has kCatalogueBatch rows.
  double sampled_cost = 0;       // B + uniform_count columns per row
  double catalogue_cost = 0;     // every item a column of each row
  double catalogue_by_user = 0;  // and of each user once (train.rows = "user")
  double sampled_encoded = 0, catalogue_encoded = 0, catalogue_by_user_encoded = 0;

  //   // In how many of the median user's rows in an epoch an item is a column that is one with this `chance` in each.
  double beside_median_user(double chance) const { return chance * static_cast<double>(median_user_rows); }
  double chance_by_uniform() const;  // that an item is among the uniform columns of a step
};

// Uniform columns per step: the least power of two from 256 to 8192 that makes an item a column in a twenty-fifth of
// the steps (so that a user with 25 rows sees each item once per epoch), but at most half of the catalogue, and at
// least 1.
uint64_t uniform_count_for(uint64_t catalogue_items);

// The number of periods between which drift is measured.
inline constexpr size_t kPeriods = 10;
// Rows of a step against the whole catalogue: fewer than with sampled columns, since the cost grows with them.
inline constexpr uint64_t kCatalogueBatch = 512;

// Error{input}: fewer than two rows, a catalogue of one item.
Diagnosis diagnose(const ClickLog& log, const DiagnosisOptions& options);

}  // namespace pagoda::diagnose
