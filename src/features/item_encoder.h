// Items as the item tower reads them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/background.h"
#include "data/attributes.h"
#include "features/feature.h"

namespace pagoda::features {

// The cells of many items, encoded ahead.
struct ItemCells {
  std::vector<uint32_t> id_rows;         // row of the id table
  std::vector<EncodedColumns> features;  // per feature
  size_t size() const { return id_rows.size(); }
};

// Fitted on the training part; immutable after that. Layout of its batches: the id's bag (when enabled), then the
// features in the order of the config; plain numbers in `dense`.
class ItemEncoder {
 public:
  // `ids`: the catalogue. `table` may be null; rows are joined by id. `training_counts` per catalogue row.
  // Error{usage}: a feature's column is not in the table, with the nearest.
  static ItemEncoder fit(const ItemOptions& options, size_t model_dim, const columns::Interner& ids,
                         const data::Attributes* table, std::span<const uint64_t> training_counts);

  const TowerLayout& layout() const { return layout_; }
  bool follows_moment() const;
  const Vocabulary& id_vocabulary() const { return id_vocabulary_; }  // also of the history's own table

  // EncodedColumns of items by id, attributes joined from `table` (null: all absent). An id that the vocabulary does not know
  // goes to a hash bucket, so new items are encoded too.
  ItemCells cells(const columns::Interner& ids, const data::Attributes* table,
                  BackgroundThrottle* throttle = nullptr) const;

  // Gathers rows of `cells`; timestamps_us: the time of each, or one for all (empty: none of the features follow it).
  void encode(const ItemCells& cells, std::span<const uint32_t> rows, std::span<const int64_t> moments_us,
              EncodedBatch& out) const;

  void save(ByteWriter& out) const;
  static ItemEncoder load(ByteReader& in, Spelling spelling = Spelling::canonical);  // of its features' values

 private:
  void make_layout();
  bool id_enabled_ = true;
  size_t id_dim_ = 0;
  Vocabulary id_vocabulary_;
  std::vector<Feature> features_;
  TowerLayout layout_;
};

// The column of a table by name; Error{usage} with the nearest when there is none.
const columns::Column& feature_column(const data::Attributes* table, const std::string& name, const char* which_table);

// Fills a batch's bags and dense columns, in the order of the layout, from cells: the gather that both encoders share.
class CellGather {
 public:
  CellGather(EncodedBatch& out, const TowerLayout& layout, size_t size);
  // Rows of `cells`; Interner::kNone: the one list of `null` / 0, the mean.
  void bag(const math::Bag& cells, const math::Bag& null, std::span<const uint32_t> rows);
  math::Bag& next_bag();
  void number(std::span<const float> cells, std::span<const uint32_t> rows);
  size_t next_dense() { return dense_++; }

 private:
  EncodedBatch& out_;
  size_t bag_ = 0, dense_ = 0;
};

}  // namespace pagoda::features
