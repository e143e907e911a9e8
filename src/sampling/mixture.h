// The mixture of all sources of negatives. One rule corrects every column of a source with a known density, whichever
// source that is, by
//
//   lambda_j = sum_k n_k q_k(j)     how often item j is expected among the columns of a row
//
// over these sources (Yi et al. 2019 and Yang et al. 2020 are the cases of one and two sources). It would be wrong to
// correct a column by the density of the source that brought it alone: any of them may bring item j.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sampling/negatives.h"

namespace pagoda::sampling {

enum class CorrectBy {
  mixture,  // the rule
  source,   // each column by the density of its own source: a common mistake, to be measured in experiments
};

// The columns of one step, in this order: the batch's positives, shared draws in the order of the sources (memory
// among them), then the items that only some rows have (each once).
struct Columns {
  std::vector<uint32_t> items;           // [N] item row of each column
  std::vector<double> log_count;         // [N] log lambda
  std::vector<double> log_multiplicity;  // [N], or empty
  double drawn = 0;                      // n: how many of a row's columns are draws (for leave_one_out)
  size_t first_negative = 0;             // columns before it are positives only, and negatives of no row
  // Columns [memory_begin, memory_end) take their vectors from the memory, in its order. These vectors are constants,
  // so they push no item away. To compensate, the gradient of every live negative column is multiplied by
  // lambda / (lambda without the memory): gradient_scale [N], empty without a memory. A positive's column must not be
  // scaled, so beside a memory the in-batch negatives are columns of their own, after the positives.
  size_t memory_begin = 0, memory_end = 0;
  std::vector<float> gradient_scale;
  size_t shared = 0;                        // columns from it on are negatives only of rows that name them
  math::Ragged<uint32_t> row_columns;       // per row of the batch: its own columns; empty: no row has any
  std::vector<double> row_log_count;        // parallel to row_columns.values: log lambda; 0 for uncorrected sources
  std::vector<uint8_t> source, row_source;  // the source that drew each shared column, each row's column
};

// Immutable: draw may be called from several threads while nobody observes the frequency or pushes to the memory.
class Mixture {
 public:
  // Error{usage}: as make_negative_source; also no source at all, one named twice, `catalogue` beside others, and no
  // source that can draw every item throughout training (each positive must have an expected count).
  Mixture(const std::vector<NegativesOptions>& options, const SamplingContext& context,
          CorrectBy correct_by = CorrectBy::mixture);
  // The whole catalogue as columns: column j is item j, positives are found by item row.
  bool is_catalogue() const { return catalogue_; }
  // step.positives are columns 0 .. P-1 (unless is_catalogue()). Without an in_batch source they are still columns,
  // since each row needs its positive, but they are negatives of no row (first_negative = P), and their log_count
  // covers only the draws of the declared sources.
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

// Adds uncorrected columns to rows: `more` lists, per row, columns that exist already.
void add_row_columns(const math::Ragged<uint32_t>& more, Columns& columns);

// The capacity of the memory that the options ask for, eight batches by default; 0 if none of them is cross_batch.
size_t memory_capacity(const std::vector<NegativesOptions>& options, size_t batch_rows);
// The options of the offline mined source, or nullptr.
const NegativesOptions* offline_mining(const std::vector<NegativesOptions>& options);

}  // namespace pagoda::sampling
