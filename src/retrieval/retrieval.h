// Answers requests from a bundle, independent of transport: the command line and the server are its adapters.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/bundle.h"
#include "model/cascade.h"
#include "retrieval/delta_layer.h"

namespace pagoda::retrieval {

// A wrong request; field() names the field at fault. A type of its own, because the server answers it with status 400,
// and any other Error during a call, which is not the client's fault, with 500.
class RequestError : public Error {
 public:
  RequestError(ErrorKind kind, std::string field, const std::string& message)
      : Error(kind, message, std::move(field)) {}
};

// The user of a request. Everything may be missing; that is an unknown user.
struct RetrieveRequest {
  std::optional<std::string> user;
  std::optional<std::vector<std::string>> history;  // item ids, the latest last; replaces the known history
  std::vector<std::string> recent;                  // item ids, the latest last; come after either history
  // Kinds of events and their items, the latest last: of positive kinds they come after `recent`; of others after what
  // is known of the user's events of that kind, or, with a `history`, in its place.
  std::vector<std::pair<std::string, std::vector<std::string>>> events;
  std::vector<std::pair<std::string, std::string>> context;
  std::vector<RequestFeature> features;
  std::optional<int64_t> time_us;    // of the request; otherwise the bundle's moment
  std::vector<std::string> exclude;  // item ids to leave out for this request alone; unknown ones are ignored
};

// One line of a users file: an id alone, or a JSON object with `user`, `history`, `recent`, `events`, `context`,
// `features`, `time`. Reads a time in the form `times`, that of the bundle's log. Error{input}, naming `place`: the
// line is neither.
RetrieveRequest parse_request(std::string_view line, const std::string& place, columns::TimeForm times = {});

// A few hundred of the bundle's users, evenly spread, as typical queries.
std::vector<RetrieveRequest> some_users(const model::Bundle& bundle);

// At most `max` items with the same value of an attribute.
struct QuotaOptions {
  std::string attribute;
  uint32_t max = 1;
  bool operator==(const QuotaOptions&) const = default;
};

// The options for all requests of a call.
struct RetrieveOptions {
  size_t k = 1000;
  std::string filter{};                                       // "" for none
  bool exclude_seen = true;                                   // leave out items of the user's history
  std::vector<std::string> exclude{};                         // item ids to leave out; unknown ones are ignored
  float min_score = -std::numeric_limits<float>::infinity();  // leave out items that score less
  std::optional<QuotaOptions> quota{};
  bool exact = false;  // search exactly, whatever the bundle's index
  double recall = 0;   // wanted of an approximate index, up to 1; 0: its own
  bool explain = false;
  bool operator==(const RetrieveOptions&) const = default;
};

// Added items of histories, and the rows of the bundle's items that stand for them, the nearest first.
using StandIns = std::unordered_map<std::string, std::vector<uint32_t>>;

struct StageTimes {
  double encode_s = 0, filter_s = 0, search_s = 0;
};

struct RetrieveAnswer {
  std::vector<bool> user_known;                 // per request
  index::SearchResult found;                    // per request
  StageTimes times;                             // of all requests together, in seconds
  std::optional<index::SearchExplain> explain;  // if options.explain
};

// Immutable: any number of threads may call it, each with its own pool. A bundle knows a user, or that a user has seen
// an item, if any of its members does.
class Retrieval {
 public:
  explicit Retrieval(std::shared_ptr<const model::Bundle> bundle);
  // A cascade (index/cascade.h): `second` reranks the best rescore_from candidates of `bundle`, of which k are
  // returned. Filters, exclusions and known users are those of `bundle`; each bundle encodes the user from what it
  // knows itself. Error{usage}: one of them holds bare vectors.
  Retrieval(std::shared_ptr<const model::Bundle> bundle, std::shared_ptr<const model::Bundle> second,
            size_t rescore_from);

  // The bundle of `other` with two delta layers over its items: `merged` over the bundle, and `fresh` over both; either
  // may be nullptr. Shares what `other` prepared for the bundle. Error{usage}: `other` is a cascade.
  Retrieval(const Retrieval& other, DeltaLayer::Ptr merged, DeltaLayer::Ptr fresh);

  // Items by row: those of the bundle, then the merged ones, then the fresh ones.
  uint32_t find_item(std::string_view id) const;  // Interner::kNone: unknown or deleted
  std::string_view item_id(uint32_t row) const;
  void item_vector(uint32_t row, float* out) const;  // out [dim]
  // The item table's column of that number, and the item's row in it (Interner::kNone: no attributes).
  std::pair<const columns::Column*, uint32_t> attribute(size_t column, uint32_t row) const;

  // RequestError{input}: a context, a feature or a kind of event that no model knows (names the nearest), or a time
  // decades from the log's.
  void check_names(const RetrieveRequest& request) const;
  // The same; errors name `place`.
  void check_names(const RetrieveRequest& request, const std::string& place) const;

  // Whether a member of the bundle was trained on the user; false if the request names none.
  bool knows_user(const RetrieveRequest& request) const;
  // Whether a member of the bundle reads events of that kind as positives; "": any does.
  bool is_positive(std::string_view kind) const;
  // Whether the histories that a member of the bundle was made with have the event: the user's item, among events of
  // that kind, no later than they go on. Of kinds with a history of its own only the latest are kept; whatever is as
  // old counts as had.
  bool in_known_history(std::string_view user, std::string_view item, std::string_view kind, int64_t time_us) const;
  // "device = tv" for each value of the request that no model has a row for, because the training part had it never or
  // too rarely. Such values are encoded as one unknown value.
  std::vector<std::string> unseen_values(const RetrieveRequest& request) const;

  // RequestError{usage}: an invalid filter or quota. Error{usage}: a cascade with k > rescore_from. Ignores names that
  // the model does not read.
  RetrieveAnswer retrieve(ThreadPool& pool, const std::vector<RetrieveRequest>& requests,
                          const RetrieveOptions& options) const;
  // For query vectors [Q, dim]. Error{usage}: a cascade, which needs users to encode.
  RetrieveAnswer retrieve(ThreadPool& pool, math::MatrixView<const float> vectors,
                          const RetrieveOptions& options) const;
  // The k nearest neighbours of each item row by inner product of the item vectors, without the item itself.
  index::SearchResult similar(ThreadPool& pool, std::span<const uint32_t> items, size_t k) const;
  // The bundle's user vectors, [requests, dim]; without those of a cascade's second bundle.
  math::Matrix<float> user_vectors(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const;
  // Of items of the requests' histories that were added since the bundle was made: the items nearest to them that
  // somebody had, at most three.
  StandIns stand_ins(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const;
  // What the bundle's neighbours add to the scores of items, by row; nothing: it has none.
  std::optional<index::Boosts> boosts(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const;
  // The vectors of known or new items from their ids and attributes, [items, dim].
  math::Matrix<float> item_vectors(ThreadPool& pool, const columns::Interner& ids,
                                   const data::Attributes* attributes) const;

  const model::Bundle& bundle() const { return *bundle_; }
  const std::shared_ptr<const model::Bundle>& shared_bundle() const { return bundle_; }
  const DeltaLayer::Ptr& merged() const { return merged_; }  // nullptr: no merged layer
  const DeltaLayer::Ptr& fresh() const { return fresh_; }
  size_t items() const { return index().items(); }  // rows, including hidden ones
  size_t added_items() const;                       // not hidden
  size_t hidden_items() const;                      // of the bundle
  std::vector<std::string> known_quotas() const;    // attributes whose quota groups exist
  // Prepares the filters and quota groups that `other` has, so that the next search need not wait for them.
  void arrange_as(const Retrieval& other, BackgroundThrottle* throttle = nullptr) const;

 private:
  void check_time(const RetrieveRequest& request) const;
  // The quota groups of each attribute that a request named; made once, because they take a number per item.
  struct QuotaGroups {
    std::vector<uint32_t> of_item;                       // of the items of the bundle and the merged layer
    math::Ragged<uint32_t> members;                      // the items of each group
    std::unordered_map<std::string, uint32_t> of_value;  // the group of each value
    uint32_t end = 0;                                    // above all groups
  };
  struct KnownQuotas {
    std::mutex mutex;
    std::map<std::string, QuotaGroups, std::less<>> of;
  };
  // `seen` and `own_exclusions` per query: items to leave out (seen ones if options.exclude_seen).
  // `boosts`: nullptr for none.
  RetrieveAnswer search(ThreadPool& pool, math::MatrixView<const float> vectors, const math::Ragged<uint32_t>& seen,
                        const math::Ragged<uint32_t>& own_exclusions, const index::Boosts* boosts,
                        const RetrieveOptions& options) const;
  QuotaGroups make_quota_groups(const std::string& attribute, BackgroundThrottle* throttle) const;
  const QuotaGroups& quota_groups(const std::string& attribute) const;
  std::vector<uint32_t> quota_groups_of_fresh(const std::string& attribute, const QuotaGroups& groups) const;
  uint32_t bottom() const { return bundle_->item_ids().size(); }
  uint32_t first_fresh() const { return bottom() + (merged_ ? merged_->items().ids.size() : 0); }
  // The layer of a row, and the row in it; nullptr: the bundle.
  std::pair<const DeltaLayer*, uint32_t> layer_of(uint32_t row) const;
  uint32_t now_in_place_of(uint32_t bundle_row) const;
  filter::Filter compile(const std::string& filter) const;
  std::vector<uint32_t> rows_of(const std::vector<std::string>& items) const;
  void add_rows_of(const std::vector<std::string>& items, std::vector<uint32_t>& rows) const;
  // As recent_lists() of encoding.h, of the kinds that are is_positive().
  std::vector<const std::vector<std::string>*> recent_lists(const RetrieveRequest& request) const;
  std::vector<uint32_t> seen_items(const RetrieveRequest& request) const;
  std::vector<uint32_t> history_of(const RetrieveRequest& request) const;
  const index::Index& index() const { return over_bundle_ ? *over_bundle_ : bundle_->index(); }
  std::shared_ptr<const model::Bundle> bundle_, second_;
  std::shared_ptr<const filter::FilterIndex> filters_;
  std::shared_ptr<const math::ItemSet> had_;  // the bundle's items that somebody had when it was made
  std::shared_ptr<KnownQuotas> quotas_ = std::make_shared<KnownQuotas>();
  size_t rescore_from_ = 0;
  DeltaLayer::Ptr merged_, fresh_;
  std::shared_ptr<const index::Index>
      with_merged_;  // the bundle's index with the merged layer over it, if there is one
  std::shared_ptr<const index::Index>
      over_bundle_;  // the cascade, or the delta layers over the bundle; otherwise nullptr
};

}  // namespace pagoda::retrieval
