// One column as a tower reads it: fitted on the training data once, then the same in training and serving.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"
#include "core/bytes.h"
#include "features/encoded.h"
#include "features/options.h"
#include "features/vocabulary.h"

namespace pagoda::features {

// A column's cells for many rows, encoded ahead: table rows, or a number, or a time, by the feature's kind.
struct EncodedColumns {
  math::Bag bag;
  std::vector<float> numbers;
  std::vector<int64_t> times_us;  // kNoTime where there is none
};
inline constexpr int64_t kNoTime = INT64_MIN;

// Fitted: vocabulary, mean and deviation, or bucket bounds. Immutable after fit or load, so threads may share it.
class Feature {
 public:
  // Fits to the cells of `column`, row i counted counts[i] times (empty: once each). `column` may be null for a time
  // feature of the moment. Error{input}: a numeric or time column none of whose cells is one; numbers whose squares are
  // beyond a double.
  static Feature fit(const FeatureOptions& options, const columns::Column* column, std::span<const uint64_t> counts);

  const FeatureOptions& options() const { return options_; }
  bool is_dense() const;        // one number, not rows of a table
  bool follows_moment() const;  // depends on the time of the request
  uint32_t rows() const;        // of its table
  uint32_t buckets() const;     // how many of them, the last ones, are for values without a row of their own
  std::string name() const;     // the column's, or the part of the moment it reads
  size_t dim() const { return dim_; }

  // Appends one cell. A null cell is an empty list, or the mean of a number.
  void encode(const columns::Column& column, size_t row, EncodedColumns& out) const;
  void encode_text(std::string_view text, EncodedColumns& out) const;  // the same of a cell given as text
  void encode_null(EncodedColumns& out) const;
  // The table row of a time feature: `cell_time` is the item's own time, for part = "age".
  uint32_t moment_row(int64_t moment_us, int64_t cell_time_us) const;

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
  std::vector<double> bounds_;  // of the buckets, rising
};

}  // namespace pagoda::features
