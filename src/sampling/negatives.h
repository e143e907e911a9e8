// The sources of negatives. Every source declares its density; the loss corrects by the mixture of them (mixture.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/option_visitor.h"
#include "math/ragged.h"
#include "sampling/cross_batch_memory.h"
#include "sampling/frequency.h"

namespace pagoda::sampling {

enum class Mining {
  online,   // the hardest of the batch's other positives, by the vectors of the step itself
  offline,  // from lists that the trainer mines with the present model every so often
};

// Mined negatives begin after this share of the training by default: before that, the model does not know what is hard.
inline constexpr double kMinedStart = 0.2;

// Which items `uniform` draws. An item without a row may be new: as a negative it learns that nobody wants it.
enum class DrawnItems : uint8_t {
  all,      // of the catalogue
  clicked,  // those with a row of the training part
};

struct NegativesOptions {
  std::string source = "in_batch";     // a name of negative_source_names()
  int64_t count = 0;                   // columns a step, or a row for sources of per-row columns; 0: the source's own
  int64_t final_count = -1;            // the count moves evenly to this one at the end of training; -1: it stays
  std::optional<double> start = {};    // share of training at which the source begins; none: the source's own
  double stop = 1.0;                   // and at which it ends
  std::optional<double> power = {};    // of popularity; none: the source's own
  DrawnItems items = DrawnItems::all;  // uniform
  std::optional<double> share = {};    // hot: of the items, the head; cold_per_user: the tail; none: the source's own
  Mining mining = Mining::online;
  int64_t first_rank = 101, last_rank = 500;  // offline mining: the ranks that are hard and not too hard (EBR)
  double shard = 0.25;                        // offline mining: share of the catalogue that is searched, drawn anew
  int64_t refresh = 1;                        // offline mining: epochs between two searches
};

void describe(OptionVisitor& visitor, NegativesOptions& options);
std::vector<std::string> negative_source_names();
// Whether the source can draw any item of the catalogue, at every moment of the training.
bool draws_any_item(const NegativesOptions& options);
// Whether it is of per-row columns, and needs SamplingContext::user_items.
bool draws_by_user(const NegativesOptions& options);

// What a step's draws depend on, besides what their source borrows from the SamplingContext: lists, counts, and for
// some sources a state that the trainer changes between steps (memory, mined lists). Borrowed for the call.
struct SamplingStep {
  uint64_t seed = 0, step = 0;
  double progress = 0;                  // share of the training that is done, [0, 1)
  std::span<const uint32_t> positives;  // the items of all rows' positives, row by row
  std::span<const uint32_t> users;      // [B] per row: its user, a row of the context's lists
};

// One source of columns. Immutable during a step, so draws need no lock. A source either appends columns that all rows
// of the batch share (draw), or columns of single rows (draw_row, per_row() true).
class NegativeSource {
 public:
  virtual ~NegativeSource() = default;
  // n_k: how many columns it gives each row at this step.
  virtual double draws(const SamplingStep& step) const = 0;
  // log q_k(item): the log probability that one of its draws is that item; -infinity if it cannot be drawn.
  virtual double log_density(uint32_t item) const = 0;
  virtual void draw(const SamplingStep&, std::vector<uint32_t>& /*columns*/) const {}
  // May draw positives of the row's user: the mixture drops them, so that the density of every other item is known and
  // the same for all rows.
  virtual void draw_row(const SamplingStep&, size_t /*row*/, std::vector<uint32_t>& /*items*/) const {}
  virtual bool per_row() const { return false; }
  // Whether its columns are draws of a density that log_density() knows. If not, they enter the loss uncorrected (log
  // count 0), and the mixture's expected count leaves them out.
  virtual bool has_known_density() const { return true; }
  // Whether a column of the memory takes the density that was stored with it in place of log_density(). True where
  // log_density() is that of the positives' stream now: the item was drawn from the stream as it was then.
  virtual bool uses_stored_density() const { return false; }
  // The memory that holds the vectors of its columns; nullptr if the item tower makes them.
  virtual const CrossBatchMemory* memory() const { return nullptr; }
};

// Lists of items, one a user: mined hard negatives, or what was shown and not clicked.
using ItemsOfUsers = math::Ragged<uint32_t>;

// What sources are made from. Borrowed: it outlives them.
struct SamplingContext {
  uint32_t catalogue_items = 0;  // the served catalogue: rows [0, catalogue_items)
  // Of them, rows [0, *existing_items) exist at the present step; nullptr: all do. In a pass in order of time, an item
  // begins to exist with its first row.
  const uint32_t* existing_items = nullptr;
  int64_t batch_rows = 0;                     // B
  std::span<const uint64_t> training_counts;  // [catalogue_items] rows of the training part on each item
  const Frequency* frequency = nullptr;       // of the positives' stream
  const ItemsOfUsers* user_items = nullptr;   // per user: its training positives, rising; for per-row sources
  const ItemsOfUsers* impressions = nullptr;  // per user: shown, not clicked; nullptr: the data has none
  const ItemsOfUsers* mined = nullptr;        // per user: hard negatives; empty lists until they are mined
  const CrossBatchMemory* memory = nullptr;   // of earlier batches
};

// The sources, a file each. q is the density of one draw, n the number of draws:
//   in_batch       the batch's positives serve as each other's columns; n = B, q from context.frequency
//                  (clock = step: n = 1, q = p, the probability to be in the batch)
//   uniform        n items of those that exist, or of those with a training row, with replacement: q = 1 / items
//   popularity     q = c^power / sum c^power, c the training count (half a count for an item never seen)
//   hot            the same within the head alone: the `share` of the items with the most training rows;
//                  share = 1, power = 0.75 is word2vec's form
//   cold_per_user  n items for each row, from the tail alone: the `share` of the items with the fewest training rows,
//                  those never clicked included; q = 1 / items of the tail
//   cross_batch    the columns of a memory of earlier batches' positives; n = what it holds, q as stored with each
//   mined          hard negatives; uncorrected. online: n for each positive of the batch, found by the trainer between
//                  the towers and the loss. offline: n for each row, at random from its user's mined list
//   impressions    n for each row, at random from what its user was shown and did not click; uncorrected
//   catalogue      every item once: n q = 1; the whole of the columns, so it stands alone
// Error{usage}, with the key: a count below 0, a share outside (0, 1], data that the context does not have.
std::unique_ptr<NegativeSource> make_in_batch(const SamplingContext& context);
std::unique_ptr<NegativeSource> make_uniform(const NegativesOptions& options, const SamplingContext& context);
std::unique_ptr<NegativeSource> make_popularity(const NegativesOptions& options, const SamplingContext& context);
std::unique_ptr<NegativeSource> make_hot(const NegativesOptions& options, const SamplingContext& context);
std::unique_ptr<NegativeSource> make_cold_per_user(const NegativesOptions& options, const SamplingContext& context);
std::unique_ptr<NegativeSource> make_cross_batch(const NegativesOptions& options, const SamplingContext& context);
std::unique_ptr<NegativeSource> make_mined(const NegativesOptions& options, const SamplingContext& context);
std::unique_ptr<NegativeSource> make_impressions(const NegativesOptions& options, const SamplingContext& context);
std::unique_ptr<NegativeSource> make_catalogue(const SamplingContext& context);

// The source that options.source names. Error{usage}: an unknown name (with the nearest), and as above.
std::unique_ptr<NegativeSource> make_negative_source(const NegativesOptions& options, const SamplingContext& context);

// log of how many columns each item of the catalogue stands for: power log(popularity of the item / mean popularity),
// half a count for an item never seen.
std::vector<double> catalogue_log_multiplicity(double power, const SamplingContext& context);

// The count of a source at a moment of training, from its options' count, final_count, start and stop.
class CountSchedule {
 public:
  CountSchedule(const NegativesOptions& options, int64_t own_count, double own_start = 0);
  int64_t at(double progress) const;

 private:
  int64_t count_, final_count_;
  double start_, stop_;
};

// Error{usage}: what no source can mean, such as a count below 0 or a share outside (0, 1].
void validate(const NegativesOptions& options);

// Rows of the catalogue by training count, the most popular first, ties by row.
std::vector<uint32_t> items_by_popularity(const SamplingContext& context);

}  // namespace pagoda::sampling
