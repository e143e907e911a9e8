#include <pagoda/retriever.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "core/printable.h"
#include "data/id_overlap.h"
#include "library/arguments.h"
#include "library/call_pool.h"
#include "retrieval/snapshot.h"

namespace pagoda {

namespace {

using library::wrong;

// A single value that is none, or several.
void check_feature(const Feature& feature, const std::string& field) {
  if (!feature.is_list && feature.values.size() != 1)
    wrong(ErrorKind::input, field, "'{}' has {} values and is no list: give one value, or say is_list",
          printable(feature.name), feature.values.size());
}

std::vector<retrieval::RequestFeature> features_of(const std::vector<Feature>& features, const std::string& field) {
  std::vector<retrieval::RequestFeature> result;
  for (const auto& feature : features) {
    check_feature(feature, field);
    result.push_back({.name = feature.name, .values = feature.values, .is_list = feature.is_list});
  }
  return result;
}

std::vector<retrieval::RetrieveRequest> requests_of(const retrieval::Retrieval& retrieval,
                                                    std::span<const Request> requests) {
  std::vector<retrieval::RetrieveRequest> result;
  result.reserve(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    const auto field = [&](const std::string& name) { return library::field_of("requests", i, requests.size(), name); };
    result.push_back({.user = r.user,
                      .history = r.history,
                      .recent = r.recent,
                      .events = r.events,
                      .context = r.context,
                      .features = features_of(r.features, field("features")),
                      .time_us = r.time_us,
                      .exclude = r.exclude});
    try {
      retrieval.check_names(result.back());
    } catch (const Error& e) {
      throw Error(e.kind(), e.what(), field(e.field()));
    }
  }
  return result;
}

retrieval::RetrieveOptions options_of(const RetrieveOptions& options, size_t items) {
  retrieval::RetrieveOptions result{.k = library::checked_k(options.k, items),
                                    .filter = options.filter,
                                    .exclude_seen = options.exclude_seen,
                                    .exclude = options.exclude,
                                    .min_score = library::checked_min_score(options.min_score)};
  result.recall = library::checked_recall(options.recall);
  if (!options.quota) return result;
  if (options.quota->most == 0) wrong(ErrorKind::usage, "quota", "quota.most = 0: let in at least 1 item of a value");
  result.quota = {options.quota->attribute, options.quota->most};
  return result;
}

// The last change of each item.
std::vector<retrieval::ItemChange> changes_of(const retrieval::BroughtItems& items, std::span<const ItemChange> changes,
                                              const std::string& list) {
  std::vector<retrieval::ItemChange> result;
  std::set<std::string_view> later;
  for (size_t i = changes.size(); i-- > 0;) {
    const auto& change = changes[i];
    const auto field = [&](const std::string& name) { return library::field_of(list, i, changes.size(), name); };
    if (change.item.empty()) wrong(ErrorKind::input, field("item"), "an item has an empty id");
    const auto attributes = features_of(change.attributes, field("attributes"));
    try {
      for (const auto& attribute : attributes) items.check(attribute);
    } catch (const Error& e) {
      throw Error(e.kind(), printable(e.what()), field("attributes"));
    }
    if (later.insert(change.item).second)
      result.push_back({.item = change.item, .attributes = attributes, .deleted = change.deleted});
  }
  std::ranges::reverse(result);
  return result;
}

Vectors vectors_of(const math::Matrix<float>& matrix) {
  return {.dim = matrix.cols(), .values = {matrix.begin(), matrix.end()}};
}

retrieval::Retrieval open_retrieval(const std::string& path, bool with_journal) {
  auto bundle = model::Bundle::open(path);
  if (!with_journal) return retrieval::Retrieval(std::move(bundle));
  return retrieval::with_changes(std::move(bundle), retrieval::read_item_journal(retrieval::item_journal_path(path)),
                                 {.merge_at = std::numeric_limits<size_t>::max()});
}

}  // namespace

class Retriever::Impl {
 public:
  Impl(retrieval::Retrieval loaded, std::shared_ptr<library::CallPool> threads)
      : retrieval(std::move(loaded)), pool(std::move(threads)) {}

  void need_towers(const char* what) const {
    if (!retrieval.bundle().info().towers)
      wrong(ErrorKind::usage, "", "{}: it was made of vectors and has no towers to {}; ask it by search() or similar()",
            retrieval.bundle().file().path(), what);
  }
  size_t items() const {
    return retrieval.bundle().item_ids().size() - retrieval.hidden_items() + retrieval.added_items();
  }
  std::vector<Candidates> candidates(const index::SearchResult& found) const {
    return library::candidates_of(found, [&](uint32_t row) { return retrieval.item_id(row); });
  }

  const retrieval::Retrieval retrieval;
  const std::shared_ptr<library::CallPool> pool;  // shared by the copies and by what with_changes() makes
};

Retriever::Retriever(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Retriever::Retriever(const std::string& path, const RetrieverOptions& options)
    : impl_(std::make_shared<const Impl>(
          open_retrieval(path, options.journal),
          std::make_shared<library::CallPool>(library::checked_threads(options.threads)))) {}

std::vector<Candidates> Retriever::retrieve(std::span<const Request> requests, const RetrieveOptions& options) const {
  impl_->need_towers("encode a user with");
  const auto asked = requests_of(impl_->retrieval, requests);
  const auto how = options_of(options, impl_->retrieval.items());
  return impl_->pool->run(
      [&](ThreadPool& pool) { return impl_->candidates(impl_->retrieval.retrieve(pool, asked, how).found); });
}

Candidates Retriever::retrieve(const Request& request, const RetrieveOptions& options) const {
  return std::move(retrieve({&request, 1}, options)[0]);
}

std::vector<Candidates> Retriever::search(VectorsView queries, const RetrieveOptions& options) const {
  const auto vectors = library::checked_queries(queries, dim(), "queries");
  const auto how = options_of(options, impl_->retrieval.items());
  return impl_->pool->run(
      [&](ThreadPool& pool) { return impl_->candidates(impl_->retrieval.retrieve(pool, vectors, how).found); });
}

std::vector<Candidates> Retriever::similar(std::span<const std::string> items, size_t k) const {
  const auto most = library::checked_k(k, impl_->retrieval.items());
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < items.size(); ++i) {
    rows.push_back(impl_->retrieval.find_item(items[i]));
    if (rows.back() != columns::Interner::kNone) continue;
    columns::Interner unknown;
    unknown.add(items[i]);
    wrong(ErrorKind::input, fmt::format("items[{}]", i), "item '{}' is not in the catalogue{}", printable(items[i]),
          data::spelling_hint(data::count_overlap({&unknown}, {&impl_->retrieval.bundle().item_ids()})));
  }
  return impl_->pool->run(
      [&](ThreadPool& pool) { return impl_->candidates(impl_->retrieval.similar(pool, rows, most)); });
}

Vectors Retriever::encode_users(std::span<const Request> requests) const {
  impl_->need_towers("encode a user with");
  const auto asked = requests_of(impl_->retrieval, requests);
  return impl_->pool->run([&](ThreadPool& pool) { return vectors_of(impl_->retrieval.user_vectors(pool, asked)); });
}

Vectors Retriever::encode_items(std::span<const ItemChange> items) const {
  impl_->need_towers("encode an item with");
  retrieval::BroughtItems brought(impl_->retrieval.bundle());
  const auto asked = changes_of(brought, items, "items");
  if (asked.size() != items.size()) wrong(ErrorKind::input, "items", "two of the items have one id: give each once");
  for (const auto& item : asked) brought.add(item);
  const auto table = brought.take();
  return impl_->pool->run(
      [&](ThreadPool& pool) { return vectors_of(impl_->retrieval.item_vectors(pool, table.ids, &table)); });
}

Retriever Retriever::with_changes(std::span<const ItemChange> changes) const {
  impl_->need_towers("encode an item with");
  const auto& before = impl_->retrieval;
  const auto made = changes_of(retrieval::BroughtItems(before.bundle()), changes, "changes");
  const auto encode = [&](const columns::Interner& ids, const data::Attributes& attributes) {
    return impl_->pool->run([&](ThreadPool& pool) { return before.item_vectors(pool, ids, &attributes); });
  };
  const auto layer = std::make_shared<const retrieval::DeltaLayer>(before.shared_bundle(), before.merged(),
                                                                   before.fresh().get(), made, encode);
  return Retriever(std::make_shared<const Impl>(retrieval::Retrieval(before, before.merged(), layer), impl_->pool));
}

bool Retriever::knows_user(std::string_view user) const {
  if (!has_towers()) return false;
  retrieval::RetrieveRequest request;
  request.user = std::string(user);
  return impl_->retrieval.knows_user(request);
}
bool Retriever::has_item(std::string_view item) const {
  return impl_->retrieval.find_item(item) != columns::Interner::kNone;
}
bool Retriever::has_towers() const noexcept { return impl_->retrieval.bundle().info().towers; }
std::size_t Retriever::items() const { return impl_->items(); }
std::size_t Retriever::dim() const noexcept { return impl_->retrieval.bundle().item_vectors().cols(); }
std::string_view Retriever::fingerprint() const noexcept { return impl_->retrieval.bundle().fingerprint(); }

}  // namespace pagoda
