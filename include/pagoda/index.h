// Top-k search over your own vectors by inner product or cosine.
#pragma once

#include <pagoda/candidates.h>
#include <pagoda/error.h>
#include <pagoda/export.h>
#include <pagoda/vectors.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace pagoda {

enum class IndexKind {
  exact,        // every vector is scored
  partitioned,  // those near the query: for 100,000 items and more
};

// What a filter reads of the items: a value a vector, in their order. An empty text and a NaN are null.
struct AttributeColumn {
  std::string name{};
  std::variant<std::vector<std::string>, std::vector<std::int64_t>, std::vector<double>> values{};
};

struct IndexOptions {
  IndexKind kind = IndexKind::exact;
  bool cosine = false;          // vectors to unit length; make your queries so, too, if you want the scores as cosines
  bool half_precision = false;  // store float16, in half the space; scores are those of the rounded vectors
  std::vector<std::string> ids{};  // one a vector, all different; empty: row numbers, from "0"
  std::vector<AttributeColumn> attributes{};
  // Of a partitioned index.
  double recall = 0.95;  // share of the true best that a search is to find when it does not say, above 0 up to 1
  std::size_t k = 1000;  // the length of list that it is measured for, among others
  std::uint64_t seed = 1;
  VectorsView sample_queries{};  // queries like those to come, [n, dim], a few hundred; without any, items stand in
  int threads = 0;               // of the build and of one search; 0: one a CPU
};

struct SearchOptions {
  std::size_t k = 100;                 // at least 1
  std::string filter{};                // over the attributes: "price < 20 and brand in ('a', 'b')"; "": every item
  std::vector<std::string> exclude{};  // ids that do not come back; unknown ones exclude nothing
  float min_score = -std::numeric_limits<float>::infinity();
  double recall = 0;  // as RetrieveOptions::recall
};

// An immutable index. The same vectors, options and seed give the same answers on any number of threads.
//
// Thread-safety and errors are those of Retriever. Copies share one index. Index::build copies the vectors: into memory,
// or with `cosine` or `half_precision` into an unnamed file of the temporary folder, that of TMPDIR. An index that was
// opened keeps its file mapped.
class PAGODA_EXPORT Index {
 public:
  // Of vectors [n, dim], n and dim at least 1. Error{input}: a component that is not finite, an id that is empty or
  // occurs twice; Error{usage}: ids or a column of another length than n, a recall beyond (0, 1], k = 0.
  static Index build(VectorsView vectors, const IndexOptions& options = {});
  // A file that save(), `pagoda index` or training has written; the errors of Retriever's constructor.
  static Index open(const std::string& path, int threads = 0);
  // As a bundle, written whole or not at all, which every command reads. Error{failed}: the disk is full.
  void save(const std::string& path) const;

  // A list a query, of queries [Q, dim()].
  std::vector<Candidates> search(VectorsView queries, const SearchOptions& options = {}) const;

  std::size_t items() const noexcept;
  std::size_t dim() const noexcept;
  IndexKind kind() const noexcept;

 private:
  class Impl;
  explicit Index(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace pagoda
