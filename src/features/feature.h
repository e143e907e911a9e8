// Encodes one column for a tower: fitted once on the training data, then the same in training and serving.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"
#include "columns/vector_column.h"
#include "core/bytes.h"
#include "data/attributes.h"
#include "features/encoded.h"
#include "features/options.h"
#include "features/vocabulary.h"

namespace pagoda::features {

// The encoded cells of a column for many rows: table rows, numbers, times or vectors, depending on the feature's kind.
struct EncodedColumns {
  math::Bag bag;
  std::vector<float> numbers;
  std::vector<int64_t> times_us;  // kNoTime if a cell has none
  std::shared_ptr<const columns::VectorColumn> vectors;
  std::vector<uint32_t> vector_rows;  // per cell: its row of `vectors`; Interner::kNone: it has none

  void add_vector(uint32_t row) { vector_rows.push_back(row < vectors->rows() ? row : columns::Interner::kNone); }
};
inline constexpr int64_t kNoTime = INT64_MIN;

// A fitted feature: vocabulary, mean and deviation, or bucket bounds. Immutable after fit or load, so threads may share
// it.
class Feature {
 public:
  // Fits to the cells of `column`, where row i counts counts[i] times (empty: once each). `column` may be null for a
  // feature of the request's time. Error{input}: a numeric or time column without a number or time; numbers whose
  // squares overflow a double.
  static Feature fit(const FeatureOptions& options, const columns::Column* column, std::span<const uint64_t> counts);

  // The same for a feature of kind vector. Error{input}: no vector; one of too many components.
  static Feature fit_vectors(const FeatureOptions& options, const columns::VectorColumn& column);

  // The same feature with rows for new values, found as by fit(). Numbers keep their mean, deviation and bounds.
  // `options`: those it was fitted with (min_count is not stored with it).
  Feature extended(const FeatureOptions& options, const columns::Column* column,
                   std::span<const uint64_t> counts) const;
  RowMove move_from(const Feature& before) const;  // of its table; `this` was extended from `before`

  const FeatureOptions& options() const { return options_; }
  bool is_dense() const;  // plain numbers, not rows of a table
  bool is_vector() const { return options_.kind == FeatureKind::vector; }
  bool depends_on_time() const;        // depends on the time of the request
  uint32_t rows() const;               // of its table
  uint32_t buckets() const;            // how many of the last rows are for values without a row of their own
  std::string name() const;            // the column's, or the part of the request's time that it reads
  size_t dim() const { return dim_; }  // width of its embedding; of a dense one: how many numbers
  // Appends one cell. A null cell becomes an empty list, or the mean of a numeric feature.
  void encode(const columns::Column& column, size_t row, EncodedColumns& out) const;
  void encode_text(std::string_view text, EncodedColumns& out) const;  // the same for a cell given as text
  void encode_null(EncodedColumns& out) const;
  // A feature of kind vector. vectors_of(): the column that it reads of a table, or one made from cells that are lists,
  // as requests bring them (cells of another length count as missing). A column without rows if there is neither.
  std::shared_ptr<const columns::VectorColumn> vectors_of(const data::Attributes* table) const;
  // Writes dim() numbers: the vector minus the mean, divided by the root mean square of such a difference, so that it
  // has about unit length, as an embedding. Zeros where there is none: the mean.
  void read_vector(const EncodedColumns& cells, uint32_t cell, float* out) const;
  // The table row of a time feature at time moment_us. `cell_time_us` is the item's own time, for part = "age".
  uint32_t time_row(int64_t moment_us, int64_t cell_time_us) const;

  void save(ByteWriter& out) const;
  static Feature load(ByteReader& in, Spelling spelling = Spelling::canonical);

 private:
  void encode_number(double value, bool present, EncodedColumns& out) const;
  void fit_numbers(const columns::Column& column, std::span<const uint64_t> counts);
  void encode_words(std::string_view text, EncodedColumns& out) const;

  FeatureOptions options_;
  size_t dim_ = 0;
  Vocabulary vocabulary_;
  uint32_t text_buckets_ = 0;
  double mean_ = 0, deviation_ = 1;
  std::vector<double> bounds_;  // of the buckets, ascending
  std::vector<float> centre_;   // vector: the mean; deviation_ is the root mean square of the difference from it
};

std::vector<const Feature*> vectors_among(const std::vector<Feature>& features);  // those of kind vector

}  // namespace pagoda::features
