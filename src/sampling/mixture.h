// The mixture of all sources of negatives. One rule corrects every column, whichever source brought it, by
//
//   lambda_j = sum_k n_k q_k(j)     how often item j is expected among the columns of a row
//
// over the sources with a density (Yi et al. 2019 and Yang et al. 2020 are its cases of one and two sources). It would
// be wrong to correct a column by the density of the source that brought it: item j comes from all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sampling/negatives.h"

namespace pagoda::sampling {

enum class CorrectBy {
  mixture,  // the rule
  source,   // each column by the source that brought it alone: what goes wrong elsewhere, to be measured in experiments
};

// The columns of one step, in this order: the batch's positives, shared draws in the order of the sources (memory
// among them), then the items that only some rows have (each once).
struct Columns {
  std::vector<uint32_t> items;           // [N] item row of each column
  std::vector<double> log_count;         // [N] log lambda
  std::vector<double> log_multiplicity;  // [N], or empty
  double drawn = 0;                      // n: how many of a row's columns are draws (for leave_one_out)
  size_t first_negative = 0;             // columns before it are no draws: only the positive of their own row
  // Columns whose vectors are those of the memory, in its order. They are constants and push no item away. So that
  // items still feel all of their negatives, what comes back to a live negative column is scaled by lambda over the
  // part of it that is not the memory's: gradient_scale [N], empty without a memory. A positive's column must not be
  // scaled: beside a memory, in-batch negatives are columns of their own behind the positives.
  size_t memory_begin = 0, memory_end = 0;
  std::vector<float> gradient_scale;
  size_t shared = 0;                        // columns from it on are negatives only where row_columns names them
  math::Ragged<uint32_t> row_columns;       // per row of the batch: columns of its own; empty: no source has any
  std::vector<double> row_log_count;        // parallel to row_columns.values: log lambda; 0 of uncorrected sources
  std::vector<uint8_t> source, row_source;  // which of the mixture's sources brought a shared column, a row's column
};

// Immutable: draw may be called from several threads while nobody observes the frequency or pushes to the memory.
class Mixture {
 public:
  // Error{usage}: as make_negative_source; no source at all, one named twice, `catalogue` beside others, none that can
  // draw every item all through the training (each positive must have an expected count).
  Mixture(const std::vector<NegativesOptions>& options, const SamplingContext& context,
          CorrectBy correct_by = CorrectBy::mixture);
  // The whole catalogue as columns: column j is item j, positives are found by item row.
  bool is_catalogue() const { return catalogue_; }
  // step.positives are columns 0 .. P-1 (unless is_catalogue()). Without an in_batch source they are columns too (each
  // row needs its own), but negatives of no row (first_negative = P): log_count holds only what the declared sources
  // draw of them.
  void draw(const SamplingStep& step, Columns& columns) const;
  // How many of the hardest in-batch negatives each positive gets at this step (mined, online).
  int64_t hardest(const SamplingStep& step) const;

 private:
  void draw_rows(const SamplingStep& step, Columns& columns) const;
  void count(const SamplingStep& step, Columns& columns) const;
  void count_by_source(const SamplingStep& step, Columns& columns) const;

  std::vector<std::unique_ptr<NegativeSource>> sources_;
  const NegativeSource* mined_online_ = nullptr;
  SamplingContext context_;
  CorrectBy correct_by_;
  bool catalogue_ = false, in_batch_ = false, per_row_ = false;
  std::vector<double> log_multiplicity_;  // of the catalogue
};

// Gives rows further columns, uncorrected ones: `more` lists per row columns that are there already.
void add_row_columns(const math::Ragged<uint32_t>& more, Columns& columns);

// The capacity of the memory that the options ask for; 0: none of them is cross_batch. Its own count is eight batches.
size_t memory_capacity(const std::vector<NegativesOptions>& options, size_t batch_rows);
// The options of the offline mined source, or nullptr.
const NegativesOptions* offline_mining(const std::vector<NegativesOptions>& options);

}  // namespace pagoda::sampling
