#include "serve/retrieval.h"

#include <algorithm>

#include "core/suggest.h"
#include "model/ensemble.h"

namespace pagoda {

namespace {

std::vector<uint32_t> item_rows_of_attributes(const Bundle& bundle) {
  std::vector<uint32_t> rows;
  const auto& ids = bundle.item_attributes().ids;
  for (uint32_t a = 0; a < ids.size(); ++a) rows.push_back(bundle.item_ids().find(ids[a]));
  return rows;
}

std::vector<uint32_t> rows_of(const Bundle& bundle, const std::vector<std::string>& items) {
  std::vector<uint32_t> rows;
  for (const auto& id : items)
    if (const auto row = bundle.item_ids().find(id); row != Interner::kNone) rows.push_back(row);
  return rows;
}

std::vector<uint32_t> seen_items(const Bundle& bundle, const RetrieveRequest& request) {
  if (request.history) return rows_of(bundle, *request.history);
  std::vector<uint32_t> rows;
  if (!request.user) return rows;
  for (const auto& member : bundle.members())
    if (const auto user = member.user_ids.find(*request.user); user != Interner::kNone) {
      const auto known = member.user_states.histories[user];
      rows.insert(rows.end(), known.begin(), known.end());
    }
  return rows;
}

bool knows(const Bundle& bundle, const RetrieveRequest& request) {
  if (request.user)
    for (const auto& member : bundle.members())
      if (member.user_ids.find(*request.user) != Interner::kNone) return true;
  return false;
}

// What one member makes of the requests, but for attributes that they bring.
std::vector<UserRequest> plain_requests(const Bundle& bundle, const Member& member,
                                        const std::vector<RetrieveRequest>& requests) {
  const auto& names = member.model.user_encoder.context_names();
  std::vector<UserRequest> plain(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    auto& p = plain[i];
    if (r.user) p.user = p.cell = member.user_ids.find(*r.user);
    if (r.history) {
      p.own_history = true;
      for (auto item : rows_of(bundle, *r.history)) p.history.push_back(member.item_id_rows[item]);
    }
    p.context.resize(names.size());
    for (const auto& [name, value] : r.context) {
      const auto at = std::find(names.begin(), names.end(), name);
      if (at != names.end()) p.context[static_cast<size_t>(at - names.begin())] = value;
    }
    p.moment_us = r.time_us.value_or(member.user_states.moment_us);
  }
  return plain;
}

// The attributes of requests [with_features], as rows of a user table.
Attributes user_table(const UserEncoder& encoder, const std::vector<RetrieveRequest>& requests,
                      std::span<const size_t> with_features) {
  Attributes own;
  for (const auto& name : encoder.table_columns()) {
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
  }
  return own;
}

Matrix<float> member_vectors(ThreadPool& pool, const Bundle& bundle, const Member& member,
                             const std::vector<RetrieveRequest>& requests) {
  const auto vectors_of = [&](const UserCells& cells, std::span<const UserRequest> plain) {
    return request_vectors(pool, member.model, cells, member.user_states, member.item_id_rows, plain);
  };
  const auto plain = plain_requests(bundle, member, requests);
  auto vectors = vectors_of(member.user_cells, plain);
  std::vector<size_t> with_features;
  for (size_t i = 0; i < requests.size(); ++i)
    if (!requests[i].features.empty()) with_features.push_back(i);
  if (with_features.empty()) return vectors;

  const auto table = user_table(member.model.user_encoder, requests, with_features);
  auto cells = member.model.user_encoder.cells(table.ids, &table);
  std::vector<UserRequest> featured;
  for (size_t f = 0; f < with_features.size(); ++f) {
    featured.push_back(plain[with_features[f]]);
    if (const auto cell = featured[f].cell; cell != Interner::kNone) cells.id_rows[f] = member.user_cells.id_rows[cell];
    featured[f].cell = static_cast<uint32_t>(f);
  }
  const auto own_vectors = vectors_of(cells, featured);
  for (size_t f = 0; f < with_features.size(); ++f)
    std::copy_n(own_vectors[f], own_vectors.cols(), vectors[with_features[f]]);
  return vectors;
}

Matrix<float> bundle_vectors(ThreadPool& pool, const Bundle& bundle, const std::vector<RetrieveRequest>& requests) {
  return joined_user_vectors(pool, bundle, [&](const Member& m) { return member_vectors(pool, bundle, m, requests); });
}

}  // namespace

Retrieval::Retrieval(std::shared_ptr<const Bundle> bundle)
    : bundle_(std::move(bundle)),
      filters_(std::make_shared<FilterIndex>(bundle_->item_attributes(), item_rows_of_attributes(*bundle_),
                                             bundle_->item_ids().size())) {}

Retrieval::Retrieval(std::shared_ptr<const Bundle> bundle, std::shared_ptr<const Bundle> second, size_t rescore_from)
    : Retrieval(std::move(bundle)) {
  second_ = std::move(second), rescore_from_ = rescore_from;
  cascade_ = make_cascade(*bundle_, *second_, rescore_from);
}

void Retrieval::check_names(const RetrieveRequest& request, const std::string& place) const {
  std::vector<std::string> contexts, features;
  for (const auto* bundle : {bundle_.get(), second_.get()}) {
    if (!bundle) continue;
    for (const auto& member : bundle->members()) {
      const auto& encoder = member.model.user_encoder;
      contexts.insert(contexts.end(), encoder.context_names().begin(), encoder.context_names().end());
      const auto columns = encoder.table_columns();
      features.insert(features.end(), columns.begin(), columns.end());
    }
  }
  const auto check_one = [&](const char* what, const std::string& name, const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail(ErrorKind::input, "{}: the model reads no {} '{}'{}", place, what, name, suggestion(name, known));
  };
  for (const auto& [name, value] : request.context) check_one("context", name, contexts);
  for (const auto& feature : request.features) check_one("user feature", feature.name, features);
}

Matrix<float> Retrieval::user_vectors(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const {
  return bundle_vectors(pool, *bundle_, requests);
}

Matrix<float> Retrieval::item_vectors(ThreadPool& pool, const Interner& ids, const Attributes* attributes) const {
  return joined_item_vectors(pool, *bundle_, [&](const Member& m) {
    return pagoda::item_vectors(pool, m.model, m.model.item_encoder.cells(ids, attributes), m.info.moment_us);
  });
}

RetrieveAnswer Retrieval::retrieve(ThreadPool& pool, const std::vector<RetrieveRequest>& requests,
                                   const RetrieveOptions& options) const {
  if (second_) check_cascade_length(options.k, rescore_from_);
  auto vectors = user_vectors(pool, requests);
  if (second_) vectors = cascade_queries(vectors, bundle_vectors(pool, *second_, requests));
  Ragged<uint32_t> seen;
  for (const auto& request : requests) seen.push(seen_items(*bundle_, request));
  auto answer = search(pool, vectors, std::move(seen), options);
  for (const auto& request : requests) answer.user_known.push_back(knows(*bundle_, request));
  return answer;
}

RetrieveAnswer Retrieval::retrieve(ThreadPool& pool, MatrixView<const float> vectors,
                                   const RetrieveOptions& options) const {
  if (second_) fail(ErrorKind::usage, "a cascade encodes users with both models: it can not answer query vectors");
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
  return {{}, (cascade_ ? *cascade_ : bundle_->index()).search(pool, vectors, search)};
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
