// A loaded bundle for Python: the object behind pagoda.Model and pagoda.Index. It includes nanobind.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "library/call_pool.h"
#include "retrieval/retrieval.h"

namespace pagoda::python {

using QueryArray = nanobind::ndarray<const float, nanobind::ndim<2>, nanobind::c_contig, nanobind::device::cpu>;

// Lists of candidates as arrays: ids (numbers, or rows of the catalogue where ids are texts), scores, lengths, and
// which users are known. Lists of fewer than k are filled with -1 and -infinity.
struct Lists {
  nanobind::object ids, scores, counts, known;
};

// Immutable; any number of Python threads may call it. The GIL is released while it works.
class Loaded {
 public:
  // `integers`: ids that are whole numbers come out as such; nothing: as the bundle says of its log.
  Loaded(const std::string& path, int threads, bool journal, std::optional<bool> integers);
  Loaded(std::shared_ptr<const retrieval::Retrieval> retrieval, std::shared_ptr<library::CallPool> pool, bool integers);

  // `users`: ids, or (as_json) lines as `pagoda retrieve --users` reads them.
  Lists recommend(const std::vector<std::string>& users, bool as_json, const retrieval::RetrieveOptions& options,
                  const nanobind::object& on_event) const;
  Lists search(const QueryArray& queries, const retrieval::RetrieveOptions& options,
               const nanobind::object& on_event) const;
  Lists similar(const std::vector<std::string>& items, size_t k) const;

  nanobind::object user_vectors(const std::vector<std::string>& users, bool as_json) const;
  nanobind::object item_vectors() const;                                     // of the bundle; a view of the mapped file
  nanobind::object vectors_of(const std::vector<std::string>& items) const;  // of the catalogue, changes included
  // What the neighbours add to an item's score for each of `users`, float32 [n].
  nanobind::object boosts_of(const std::vector<std::string>& users, bool as_json, const std::string& item) const;
  // {column: (type, [value or None])} of items of the catalogue; types as in data::Attributes, times in microseconds.
  nanobind::dict attributes_of(const std::vector<std::string>& items) const;
  nanobind::object encode_items(const std::string& json) const;  // known or new ones

  // JSON: [{"item": ..., "attributes": {...}, "deleted": false}]. `vectors`: of those not deleted, in their order; a
  // bundle with towers encodes them itself.
  std::shared_ptr<Loaded> with_changes(const std::string& json, const std::optional<QueryArray>& vectors) const;

  std::string card() const;            // JSON
  nanobind::object item_ids() const;   // by row: int64 array, or list of texts
  nanobind::object catalogue() const;  // ids of the items that can come back, as item_ids()
  nanobind::object user_ids() const;
  nanobind::object history(const std::string& user) const;  // item ids that the bundle has of the user, the latest last
  bool has_item(const std::string& item) const { return retrieval_->find_item(item) != columns::Interner::kNone; }
  bool knows_user(const std::string& user) const;
  size_t items() const;
  void copy_to(const std::string& path) const;
  const retrieval::Retrieval& retrieval() const { return *retrieval_; }

  std::vector<retrieval::RetrieveRequest> requests_of(const std::vector<std::string>& users, bool as_json) const;
  data::Attributes item_table(const std::string& json) const;  // of what encode_items() takes

 private:
  template <class Ask>
  Lists lists(size_t n, size_t k, const Ask& ask, const nanobind::object& on_event) const;
  void read_numbers();

  std::shared_ptr<const retrieval::Retrieval> retrieval_;
  std::shared_ptr<library::CallPool> pool_;
  bool integers_;
  std::vector<int64_t> numbers_;  // per row, where all ids are whole numbers; else empty
};

void bind_loaded(nanobind::module_& module);

}  // namespace pagoda::python
