#include "serve/retrieval.h"

#include <algorithm>

#include "core/suggest.h"

namespace pagoda {

namespace {

std::vector<uint32_t> item_rows_of_attributes(const Bundle& bundle) {
  std::vector<uint32_t> rows;
  const auto& ids = bundle.item_attributes().ids;
  for (uint32_t a = 0; a < ids.size(); ++a) rows.push_back(bundle.item_ids().find(ids[a]));
  return rows;
}

}  // namespace

Retrieval::Retrieval(std::shared_ptr<const Bundle> bundle)
    : bundle_(std::move(bundle)),
      filters_(std::make_shared<FilterIndex>(bundle_->item_attributes(), item_rows_of_attributes(*bundle_),
                                             bundle_->item_ids().size())) {}

std::vector<uint32_t> Retrieval::seen_items(const RetrieveRequest& request) const {
  std::vector<uint32_t> rows;
  if (request.history) {
    for (const auto& id : *request.history)
      if (const auto row = bundle_->item_ids().find(id); row != Interner::kNone) rows.push_back(row);
  } else if (request.user) {
    if (const auto user = bundle_->user_ids().find(*request.user); user != Interner::kNone) {
      const auto known = bundle_->user_states().histories[user];
      rows.assign(known.begin(), known.end());
    }
  }
  return rows;
}

void Retrieval::check_names(const RetrieveRequest& request, const std::string& place) const {
  const auto& encoder = bundle_->model().user_encoder;
  const auto check_one = [&](const char* what, const std::string& name, const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail(ErrorKind::input, "{}: the model reads no {} '{}'{}", place, what, name, suggestion(name, known));
  };
  for (const auto& [name, value] : request.context) check_one("context", name, encoder.context_names());
  for (const auto& feature : request.features) check_one("user feature", feature.name, encoder.table_columns());
}

Matrix<float> Retrieval::user_vectors(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const {
  const auto& model = bundle_->model();
  const auto& names = model.user_encoder.context_names();
  std::vector<UserRequest> plain(requests.size());
  // Requests that bring attributes of their own are encoded like rows of a user table.
  Attributes own;
  std::vector<size_t> with_features;
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    auto& p = plain[i];
    if (r.user) p.user = p.cell = bundle_->user_ids().find(*r.user);
    if (r.history) {
      p.own_history = true;
      for (auto item : seen_items(r)) p.history.push_back(bundle_->item_id_rows()[item]);
    }
    p.context.resize(names.size());
    for (const auto& [name, value] : r.context) {
      const auto at = std::find(names.begin(), names.end(), name);
      if (at != names.end()) p.context[static_cast<size_t>(at - names.begin())] = value;
    }
    p.moment_us = r.time_us.value_or(bundle_->user_states().moment_us);
    if (!r.features.empty()) with_features.push_back(i);
  }
  auto vectors =
      request_vectors(pool, model, bundle_->user_cells(), bundle_->user_states(), bundle_->item_id_rows(), plain);
  if (with_features.empty()) return vectors;

  std::vector<UserRequest> featured;
  for (const auto& name : model.user_encoder.table_columns()) {
    auto& column = own.columns.emplace_back();
    column.name = name;
    for (auto i : with_features)
      for (const auto& feature : requests[i].features)
        if (feature.name == name && feature.is_list) column.type = ColumnType::texts;
  }
  for (auto i : with_features) {
    // A name of its own for each request: two may speak of one user with different attributes.
    own.ids.add(fmt::format("{}\x1f{}", i, requests[i].user.value_or("")));
    for (auto& column : own.columns) {
      const auto given = std::find_if(requests[i].features.begin(), requests[i].features.end(),
                                      [&](const auto& f) { return f.name == column.name; });
      if (given == requests[i].features.end()) {
        column.push_null();
      } else if (column.type == ColumnType::texts) {
        for (const auto& value : given->values) column.push_element(value);
        column.end_list();
      } else {
        column.push_text(given->values[0]);
      }
    }
    featured.push_back(plain[i]);
    featured.back().cell = static_cast<uint32_t>(featured.size() - 1);
  }
  auto cells = model.user_encoder.cells(own.ids, &own);
  for (size_t f = 0; f < featured.size(); ++f)
    if (plain[with_features[f]].cell != Interner::kNone)
      cells.id_rows[f] = bundle_->user_cells().id_rows[plain[with_features[f]].cell];
  const auto own_vectors =
      request_vectors(pool, model, cells, bundle_->user_states(), bundle_->item_id_rows(), featured);
  for (size_t f = 0; f < with_features.size(); ++f)
    std::copy_n(own_vectors[f], own_vectors.cols(), vectors[with_features[f]]);
  return vectors;
}

Matrix<float> Retrieval::item_vectors(ThreadPool& pool, const Interner& ids, const Attributes* attributes) const {
  const auto& model = bundle_->model();
  return pagoda::item_vectors(pool, model, model.item_encoder.cells(ids, attributes), bundle_->info().moment_us);
}

RetrieveAnswer Retrieval::retrieve(ThreadPool& pool, const std::vector<RetrieveRequest>& requests,
                                   const RetrieveOptions& options) const {
  const auto vectors = user_vectors(pool, requests);
  Ragged<uint32_t> seen;
  for (const auto& request : requests) seen.push(seen_items(request));
  auto answer = search(pool, vectors, std::move(seen), options);
  for (const auto& r : requests)
    answer.user_known.push_back(r.user && bundle_->user_ids().find(*r.user) != Interner::kNone);
  return answer;
}

RetrieveAnswer Retrieval::retrieve(ThreadPool& pool, MatrixView<const float> vectors,
                                   const RetrieveOptions& options) const {
  if (vectors.cols() != bundle_->item_vectors().cols())
    fail(ErrorKind::input, "the query vectors have {} components, the bundle's items {}", vectors.cols(),
         bundle_->item_vectors().cols());
  Ragged<uint32_t> none;
  for (size_t i = 0; i < vectors.rows(); ++i) none.close();
  auto answer = search(pool, vectors, std::move(none), options);
  answer.user_known.assign(vectors.rows(), false);
  return answer;
}

RetrieveAnswer Retrieval::search(ThreadPool& pool, MatrixView<const float> vectors, Ragged<uint32_t> seen,
                                 const RetrieveOptions& options) const {
  const size_t items = bundle_->item_ids().size();
  std::optional<ItemSet> allowed;
  bool exclude_seen = options.exclude_seen;
  if (!options.filter.empty()) {
    auto filter = filters_->compile(options.filter);
    exclude_seen |= filter.not_seen;
    allowed = std::move(filter.items);
  }
  if (!options.exclude.empty()) {
    if (!allowed) allowed.emplace(items, true);
    for (const auto& id : options.exclude)
      if (const auto row = bundle_->item_ids().find(id); row != Interner::kNone) allowed->remove(row);
  }
  SearchOptions search{.k = options.k,
                       .allowed = allowed ? &*allowed : nullptr,
                       .excluded = exclude_seen ? &seen : nullptr,
                       .min_score = options.min_score};
  return {{}, bundle_->index().search(pool, vectors, search)};
}

SearchResult Retrieval::similar(ThreadPool& pool, std::span<const uint32_t> items, size_t k) const {
  const auto all = bundle_->item_vectors();
  Matrix<float> queries(items.size(), all.cols());
  Ragged<uint32_t> self;
  for (size_t i = 0; i < items.size(); ++i) {
    std::copy_n(all[items[i]], all.cols(), queries[i]);
    self.push({&items[i], 1});
  }
  return bundle_->index().search(pool, queries, {.k = k, .excluded = &self});
}

}  // namespace pagoda
