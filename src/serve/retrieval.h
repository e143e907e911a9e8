// Answers requests from a bundle. Knows no transport: the command line and a server are its adapters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index/filter_index.h"
#include "model/bundle.h"

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
  std::string filter;                // "" for none
  bool exclude_seen = true;          // items of the user's history do not come back
  std::vector<std::string> exclude;  // item ids; unknown ones exclude nothing
  float min_score = -std::numeric_limits<float>::infinity();
};

struct RetrieveAnswer {
  std::vector<bool> user_known;  // per request
  SearchResult found;            // per request
};

// Immutable: any number of threads may ask, each with its own pool.
class Retrieval {
 public:
  explicit Retrieval(std::shared_ptr<const Bundle> bundle);

  // Error{input} naming `place`: a context or feature name that the model does not read, with the nearest.
  void check_names(const RetrieveRequest& request, const std::string& place) const;

  // Error{usage}: a filter that can not be compiled. Names that the model does not read are passed over.
  RetrieveAnswer retrieve(ThreadPool& pool, const std::vector<RetrieveRequest>& requests,
                          const RetrieveOptions& options) const;
  // Query vectors given directly, [Q, dim].
  RetrieveAnswer retrieve(ThreadPool& pool, MatrixView<const float> vectors, const RetrieveOptions& options) const;
  // Items most like each of the given catalogue rows, by inner product of the item vectors; never the item itself.
  SearchResult similar(ThreadPool& pool, std::span<const uint32_t> items, size_t k) const;
  // The user tower's vectors, [requests, dim].
  Matrix<float> user_vectors(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const;
  // The item tower's vectors of items given by id and attributes, known or new.
  Matrix<float> item_vectors(ThreadPool& pool, const Interner& ids, const Attributes* attributes) const;

  const Bundle& bundle() const { return *bundle_; }

 private:
  RetrieveAnswer search(ThreadPool& pool, MatrixView<const float> vectors, Ragged<uint32_t> seen,
                        const RetrieveOptions& options) const;
  std::vector<uint32_t> seen_items(const RetrieveRequest& request) const;
  std::shared_ptr<const Bundle> bundle_;
  std::shared_ptr<const FilterIndex> filters_;
};

}  // namespace pagoda
