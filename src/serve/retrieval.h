// Answers requests from a bundle. Knows no transport: the command line and a server are its adapters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index/filter_index.h"
#include "model/bundle.h"
#include "model/cascade.h"

namespace pagoda {

// A user's attribute as a request brings it: one value, or a list for a multi-valued column.
struct RequestFeature {
  std::string name;
  std::vector<std::string> values;
  bool is_list = false;
};

// Whose candidates are asked for. Everything may be missing: then it is a stranger.
struct RetrieveRequest {
  std::optional<std::string> user;
  std::optional<std::vector<std::string>> history;  // item ids, the latest last; replaces the known history
  std::vector<std::pair<std::string, std::string>> context;
  std::vector<RequestFeature> features;
  std::optional<int64_t> time_us;  // of the request; the bundle's moment otherwise
};

// One line of a users file: an id alone, or a JSON object with `user`, `history`, `context`, `features`, `time`.
// Error{input} naming `place` when it is neither.
RetrieveRequest parse_request(std::string_view line, const std::string& place);

struct RetrieveOptions {
  size_t k = 1000;
  std::string filter;                                         // "" for none
  bool exclude_seen = true;                                   // items of the user's history do not come back
  std::vector<std::string> exclude;                           // item ids; unknown ones exclude nothing
  float min_score = -std::numeric_limits<float>::infinity();  // of the scores that come back
};

struct RetrieveAnswer {
  std::vector<bool> user_known;  // per request
  SearchResult found;            // per request
};

// Immutable: any number of threads may ask, each with its own pool. A user is known, and has seen items, to a bundle when
// any of its members says so.
class Retrieval {
 public:
  explicit Retrieval(std::shared_ptr<const Bundle> bundle);
  // A cascade: what `bundle` retrieves, the best rescore_from of it, is put in order by `second` and cut to k
  // (index/cascade.h). Filters, exclusions and who is known are the first bundle's matter; each encodes the user from
  // what it knows itself. Error{usage}: one of the two holds bare vectors.
  Retrieval(std::shared_ptr<const Bundle> bundle, std::shared_ptr<const Bundle> second, size_t rescore_from);

  // Error{input} naming `place`: a context or feature name that no model reads, with the nearest.
  void check_names(const RetrieveRequest& request, const std::string& place) const;

  // Error{usage}: a filter that can not be compiled; from a cascade, k > rescore_from. Names that the model does not read are passed over.
  RetrieveAnswer retrieve(ThreadPool& pool, const std::vector<RetrieveRequest>& requests,
                          const RetrieveOptions& options) const;
  // Query vectors given directly, [Q, dim]. Error{usage} from a cascade, which needs users to encode.
  RetrieveAnswer retrieve(ThreadPool& pool, MatrixView<const float> vectors, const RetrieveOptions& options) const;
  // Items most like each of the given catalogue rows, by inner product of the item vectors; never the item itself.
  SearchResult similar(ThreadPool& pool, std::span<const uint32_t> items, size_t k) const;
  // The user vectors of the bundle, [requests, dim]; the second's of a cascade are not in it.
  Matrix<float> user_vectors(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const;
  // The item vectors of items given by id and attributes, known or new, [items, dim].
  Matrix<float> item_vectors(ThreadPool& pool, const Interner& ids, const Attributes* attributes) const;

  const Bundle& bundle() const { return *bundle_; }

 private:
  RetrieveAnswer search(ThreadPool& pool, MatrixView<const float> vectors, Ragged<uint32_t> seen,
                        const RetrieveOptions& options) const;
  std::shared_ptr<const Bundle> bundle_, second_;
  std::shared_ptr<const FilterIndex> filters_;
  size_t rescore_from_ = 0;
  std::shared_ptr<const Index> cascade_;  // over both; none without a second
};

}  // namespace pagoda
