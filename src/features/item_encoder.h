// Encodes items for the item tower.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/background.h"
#include "data/attributes.h"
#include "features/feature.h"

namespace pagoda::features {

// Many items, encoded ahead.
struct EncodedItems {
  std::vector<uint32_t> id_rows;         // row of the id table
  std::vector<EncodedColumns> features;  // per feature
  size_t size() const { return id_rows.size(); }
};

// Fitted on the training part; immutable after that. The layout of its batches: the bag of the id (if enabled), then
// the features in the order of the config; plain numbers are in `dense`.
class ItemEncoder {
 public:
  // `ids`: the catalogue, in the order in which ids get their rows, with their training counts. `table` may be null;
  // its rows are joined by id. Error{usage}: a feature's column is not in the table (the message names the nearest).
  static ItemEncoder fit(const ItemOptions& options, size_t model_dim, const columns::Interner& ids,
                         const data::Attributes* table, std::span<const uint64_t> training_counts);

  // The same encoder with rows for new ids and values; every old one keeps its row. `options`: those it was fitted
  // with. The columns of `table` that a feature reads must be there, as for fit().
  ItemEncoder extended(const ItemOptions& options, const columns::Interner& ids, const data::Attributes* table,
                       std::span<const uint64_t> training_counts) const;
  void let_go(std::span<const uint32_t> id_rows);  // these ids go to hash buckets; extended() uses their rows again
  // Where the rows of each bag's table went, of an encoder that was extended from `before`.
  std::vector<RowMove> moves_from(const ItemEncoder& before) const;

  const TowerLayout& layout() const { return layout_; }
  bool depends_on_time() const;
  const Vocabulary& id_vocabulary() const { return id_vocabulary_; }  // also of the history's own table

  // Encodes items by id, with attributes joined from `table` (null: all absent). An id outside the vocabulary goes to a
  // hash bucket, so that new items are encoded, too.
  EncodedItems cells(const columns::Interner& ids, const data::Attributes* table,
                     BackgroundThrottle* throttle = nullptr) const;

  // Gathers rows of `cells`. timestamps_us: the time of each row, or one for all (empty: no feature depends on it).
  void encode(const EncodedItems& cells, std::span<const uint32_t> rows, std::span<const int64_t> timestamps_us,
              EncodedBatch& out) const;

  std::vector<const Feature*> vector_features() const;  // of kind = "vector", each a column of the item table
  bool reads_vectors() const { return !vector_features().empty(); }

  void save(ByteWriter& out) const;
  static ItemEncoder load(ByteReader& in, Spelling spelling = Spelling::canonical);  // spelling: of feature values

 private:
  void make_layout();
  bool id_enabled_ = true;
  size_t id_dim_ = 0;
  Vocabulary id_vocabulary_;
  std::vector<Feature> features_;
  TowerLayout layout_;
};

// The column of a table by name. Error{usage} that names the nearest if there is none.
const columns::Column& feature_column(const data::Attributes* table, const std::string& name, const char* which_table);

// The vectors of a table by name. Error{usage} that names the nearest if there are none.
const columns::VectorColumn& feature_vectors(const data::Attributes* table, const std::string& name,
                                             const char* which_table);

// Gathers encoded cells into the bags and dense columns of a batch, in the order of the layout. Both encoders use it.
class BatchGather {
 public:
  BatchGather(EncodedBatch& out, const TowerLayout& layout, size_t size);
  // Gathers rows of `cells`. For Interner::kNone, bag() takes the one list of `null`, and numbers() 0, the mean.
  void bag(const math::Bag& cells, const math::Bag& null, std::span<const uint32_t> rows);
  math::Bag& next_bag();
  // Of a dense feature: its number, or its vector.
  void numbers(const Feature& feature, const EncodedColumns& cells, std::span<const uint32_t> rows);

 private:
  EncodedBatch& out_;
  size_t bag_ = 0, dense_ = 0;
};

}  // namespace pagoda::features
