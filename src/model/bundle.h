// The bundle: the artifact that `train` writes and every other command reads.
//
// A section file (core/section_file.h) of kind "bundle", version 1; 2 when it has the section `members`; 3 when its
// item vectors are of f16; 4 when it has neighbours. Sections:
//   info            JSON: what the model is and where it came from (BundleInfo)
//   members         JSON: the models of an ensemble with their weights          (only in an ensemble, model/ensemble.h)
//   config          TOML, complete: every option with its value
//   metrics         of a bundle that has learnt from all rows: JSON of `pagoda evaluate` of the model that was judged
//                   in its place. Else empty; programs of version 0.1 kept the bundle's own figures here
//   judged          JSON: which model that was (JudgedInstead)                 (only where one was)
//   run_log         JSONL of the training run
//   tower_options   TOML: the sections of the config that give the towers their shape (not in a bundle of bare vectors)
//   user_encoder, item_encoder, weights/*      the towers                      (not in a bundle of bare vectors)
//   spelling        "canonical": two spellings of a value are one to the encoders; not in bundles of the first version
//   unknown_user    f32[dim]: the vector of a user of whom nothing is known; not in bundles of version 0.1
//   user_ids, user_cells, user_states          the users it knows              (not in a bundle of bare vectors)
//   item_ids        the catalogue; a row's number is the item's row everywhere
//   item_counts     u64[items]: rows of the training part on each item
//   item_vectors    f32[items, dim], or f16 where the info says so, mapped and searched in place
//   item_attributes columns of the item table, by their own ids
//   frequency       state of the frequency estimator
//   neighbours      f64 weight, u64 items of a history, u8 kind; neighbours/offsets u64[items + 1] and neighbours/of,
//                   pairs of u32 row and f32 similarity, mapped: lists of items that go with each (only where a model
//                   has them)
//   index           text: the kind of the index, "exact" or "partitioned"
//   index/*         of a partitioned index (index/partitions.h), mapped and searched in place
// The second model of an ensemble has its config, tower_options, encoders, weights and users under "member1/", the
// third under "member2/", and so on. The first has them under the names above, so an ordinary bundle reads as one
// member.
//
// One fingerprint covers user tower, item vectors and index: the checksum of the sections' checksums, without metrics
// and run_log, which affect no answer. So they cannot drift apart, and the same training gives the same fingerprint.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "index/index.h"
#include "index/partitions.h"
#include "model/inference.h"
#include "model/neighbours.h"
#include "model/tables.h"
#include "model/user_states.h"

namespace pagoda::model {

inline constexpr std::string_view kBundleKind = "bundle";
// Each bundle is written as the oldest version that it fits, so that older programs read it.
inline constexpr uint32_t kEnsembleVersion = 2;
inline constexpr uint32_t kF16Version = 3;
inline constexpr uint32_t kNeighboursVersion = 4;
inline constexpr uint32_t kGivenVectorsVersion = 5;
inline constexpr uint32_t kEaseVersion = 6;    // neighbours of kind ease
inline constexpr uint32_t kBundleVersion = 7;  // the newest: with kinds of events

// The options that determine the shape of the towers.
struct TowerOptions {
  ModelOptions model;
  features::UserOptions user;
  features::ItemOptions item;
};
void describe(OptionVisitor& fields, TowerOptions& options);  // sections [user], [item] and [model]

struct BundleInfo {
  std::string version = {};                                   // of the program that wrote it
  bool towers = true;                                         // false: bare vectors
  uint64_t dim = 0, items = 0, users = 0, training_rows = 0;  // of an ensemble: dim of all, the others of the first
  int64_t moment_us = 0;    // the latest time of the data it has seen: "now" where a request gives none
  std::string chosen_on;    // "validation"; "fixed" when nothing was chosen
  bool refit = false;       // trained on the validation part, too, after it chose the number of epochs
  bool uses_order = false;  // the order of a user's list matters to it
  // Trained on every row, those of the test part included: no part of its own data can judge it.
  bool all_rows = false;
  uint64_t epochs = 0;  // chosen; a refit that goes on adds its own
  // The form of the times in its log, and in requests. Nothing: a bundle of version 0.1, which guesses the unit of each
  // number from its size.
  std::optional<columns::TimeForm> times = {};
  std::string chosen_by = {};  // the metric, "recall@20"; "": nothing was chosen, or a bundle of version 0.1
  std::string test_rows = {};  // fingerprint of the test rows; "": unknown, or none
  math::RowPrecision vectors = math::RowPrecision::f32;  // of the stored item vectors
  bool given_vectors = false;                            // a tower reads vectors of a table
  bool event_kinds = false;                              // its log has several kinds of events
  // Whether the log's id columns held integers; result tables then have integer ids, too.
  bool integer_users = false, integer_items = false;
};

std::string info_json(const BundleInfo& info);
// The oldest version of the format that has all of it, so that older programs open what they can.
uint32_t version_of(const BundleInfo& info, bool ensemble, NeighbourKind neighbours);

// Of a bundle with all_rows: the model that was judged on the test part in its place, trained the same way on the rows
// before it.
struct JudgedInstead {
  std::string fingerprint;     // of its bundle
  uint64_t training_rows = 0;  // fewer than this one's
};

// One model of a bundle with the users it knows. In an ensemble, the member's user vectors enter the bundle's as
// weight x V / |V|, and its item vectors as U / |U|; an ordinary bundle has the vectors of its only member as they are.
struct Member {
  BundleInfo info;          // of the bundle it was trained as
  std::string fingerprint;  // likewise
  Model model;
  columns::Interner user_ids;
  features::EncodedUsers user_cells;
  UserStates user_states;  // histories in catalogue rows of this bundle
  std::vector<uint32_t>
      item_id_rows;  // catalogue rows to rows of its id vocabulary, as UserExample::history wants them
  double weight = 1;
  bool unit_length = true;  // its towers normalise their output
  size_t first_column = 0;  // the first of its dim() columns in the bundle's vectors
  size_t dim() const { return model.towers.dim(); }
};
std::string member_prefix(size_t member);  // of its sections: "", "member1/", "member2/", ...

// The content of a bundle of one model, to be written; borrows everything.
struct BundleContent {
  BundleInfo info;
  TowerOptions options;
  std::string config, metrics, run_log, frequency;
  const Model* model = nullptr;
  const columns::Interner* user_ids = nullptr;
  const features::EncodedUsers* user_cells = nullptr;
  const UserStates* user_states = nullptr;
  const columns::Interner* item_ids = nullptr;
  std::span<const uint64_t> item_counts;
  math::RowsView item_vectors;  // in the precision info.vectors
  const data::Attributes* item_attributes = nullptr;
  const index::Partitions* partitions = nullptr;  // of a partitioned index; nullptr: the index is exact
  const Neighbours* neighbours = nullptr;         // nullptr: towers alone
  std::optional<JudgedInstead> judged = {};       // then `metrics` are that model's
};

void write_bundle(const std::string& path, const BundleContent& content);
// FILE.metrics, which holds the metrics of a bundle: an evaluation never modifies the bundle, which may be served.
std::string metrics_path(const std::string& bundle);
// Writes the JSON of `pagoda evaluate`, which contains the fingerprint of the evaluated bundle. Error{failed} as
// write_file().
void write_metrics(const std::string& bundle, std::string_view json);
// The fingerprint of a bundle, from its table of sections alone; verifies nothing. Errors of Bundle::open().
std::string fingerprint_of_bundle(const std::string& path);
// Covers what training made: encoders, weights, catalogue, users. Another index or precision of the vectors leaves it.
std::string fingerprint_of_learnt(const std::string& path);
// Writes the same bundle with these item vectors, of any precision, and another index: partitioned, or (nullptr) exact.
// `to` may be `path`.
void rewrite_index(const std::string& path, const std::string& to, math::RowsView item_vectors,
                   const index::Partitions* partitions);

class Bundle;
// Copies the bundle to another name, from the file that it was opened from, even if that has been replaced since.
void copy_bundle(const Bundle& bundle, const std::string& to);

// A loaded bundle. Immutable: may be shared between threads. Vectors stay in the mapped file.
class Bundle {
 public:
  // Verifies every section's checksum, and that the sections are consistent, so that even a forged bundle causes no
  // read out of bounds. Error{input}: no such file; Error{failed}: damaged, of another kind, or of a newer version.
  static std::shared_ptr<const Bundle> open(const std::string& path);

  const BundleInfo& info() const { return info_; }
  const std::string& fingerprint() const { return fingerprint_; }
  const std::optional<JudgedInstead>& judged() const { return judged_; }
  std::string_view config() const { return file_.text("config"); }
  // The metrics that lay beside it when it was opened, else those that the bundle itself holds. "": it was not judged
  // yet, or what lies beside it is of another bundle. If judged() is there, the figures may be that model's.
  std::string_view metrics() const { return metrics_; }
  std::string_view run_log() const { return file_.text("run_log"); }
  const SectionFile& file() const { return file_; }

  const std::vector<Member>& members() const;  // Error{usage}: it holds bare vectors
  bool ensemble() const { return file_.has("members"); }
  const columns::Interner& item_ids() const { return item_ids_; }
  const std::vector<uint64_t>& item_counts() const { return item_counts_; }
  math::RowsView item_vectors() const { return item_vectors_; }
  const data::Attributes& item_attributes() const { return item_attributes_; }
  // The row of an item's attributes, or Interner::kNone.
  uint32_t attribute_row(uint32_t item) const { return item_attributes_.ids.find(item_ids_[item]); }
  const index::Index& index() const { return *index_; }
  // What a search adds to the scores of the index; nullptr: nothing.
  const Neighbours* neighbours() const { return neighbours_ ? &*neighbours_ : nullptr; }

  // The item table's column "title" or "name", which names an item for people; nullptr: neither exists.
  const columns::Column* title_column() const;

  // The users of the first member; empty for bare vectors.
  const columns::Interner& user_ids() const { return members_[0].user_ids; }
  const UserStates& user_states() const { return members_[0].user_states; }

 private:
  explicit Bundle(const std::string& path);
  void read_members();
  void read_towers(Member& member, const std::string& prefix) const;
  SectionFile file_;
  BundleInfo info_;
  std::string fingerprint_, metrics_;
  std::vector<Member> members_;  // an empty one for bare vectors
  columns::Interner item_ids_;
  std::vector<uint64_t> item_counts_;
  math::RowsView item_vectors_;
  data::Attributes item_attributes_;
  std::unique_ptr<index::Index> index_;
  std::optional<Neighbours> neighbours_;
  std::optional<JudgedInstead> judged_;
};

}  // namespace pagoda::model
