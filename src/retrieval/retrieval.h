// Answers requests from a bundle. Knows no transport: the command line and a server are its adapters.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/bundle.h"
#include "model/cascade.h"
#include "retrieval/delta_layer.h"

namespace pagoda::retrieval {

// A wrong request; field() says in which part of it.
class RequestError : public Error {
 public:
  RequestError(ErrorKind kind, std::string field, const std::string& message)
      : Error(kind, message, std::move(field)) {}
};

// Whose candidates are asked for. Everything may be missing: then it is a stranger.
struct RetrieveRequest {
  std::optional<std::string> user;
  std::optional<std::vector<std::string>> history;  // item ids, the latest last; replaces the known history
  std::vector<std::pair<std::string, std::string>> context;
  std::vector<RequestFeature> features;
  std::optional<int64_t> time_us;    // of the request; the bundle's moment otherwise
  std::vector<std::string> exclude;  // item ids that its answer alone does not hold; unknown ones exclude nothing
};

// One line of a users file: an id alone, or a JSON object with `user`, `history`, `context`, `features`, `time`.
// A time is read in the form `times`, that of the bundle's log. Error{input} naming `place` when it is neither.
RetrieveRequest parse_request(std::string_view line, const std::string& place, columns::TimeForm times = {});

// RequestError{input} of "attributes": the item table has no such column (with the nearest), or it cannot hold the value.
void check_attribute(const data::Attributes& table, const RequestFeature& attribute);

// A few hundred of the users that a bundle knows, spread over all of them: queries like those to come.
std::vector<RetrieveRequest> some_users(const model::Bundle& bundle);

// At most `most` items of one value of an attribute.
struct QuotaOptions {
  std::string attribute;
  uint32_t most = 1;
  bool operator==(const QuotaOptions&) const = default;
};

// What holds for all the requests of a call.
struct RetrieveOptions {
  size_t k = 1000;
  std::string filter{};                                       // "" for none
  bool exclude_seen = true;                                   // items of the user's history do not come back
  std::vector<std::string> exclude{};                         // item ids; unknown ones exclude nothing
  float min_score = -std::numeric_limits<float>::infinity();  // of the scores that come back
  std::optional<QuotaOptions> quota{};
  bool exact = false;  // what an exact index would answer, whichever the bundle has
  double recall = 0;   // wanted of an approximate index, up to 1; 0: its own
  bool explain = false;
  bool operator==(const RetrieveOptions&) const = default;
};

struct StageTimes {
  double encode_s = 0, filter_s = 0, search_s = 0;
};

struct RetrieveAnswer {
  std::vector<bool> user_known;                 // per request
  index::SearchResult found;                    // per request
  StageTimes times;                             // of all requests together
  std::optional<index::SearchExplain> explain;  // when it was asked for
};

// Immutable: any number of threads may ask, each with its own pool. A user is known, and has seen items, to a bundle when
// any of its members says so.
class Retrieval {
 public:
  explicit Retrieval(std::shared_ptr<const model::Bundle> bundle);
  // A cascade: what `bundle` retrieves, the best rescore_from of it, is put in order by `second` and cut to k
  // (index/cascade.h). Filters, exclusions and who is known are the first bundle's matter; each encodes the user from
  // what it knows itself. Error{usage}: one of the two holds bare vectors.
  Retrieval(std::shared_ptr<const model::Bundle> bundle, std::shared_ptr<const model::Bundle> second,
            size_t rescore_from);

  // What the bundle of `other` answers with two layers over its items: `merged`, which lies over the bundle, and `fresh`, which
  // lies over both; either may be nullptr. What `other` knows of the bundle is shared. Error{usage}: `other` is a cascade.
  Retrieval(const Retrieval& other, DeltaLayer::Ptr merged, DeltaLayer::Ptr fresh);

  // The items that it answers with, by row: those of the bundle, then the merged ones, then the fresh ones.
  uint32_t find_item(std::string_view id) const;  // Interner::kNone: there is none, or it was deleted
  std::string_view item_id(uint32_t row) const;
  void item_vector(uint32_t row, float* out) const;  // as many components as the bundle's vectors have
  // The attributes' column of that number, and the item's row in it (Interner::kNone: it has no attributes).
  std::pair<const columns::Column*, uint32_t> attribute(size_t column, uint32_t row) const;

  // RequestError{input}: a context or feature name that no model reads, with the nearest; a time decades from the log's.
  void check_names(const RetrieveRequest& request) const;
  // The same, naming `place`.
  void check_names(const RetrieveRequest& request, const std::string& place) const;

  // Whether a member of the bundle has learnt of the user; not when the request names none.
  bool knows_user(const RetrieveRequest& request) const;
  // "device = tv" for each value of the request that no model has a row for, as none or too few of the training part
  // had it: it counts as any other such value.
  std::vector<std::string> unseen_values(const RetrieveRequest& request) const;

  // RequestError{usage}: a filter or quota that cannot be compiled. Error{usage}: from a cascade, k > rescore_from. Names
  // that the model does not read are passed over.
  RetrieveAnswer retrieve(ThreadPool& pool, const std::vector<RetrieveRequest>& requests,
                          const RetrieveOptions& options) const;
  // Query vectors given directly, [Q, dim]. Error{usage} from a cascade, which needs users to encode.
  RetrieveAnswer retrieve(ThreadPool& pool, math::MatrixView<const float> vectors,
                          const RetrieveOptions& options) const;
  // Items most like each of the given catalogue rows, by inner product of the item vectors; never the item itself.
  index::SearchResult similar(ThreadPool& pool, std::span<const uint32_t> items, size_t k) const;
  // The user vectors of the bundle, [requests, dim]; the second's of a cascade are not in it.
  math::Matrix<float> user_vectors(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const;
  // The item vectors of items given by id and attributes, known or new, [items, dim].
  math::Matrix<float> item_vectors(ThreadPool& pool, const columns::Interner& ids,
                                   const data::Attributes* attributes) const;

  const model::Bundle& bundle() const { return *bundle_; }
  const std::shared_ptr<const model::Bundle>& shared_bundle() const { return bundle_; }
  const DeltaLayer::Ptr& merged() const { return merged_; }  // nullptr: there are none
  const DeltaLayer::Ptr& fresh() const { return fresh_; }
  size_t items() const { return index().items(); }  // rows, of those too that cannot come back
  size_t added_items() const;                       // that can come back
  size_t hidden_items() const;                      // of the bundle
  std::vector<std::string> known_quotas() const;    // attributes whose groups have been made
  // Makes ahead, as far as it has such columns, what `other` has been asked for: else the next search would wait for it.
  void arrange_as(const Retrieval& other, BackgroundThrottle* throttle = nullptr) const;

 private:
  void check_time(const RetrieveRequest& request) const;
  // The groups of each quota that was asked for: made once, as they are as many numbers as there are items.
  struct QuotaGroups {
    std::vector<uint32_t> of_item;                       // of the bundle, and of the merged ones
    std::unordered_map<std::string, uint32_t> of_value;  // the number of each value that an item has
    uint32_t end = 0;                                    // above all of them
  };
  struct KnownQuotas {
    std::mutex mutex;
    std::map<std::string, QuotaGroups, std::less<>> of;
  };
  // `seen` and `own_exclusions` per query; items that either names do not come back (seen ones when options say so).
  RetrieveAnswer search(ThreadPool& pool, math::MatrixView<const float> vectors, const math::Ragged<uint32_t>& seen,
                        const math::Ragged<uint32_t>& own_exclusions, const RetrieveOptions& options) const;
  QuotaGroups make_quota_groups(const std::string& attribute, BackgroundThrottle* throttle) const;
  const QuotaGroups& quota_groups(const std::string& attribute) const;
  std::vector<uint32_t> quota_groups_of_fresh(const std::string& attribute, const QuotaGroups& groups) const;
  uint32_t bottom() const { return bundle_->item_ids().size(); }
  uint32_t first_fresh() const { return bottom() + (merged_ ? merged_->items().ids.size() : 0); }
  // Which layer the row is of, and its row there; nullptr: the bundle's.
  std::pair<const DeltaLayer*, uint32_t> layer_of(uint32_t row) const;
  uint32_t now_in_place_of(uint32_t bundle_row) const;
  filter::Filter compile(const std::string& filter) const;
  std::vector<uint32_t> rows_of(const std::vector<std::string>& items) const;
  std::vector<uint32_t> seen_items(const RetrieveRequest& request) const;
  const index::Index& index() const { return over_bundle_ ? *over_bundle_ : bundle_->index(); }
  std::shared_ptr<const model::Bundle> bundle_, second_;
  std::shared_ptr<const filter::FilterIndex> filters_;
  std::shared_ptr<KnownQuotas> quotas_ = std::make_shared<KnownQuotas>();
  size_t rescore_from_ = 0;
  DeltaLayer::Ptr merged_, fresh_;
  std::shared_ptr<const index::Index>
      with_merged_;  // the index of the bundle with the merged ones over it, if there are any
  std::shared_ptr<const index::Index> over_bundle_;  // a cascade over both bundles, or the layers over one; else none
};

}  // namespace pagoda::retrieval
