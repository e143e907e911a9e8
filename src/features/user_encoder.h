// Encodes users, their history and the context of a request for the user tower.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/attributes.h"
#include "features/feature.h"

namespace pagoda::features {

// Many users, encoded ahead.
struct EncodedUsers {
  std::vector<uint32_t> id_rows;         // row of the id table
  std::vector<EncodedColumns> features;  // per feature of the user table; empty for features of the context
  size_t size() const { return id_rows.size(); }
};

// One request or one training example; nothing in it says which of the two it is. Borrowed for the call.
struct UserExample {
  uint32_t user = columns::Interner::kNone;  // row of the EncodedUsers passed with it; kNone: an unknown user
  std::span<const uint32_t> history;         // item id rows (ItemEncoder::id_vocabulary), the latest last; no target
  // Per kind of event with a history of its own (UserEncoder::own_histories()), likewise; missing ones are empty.
  std::span<const std::span<const uint32_t>> event_histories{};
  // Of items without a row of their own: history_rows() + s in a history is stand_ins[s], one or more rows that share
  // half of the weight of a learnt item (one alone where an attention or a transformer reads the history). nullptr:
  // there is none.
  const math::Ragged<uint32_t>* stand_ins = nullptr;
  std::span<const std::string_view> context;  // per context column of the encoder; "" or missing: not known
  int64_t moment_us = 0;                      // time of the request, microseconds since 1970 UTC
};

// Fitted on the training part; immutable after that. The layout of its batches: the bag of the id, the bag of the
// history, those of the kinds of events with a history of their own, the features in the order of the config; plain
// numbers are in `dense`.
class UserEncoder {
 public:
  // A context column of the interactions: its values with their counts in the training part. A feature whose column is
  // a context column reads the request; other features read the user table. `history_rows`: rows of the item id
  // vocabulary, of which the last `history_buckets` are hash buckets. Error{usage}: a feature's column is in neither
  // (the message names the nearest).
  struct Context {
    std::string name;
    const columns::Interner* values;
    std::vector<uint64_t> counts;
  };
  static UserEncoder fit(const UserOptions& options, size_t model_dim, const columns::Interner& ids,
                         std::span<const uint64_t> training_counts, const data::Attributes* table,
                         std::span<const Context> contexts, uint32_t history_rows, uint32_t history_buckets = 0);

  // The same encoder with rows for new ids and values; every old one keeps its row. `options`: those it was fitted
  // with. item_ids: the vocabulary of the histories, extended before. Error{usage}: as fit().
  UserEncoder extended(const UserOptions& options, const columns::Interner& ids,
                       std::span<const uint64_t> training_counts, const data::Attributes* table,
                       std::span<const Context> contexts, const Vocabulary& item_ids) const;
  void let_go(std::span<const uint32_t> id_rows);  // as ItemEncoder::let_go()
  // Where the rows of each bag's table went, of an encoder that was extended from `before`. items: how those of the
  // item id vocabulary moved.
  std::vector<RowMove> moves_from(const UserEncoder& before, const RowMove& items) const;

  const TowerLayout& layout() const { return layout_; }
  const Vocabulary& id_vocabulary() const { return id_vocabulary_; }                // empty where ids are not read
  const std::vector<std::string>& context_names() const { return context_names_; }  // the columns it reads
  std::vector<std::string> table_columns() const;       // columns of the user table that it reads, each once
  std::vector<const Feature*> vector_features() const;  // of kind = "vector", each a column of the user table
  bool reads_vectors() const { return !vector_features().empty(); }
  // Whether the value has a row of its own in a categorical or multi feature of that column (of the context or the
  // table). Nothing if no such feature reads the column.
  std::optional<bool> knows_value(std::string_view column, std::string_view value) const;
  size_t history_length() const { return static_cast<size_t>(history_.last); }
  uint32_t history_rows() const { return history_rows_; }
  const std::vector<EventKind>& event_kinds() const { return event_kinds_; }
  EventHistory history_of(std::string_view kind) const;  // EventHistory::none for one that the log had not
  const std::vector<std::string>& own_histories() const { return own_histories_; }  // of the kinds that have one

  EncodedUsers cells(const columns::Interner& ids, const data::Attributes* table) const;
  // The same where the first users were encoded before, by the encoder that this one was extended from: those that
  // `table` lacks keep what was known of them.
  EncodedUsers cells(const columns::Interner& ids, const data::Attributes* table, const UserEncoder& before,
                     const EncodedUsers& known) const;

  // `cells`: of the known users; may be empty if all users are unknown. Of a history longer than history_length(), only
  // the latest items are read.
  void encode(const EncodedUsers& cells, std::span<const UserExample> examples, EncodedBatch& out) const;

  // What is wrong with cells that came from a file; nullptr if encode() can read them.
  const char* find_fault(const EncodedUsers& cells) const;

  void save(ByteWriter& out) const;
  static UserEncoder load(ByteReader& in, Spelling spelling = Spelling::canonical);  // spelling: of feature values

 private:
  void make_layout();
  // Of what is read of a history, before it is divided by those of all of a user's histories.
  double total_weight(std::span<const uint32_t> history, const math::Ragged<uint32_t>* stand_ins) const;
  void add_history(std::span<const uint32_t> history, const math::Ragged<uint32_t>* stand_ins, double scale,
                   math::Bag& bag) const;
  bool id_enabled_ = false;
  size_t id_dim_ = 0, history_dim_ = 0;
  uint32_t history_rows_ = 0, history_buckets_ = 0;
  HistoryOptions history_;
  std::vector<EventKind> event_kinds_;
  std::vector<std::string> own_histories_;
  Vocabulary id_vocabulary_;
  std::vector<Feature> features_;
  std::vector<int32_t> context_of_;  // per feature: index into context_names_, or -1: the user table
  std::vector<std::string> context_names_;
  std::vector<float> recency_;         // (1 + n)^-recency
  std::vector<double> recency_total_;  // the sum of the first n
  TowerLayout layout_;
};

}  // namespace pagoda::features
