// Private: what callers give, checked and in the form of the rooms below. Every Error names its field.
#pragma once

#include <pagoda/candidates.h>
#include <pagoda/vectors.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "index/index.h"
#include "math/matrix.h"

namespace pagoda::library {

template <class... Args>
[[noreturn]] void wrong(ErrorKind kind, std::string field, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...), std::move(field));
}

// "requests[3].context"; of the only request "context".
std::string field_of(const std::string& list, size_t number, size_t many, const std::string& field);

// Within a catalogue of `items`. Error{usage}: 0.
size_t checked_k(size_t k, size_t items);
// Error{usage}: beyond [0, 1]; a least score that is NaN.
double checked_recall(double recall);
float checked_min_score(float score);
int checked_threads(int threads);
// Error{input}: another number of components, or one that is not finite, with its row.
math::MatrixView<const float> checked_queries(VectorsView queries, size_t dim, const std::string& field);

// One list a query. item_id(row) is the id of a row.
template <class ItemId>
std::vector<Candidates> candidates_of(const index::SearchResult& found, const ItemId& item_id) {
  std::vector<Candidates> lists(found.items.size());
  for (size_t q = 0; q < lists.size(); ++q) {
    lists[q].reserve(found.items[q].size());
    for (uint64_t at = found.items.offsets[q]; at < found.items.offsets[q + 1]; ++at)
      lists[q].push_back({std::string(item_id(found.items.values[at])), found.scores[at]});
  }
  return lists;
}

}  // namespace pagoda::library
