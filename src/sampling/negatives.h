// Where negatives come from. Every source declares its density; the mixture is what the loss corrects by.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/fields.h"
#include "sampling/frequency.h"

namespace pagoda {

struct NegativesOptions {
  std::string source = "in_batch";  // "in_batch", "uniform", "catalogue"
  int64_t count = 1024;             // columns a step, for sources that draw
  double power = 0.0;               // catalogue: columns weighted by popularity^power; 0: all alike
};

void describe(Fields& fields, NegativesOptions& options);
std::vector<std::string> negative_source_names();

// One source of columns. Immutable during a step, so draws need no lock.
class NegativeSource {
 public:
  virtual ~NegativeSource() = default;
  virtual std::string_view name() const = 0;
  // Appends this step's columns (item rows of the catalogue); depends on (seed, step) alone.
  virtual void draw(uint64_t seed, uint64_t step, std::vector<uint32_t>& columns) const = 0;
  // log (n_k q_k(item)): the log of how often the item is expected among this source's columns of a step;
  // -infinity when it can not be drawn.
  virtual double log_expected_count(uint32_t item) const = 0;
};

// What every source may be made from. Borrowed: outlives the sources.
struct NegativeWorld {
  uint32_t catalogue_items = 0;               // the served catalogue: rows [0, catalogue_items)
  int64_t batch_rows = 0;                     // B
  std::span<const uint64_t> training_counts;  // [catalogue_items] rows of the training part on each item
  const Frequency* frequency = nullptr;       // of the positives' stream
};

// The sources, a file each:
//   in_batch   draws nothing itself: the batch's positives serve as each other's columns; lambda = B q, q from
//              world.frequency (clock = step: lambda = p, the probability to be in the batch)
//   uniform    `count` items of the catalogue, each equally likely, with replacement: lambda = count / items
//   catalogue  every item once: lambda = 1; the whole of the columns, so it stands alone
// log_multiplicity of the catalogue: power log(popularity of the item / mean popularity), half a count for an item
// never seen.
std::unique_ptr<NegativeSource> make_in_batch(const NegativeWorld& world);
std::unique_ptr<NegativeSource> make_uniform(int64_t count, uint32_t catalogue_items);
std::unique_ptr<NegativeSource> make_catalogue(uint32_t catalogue_items);
std::vector<double> catalogue_log_multiplicity(double power, const NegativeWorld& world);

// The one visible list of sources. Error{usage}: an unknown name (with the nearest), a count below 1.
std::unique_ptr<NegativeSource> make_negative_source(const NegativesOptions& options, const NegativeWorld& world);

// lambda_j = sum_k n_k q_k(j), in log space. Columns of one step, in the order of the sources; the in-batch ones are
// the batch's own positives and come first.
struct Columns {
  std::vector<uint32_t> items;           // [N] item row of each column
  std::vector<double> log_count;         // [N] log lambda
  std::vector<double> log_multiplicity;  // [N], or empty
  double drawn = 0;                      // n: how many columns are draws (for leave_one_out)
  size_t first_negative = 0;             // columns before it are no draws: only the positive of their own row
};

// Immutable: draw may be called from several threads while nobody observes the frequency.
class Mixture {
 public:
  // Error{usage}: as make_negative_source; no source at all, a source named twice, `catalogue` beside others.
  Mixture(const std::vector<NegativesOptions>& options, const NegativeWorld& world);
  // The whole catalogue as columns: column j is item j, positives are found by item row.
  bool is_catalogue() const;
  // `positives`: the item of each example of the batch; they are columns 0 .. B-1 (unless is_catalogue()).
  // Without an in_batch source they are columns too (each row needs its own), but negatives of no row (first_negative =
  // B): log_count holds only what the declared sources draw of them. A batch shorter than world.batch_rows (the last of
  // an epoch) counts for what it is.
  void draw(std::span<const uint32_t> positives, uint64_t seed, uint64_t step, Columns& columns) const;

 private:
  std::vector<std::unique_ptr<NegativeSource>> sources_;
  NegativeWorld world_;
  bool catalogue_ = false, in_batch_ = false;
  std::vector<double> log_multiplicity_;  // of the catalogue
};

}  // namespace pagoda
