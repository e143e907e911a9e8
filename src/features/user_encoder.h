// Users, their history and the context of a request as the user tower reads them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/attributes.h"
#include "features/feature.h"

namespace pagoda::features {

// The cells of many users, encoded ahead.
struct UserCells {
  std::vector<uint32_t> id_rows;         // row of the id table
  std::vector<EncodedColumns> features;  // per feature of the user table; empty cells for features of the context
  size_t size() const { return id_rows.size(); }
};

// One request, or one training example: nothing of it says which of the two it is. Borrowed for the call.
struct UserExample {
  uint32_t user = columns::Interner::kNone;  // row of the UserCells given beside; kNone: a stranger
  std::span<const uint32_t>
      history;  // item id rows (ItemEncoder::id_vocabulary), the latest last, the target not in it
  std::span<const std::string_view> context;  // per context column of the encoder; "" or missing: not known
  int64_t moment_us = 0;
};

// Fitted on the training part; immutable after that. Layout of its batches: the id's bag, the history's bag, the features
// in the order of the config; plain numbers in `dense`.
class UserEncoder {
 public:
  // A context column of the interactions: its values, with their counts in the training part. A feature whose column is
  // a context column reads the request, others the user table. `history_rows`: of the item id vocabulary, the last
  // `history_buckets` of them its hash buckets. Error{usage}: a feature's column is in neither, with the nearest.
  struct Context {
    std::string name;
    const columns::Interner* values;
    std::vector<uint64_t> counts;
  };
  static UserEncoder fit(const UserOptions& options, size_t model_dim, const columns::Interner& ids,
                         std::span<const uint64_t> training_counts, const data::Attributes* table,
                         std::span<const Context> contexts, uint32_t history_rows, uint32_t history_buckets = 0);

  const TowerLayout& layout() const { return layout_; }
  const std::vector<std::string>& context_names() const { return context_names_; }  // the columns it reads
  std::vector<std::string> table_columns() const;  // columns of the user table it reads, each once
  // Whether a row of its own stands for the value in what a categorical or multi feature reads from that column, context
  // or table; nothing when none reads it.
  std::optional<bool> knows_value(std::string_view column, std::string_view value) const;
  size_t history_length() const { return static_cast<size_t>(history_.last); }
  uint32_t history_rows() const { return history_rows_; }

  UserCells cells(const columns::Interner& ids, const data::Attributes* table) const;

  // `cells`: of the known users; may be empty when all are unknown. A history longer than history_length() is cut to
  // its latest.
  void encode(const UserCells& cells, std::span<const UserExample> examples, EncodedBatch& out) const;

  // What is wrong with cells that came from a file, or nullptr when encode can read them.
  const char* fault_of(const UserCells& cells) const;

  void save(ByteWriter& out) const;
  static UserEncoder load(ByteReader& in, Spelling spelling = Spelling::canonical);  // of its features' values

 private:
  void make_layout();
  bool id_enabled_ = false;
  size_t id_dim_ = 0, history_dim_ = 0;
  uint32_t history_rows_ = 0, history_buckets_ = 0;
  HistoryOptions history_;
  Vocabulary id_vocabulary_;
  std::vector<Feature> features_;
  std::vector<int32_t> context_of_;  // per feature: index into context_names_, or -1: the user table
  std::vector<std::string> context_names_;
  std::vector<float> recency_;         // (1 + n)^-recency
  std::vector<double> recency_total_;  // the first n of them together
  TowerLayout layout_;
};

}  // namespace pagoda::features
