#include "retrieval/retrieval.h"

#include <algorithm>
#include <chrono>
#include <ranges>
#include <tuple>

#include "columns/decimal.h"
#include "core/suggest.h"
#include "index/layered_index.h"
#include "model/ensemble.h"
#include "retrieval/encoding.h"

namespace pagoda::retrieval {

namespace {

std::vector<uint32_t> item_rows_of_attributes(const model::Bundle& bundle) {
  std::vector<uint32_t> rows;
  const auto& ids = bundle.item_attributes().ids;
  for (uint32_t a = 0; a < ids.size(); ++a) rows.push_back(bundle.item_ids().find(ids[a]));
  return rows;
}

bool knows(const model::Bundle& bundle, const RetrieveRequest& request) {
  if (request.user)
    for (const auto& member : bundle.members())
      if (member.user_ids.find(*request.user) != columns::Interner::kNone) return true;
  return false;
}

math::Matrix<float> member_vectors(ThreadPool& pool, const model::Bundle& bundle, const model::Member& member,
                                   const std::vector<RetrieveRequest>& requests, const StandIns& stand_ins) {
  math::Matrix<float> vectors(requests.size(), member.dim());
  for_each_encoding(bundle, member, requests, stand_ins, [&](const Encoding& part) {
    const auto own =
        model::request_vectors(pool, member.model, part.cells, member.user_states, member.item_id_rows, part.requests);
    for (size_t i = 0; i < part.places.size(); ++i) std::copy_n(own[i], own.cols(), vectors[part.places[i]]);
  });
  return vectors;
}

math::Matrix<float> bundle_vectors(ThreadPool& pool, const model::Bundle& bundle,
                                   const std::vector<RetrieveRequest>& requests, const StandIns& stand_ins) {
  return model::joined_user_vectors(
      pool, bundle, [&](const model::Member& m) { return member_vectors(pool, bundle, m, requests, stand_ins); });
}

// lap(): seconds since the last lap.
class Laps {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Runs f(); its Error becomes a RequestError of that field.
template <class F>
decltype(auto) of_field(const char* field, F f) {
  try {
    return f();
  } catch (const Error& e) {
    throw RequestError(e.kind(), field, e.what());
  }
}

// The group of each row of a column; new values get numbers from `end` on.
void append_groups(const columns::Column& column, std::unordered_map<std::string, uint32_t>& of_value, uint32_t& end,
                   std::vector<uint32_t>& group_of, BackgroundThrottle* throttle = nullptr) {
  std::string scratch, key;
  for (uint32_t row = 0; row < column.rows(); ++row) {
    yield_every_64(throttle, row);
    const std::string value(columns::canonical_text(column.as_text(row, scratch), key));
    if (value.empty()) {
      group_of.push_back(index::Quota::kNoGroup);
      continue;
    }
    const auto [at, is_new] = of_value.try_emplace(value, end);
    end += is_new;
    group_of.push_back(at->second);
  }
}

}  // namespace

std::vector<RetrieveRequest> some_users(const model::Bundle& bundle) {
  constexpr size_t kMost = 256;
  const size_t users = bundle.user_ids().size(), n = std::min(users, kMost);
  std::vector<RetrieveRequest> requests(n);
  for (size_t i = 0; i < n; ++i)
    requests[i].user = std::string(bundle.user_ids()[static_cast<uint32_t>(i * users / n)]);
  return requests;
}

Retrieval::Retrieval(std::shared_ptr<const model::Bundle> bundle)
    : bundle_(std::move(bundle)),
      filters_(std::make_shared<filter::FilterIndex>(bundle_->item_attributes(), item_rows_of_attributes(*bundle_),
                                                     bundle_->item_ids().size())) {
  math::ItemSet had(bundle_->item_ids().size());
  for (uint32_t row = 0; row < bundle_->item_counts().size(); ++row)
    if (bundle_->item_counts()[row] > 0) had.add(row);
  had_ = std::make_shared<const math::ItemSet>(std::move(had));
}

Retrieval::Retrieval(std::shared_ptr<const model::Bundle> bundle, std::shared_ptr<const model::Bundle> second,
                     size_t rescore_from)
    : Retrieval(std::move(bundle)) {
  second_ = std::move(second);
  rescore_from_ = rescore_from;
  over_bundle_ = model::make_cascade(*bundle_, *second_, rescore_from);
}

Retrieval::Retrieval(const Retrieval& other, DeltaLayer::Ptr merged, DeltaLayer::Ptr fresh) : Retrieval(other) {
  if (second_) fail(ErrorKind::usage, "items cannot be added to a cascade");
  const bool other_groups = merged != merged_;
  merged_ = std::move(merged);
  fresh_ = std::move(fresh);
  if (other_groups) {  // made at once, so that the next search need not wait for them
    const auto known = known_quotas();
    quotas_ = std::make_shared<KnownQuotas>();
    for (const auto& attribute : known) quota_groups(attribute);
  }
  with_merged_ = merged_ ? index::make_layered_index(bundle_->index(), merged_->visible(), merged_->index()) : nullptr;
  const auto& below = with_merged_ ? *with_merged_ : bundle_->index();
  over_bundle_ = fresh_ ? index::make_layered_index(below, fresh_->visible(), fresh_->index()) : with_merged_;
}

std::pair<const DeltaLayer*, uint32_t> Retrieval::layer_of(uint32_t row) const {
  if (row < bottom()) return {nullptr, row};
  return row < first_fresh() ? std::pair(merged_.get(), row - bottom()) : std::pair(fresh_.get(), row - first_fresh());
}

uint32_t Retrieval::find_item(std::string_view id) const {
  if (fresh_)
    if (const uint32_t row = fresh_->items().ids.find(id); row != columns::Interner::kNone) return first_fresh() + row;
  uint32_t row = columns::Interner::kNone;
  if (merged_) row = merged_->items().ids.find(id);
  if (row != columns::Interner::kNone) {
    row += bottom();
  } else {
    row = bundle_->item_ids().find(id);
    if (row != columns::Interner::kNone && merged_ && !merged_->visible().has(row)) return columns::Interner::kNone;
  }
  return row != columns::Interner::kNone && fresh_ && !fresh_->visible().has(row) ? columns::Interner::kNone : row;
}

std::string_view Retrieval::item_id(uint32_t row) const {
  const auto [layer, at] = layer_of(row);
  return (layer ? layer->items().ids : bundle_->item_ids())[at];
}

void Retrieval::item_vector(uint32_t row, float* out) const {
  const auto [layer, at] = layer_of(row);
  (layer ? math::RowsView(layer->vectors()) : bundle_->item_vectors()).read(at, out);
}

std::pair<const columns::Column*, uint32_t> Retrieval::attribute(size_t column, uint32_t row) const {
  const auto [layer, at] = layer_of(row);
  if (layer) return {&layer->items().columns[column], at};
  return {&bundle_->item_attributes().columns[column], bundle_->attribute_row(at)};
}

size_t Retrieval::added_items() const {
  size_t merged = merged_ ? merged_->items().rows() : 0;
  if (merged_ && fresh_) merged = fresh_->visible().slice(bottom(), first_fresh()).count();
  return merged + (fresh_ ? fresh_->items().rows() : 0);
}

size_t Retrieval::hidden_items() const {
  math::ItemSet shown(bottom(), true);
  if (merged_) shown &= merged_->visible();
  if (fresh_) shown &= fresh_->visible().slice(0, bottom());
  return bottom() - shown.count();
}

void Retrieval::add_rows_of(const std::vector<std::string>& items, std::vector<uint32_t>& rows) const {
  for (const auto& id : items)
    if (const auto row = find_item(id); row != columns::Interner::kNone) rows.push_back(row);
}

std::vector<uint32_t> Retrieval::rows_of(const std::vector<std::string>& items) const {
  std::vector<uint32_t> rows;
  add_rows_of(items, rows);
  return rows;
}

// May return a row that another layer hides; a search leaves it out anyway.
uint32_t Retrieval::now_in_place_of(uint32_t bundle_row) const {
  if (fresh_)
    if (const auto row = fresh_->replacement_of(bundle_row); row != columns::Interner::kNone)
      return first_fresh() + row;
  if (merged_)
    if (const auto row = merged_->replacement_of(bundle_row); row != columns::Interner::kNone) return bottom() + row;
  return bundle_row;
}

std::vector<uint32_t> Retrieval::seen_items(const RetrieveRequest& request) const {
  std::vector<uint32_t> rows;
  for (const auto* items : recent_lists(request)) add_rows_of(*items, rows);
  if (request.history) {
    add_rows_of(*request.history, rows);
    return rows;
  }
  if (!request.user) return rows;
  for (const auto& member : bundle_->members())
    if (const auto user = member.user_ids.find(*request.user); user != columns::Interner::kNone)
      for (const uint32_t item : member.user_states.histories[user]) rows.push_back(now_in_place_of(item));
  return rows;
}

bool Retrieval::knows_user(const RetrieveRequest& request) const { return knows(*bundle_, request); }

bool Retrieval::is_positive(std::string_view kind) const {
  return kind.empty() || std::ranges::any_of(bundle_->members(), [&](const model::Member& member) {
           return member.model.user_encoder.history_of(kind) == features::EventHistory::main;
         });
}

std::vector<const std::vector<std::string>*> Retrieval::recent_lists(const RetrieveRequest& request) const {
  return retrieval::recent_lists(request, [&](const std::string& kind) { return is_positive(kind); });
}

bool Retrieval::in_known_history(std::string_view user, std::string_view item, std::string_view kind,
                                 int64_t time_us) const {
  const auto moment_us = bundle_->info().moment_us;  // 0: the log has no times
  const auto row = bundle_->item_ids().find(item);
  for (const auto& member : bundle_->members()) {
    const auto of = member.user_ids.find(user);
    if (of == columns::Interner::kNone) continue;
    const auto& states = member.user_states;
    const auto has = [&](std::span<const uint32_t> history) {
      return row != columns::Interner::kNone && std::ranges::find(history, row) != history.end();
    };
    if (is_positive(kind)) {
      if ((moment_us == 0 || time_us <= moment_us) && has(states.histories[of])) return true;
      continue;
    }
    const auto own = std::ranges::find(states.event_names, kind);
    if (own == states.event_names.end() || (moment_us != 0 && time_us > states.events_until_us)) continue;
    const auto history = states.event_histories[static_cast<size_t>(own - states.event_names.begin())][of];
    const bool all_kept = history.size() < member.model.user_encoder.history_length();
    if (has(history) || (!all_kept && moment_us != 0)) return true;
  }
  return false;
}

std::vector<std::string> Retrieval::unseen_values(const RetrieveRequest& request) const {
  std::vector<std::string> unseen;
  const auto look = [&](const std::string& column, const std::string& value) {
    if (value.empty()) return;
    std::optional<bool> known;
    for (const auto* bundle : {bundle_.get(), second_.get()})
      if (bundle)
        for (const auto& member : bundle->members())
          if (const auto one = member.model.user_encoder.knows_value(column, value))
            known = known.value_or(false) || *one;
    if (known == false) unseen.push_back(column + " = " + value);
  };
  for (const auto& [column, value] : request.context) look(column, value);
  for (const auto& feature : request.features)
    for (const auto& value : feature.values) look(feature.name, value);
  return unseen;
}

void Retrieval::check_names(const RetrieveRequest& request, const std::string& place) const {
  try {
    check_names(request);
  } catch (const RequestError& e) {
    fail(e.kind(), "{}: {}", place, e.what());
  }
}

void Retrieval::check_time(const RetrieveRequest& request) const {
  const auto& info = bundle_->info();
  if (!request.time_us || !info.times) return;
  constexpr double kMaxDistanceUs = 30 * 365 * 86400e6;  // a request this far from the log has its time in another unit
  if (std::abs(static_cast<double>(*request.time_us) - static_cast<double>(info.moment_us)) > kMaxDistanceUs)
    throw RequestError(ErrorKind::input, "time",
                       fmt::format("'time' is {}, far from the data's {}: a number is read as in the log ({}); write "
                                   "2024-05-01T10:00:00Z",
                                   columns::format_time_us(*request.time_us), columns::format_time_us(info.moment_us),
                                   columns::name_of(info.times->unit)));
}

void Retrieval::check_names(const RetrieveRequest& request) const {
  check_time(request);
  if (request.context.empty() && request.features.empty() && request.events.empty()) return;
  std::vector<std::string> contexts, features, kinds;
  for (const auto* bundle : {bundle_.get(), second_.get()}) {
    if (!bundle) continue;
    for (const auto& member : bundle->members()) {
      const auto& encoder = member.model.user_encoder;
      for (const auto& kind : encoder.event_kinds())
        if (kind.history != features::EventHistory::none) kinds.push_back(kind.name);
      contexts.insert(contexts.end(), encoder.context_names().begin(), encoder.context_names().end());
      const auto columns = encoder.table_columns();
      features.insert(features.end(), columns.begin(), columns.end());
    }
  }
  const auto check_one = [&](const char* field, const char* what, const std::string& name,
                             const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw RequestError(ErrorKind::input, field,
                         fmt::format("the model reads no {} '{}'{}", what, name, suggestion(name, known)));
  };
  for (const auto& [kind, items] : request.events) check_one("events", "event", kind, kinds);
  for (const auto& [name, value] : request.context) check_one("context", "context", name, contexts);
  for (const auto& feature : request.features) {
    check_one("features", "user feature", feature.name, features);
    for (const auto* bundle : {bundle_.get(), second_.get()})
      for (size_t m = 0; bundle && m < bundle->members().size(); ++m)
        for (const auto* read : bundle->members()[m].model.user_encoder.vector_features())
          if (read->name() == feature.name) check_vector(feature, read->dim(), "features");
  }
}

math::Matrix<float> Retrieval::user_vectors(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const {
  return bundle_vectors(pool, *bundle_, requests, stand_ins(pool, requests));
}

StandIns Retrieval::stand_ins(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const {
  constexpr size_t kMost = 3;
  StandIns out;
  size_t read = 0;  // the most items of a history that a tower reads
  for (const auto& member : bundle_->members()) read = std::max(read, member.model.user_encoder.history_length());
  std::vector<std::pair<const std::string*, uint32_t>> asked;  // id, row
  const auto look = [&](const std::vector<std::string>& items, size_t& left) {
    for (auto id = items.rbegin(); id != items.rend() && left > 0; ++id) {
      const auto known = bundle_->item_ids().find(*id);
      const auto row = known != columns::Interner::kNone ? known : find_item(*id);
      if (row == columns::Interner::kNone) continue;
      --left;
      if (row == known) continue;
      if (const auto [one, fresh] = out.try_emplace(*id); fresh) asked.emplace_back(&one->first, row);
    }
  };
  for (const auto& request : requests) {
    size_t left = read;
    const auto recent = recent_lists(request);
    for (const auto* items : recent | std::views::reverse) look(*items, left);
    if (request.history) look(*request.history, left);
    for (const auto& [kind, items] : request.events) {
      size_t left_of_kind = read;
      look(items, left_of_kind);
    }
  }
  if (asked.empty() || had_->count() == 0) return {};
  math::Matrix<float> queries(asked.size(), bundle_->item_vectors().cols());
  for (size_t i = 0; i < asked.size(); ++i) item_vector(asked[i].second, queries[i]);
  const auto found = bundle_->index().search(pool, queries, {.k = kMost, .allowed = had_.get()});
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto nearest = found.items[i];
    out[*asked[i].first].assign(nearest.begin(), nearest.end());
  }
  return out;
}

math::Matrix<float> Retrieval::item_vectors(ThreadPool& pool, const columns::Interner& ids,
                                            const data::Attributes* attributes) const {
  return model::joined_item_vectors(pool, *bundle_, [&](const model::Member& m) {
    return pagoda::model::item_vectors(pool, m.model, m.model.item_encoder.cells(ids, attributes, pool.throttle()),
                                       m.info.moment_us);
  });
}

// By rows of the bundle's catalogue.
std::vector<uint32_t> Retrieval::history_of(const RetrieveRequest& request) const {
  std::vector<uint32_t> rows;
  const auto add = [&](const std::vector<std::string>& ids) {
    for (const auto& id : ids)
      if (const auto row = bundle_->item_ids().find(id); row != columns::Interner::kNone) rows.push_back(row);
  };
  if (request.history) {
    add(*request.history);
  } else if (request.user) {
    const auto user = bundle_->user_ids().find(*request.user);
    if (user != columns::Interner::kNone) {
      const auto known = bundle_->user_states().histories[user];
      rows.assign(known.begin(), known.end());
    }
  }
  for (const auto* items : recent_lists(request)) add(*items);
  return rows;
}

std::optional<index::Boosts> Retrieval::boosts(ThreadPool& pool, const std::vector<RetrieveRequest>& requests) const {
  const auto* neighbours = bundle_->neighbours();
  if (!neighbours) return std::nullopt;
  math::Ragged<uint32_t> histories;
  for (const auto& request : requests) histories.push(history_of(request));
  auto boosts = neighbours->boosts(pool, histories);
  if (!merged_ && !fresh_) return boosts;
  auto& [rows, amounts] = boosts;  // a changed item has its boost where it stands now
  for (size_t request = 0; request < rows.size(); ++request) {
    std::vector<std::pair<uint32_t, float>> now;
    for (uint64_t i = rows.offsets[request]; i < rows.offsets[request + 1]; ++i)
      now.emplace_back(now_in_place_of(rows.values[i]), amounts[i]);
    std::ranges::sort(now);
    for (size_t i = 0; i < now.size(); ++i)
      std::tie(rows.values[rows.offsets[request] + i], amounts[rows.offsets[request] + i]) = now[i];
  }
  return boosts;
}

RetrieveAnswer Retrieval::retrieve(ThreadPool& pool, const std::vector<RetrieveRequest>& requests,
                                   const RetrieveOptions& options) const {
  if (second_) model::check_cascade_length(options.k, rescore_from_);
  Laps laps;
  auto vectors = user_vectors(pool, requests);
  if (second_) vectors = model::cascade_queries(vectors, bundle_vectors(pool, *second_, requests, {}));
  math::Ragged<uint32_t> seen, own_exclusions;
  for (const auto& request : requests) {
    seen.push(seen_items(request));
    own_exclusions.push(rows_of(request.exclude));
  }
  const auto boosts = this->boosts(pool, requests);
  const double encode_s = laps.lap();
  auto answer = search(pool, vectors, seen, own_exclusions, boosts ? &*boosts : nullptr, options);
  answer.times.encode_s = encode_s;
  for (const auto& request : requests) answer.user_known.push_back(knows(*bundle_, request));
  return answer;
}

RetrieveAnswer Retrieval::retrieve(ThreadPool& pool, math::MatrixView<const float> vectors,
                                   const RetrieveOptions& options) const {
  if (second_) fail(ErrorKind::usage, "a cascade encodes users with both models: it cannot answer query vectors");
  if (vectors.cols() != bundle_->item_vectors().cols())
    fail(ErrorKind::input, "the query vectors have {} components, the bundle's items {}", vectors.cols(),
         bundle_->item_vectors().cols());
  math::Ragged<uint32_t> none;
  for (size_t i = 0; i < vectors.rows(); ++i) none.close();
  auto answer = search(pool, vectors, none, none, nullptr, options);
  answer.user_known.assign(vectors.rows(), false);
  return answer;
}

std::vector<std::string> Retrieval::known_quotas() const {
  const std::lock_guard lock(quotas_->mutex);
  std::vector<std::string> attributes;
  for (const auto& [attribute, groups] : quotas_->of) attributes.push_back(attribute);
  return attributes;
}

void Retrieval::arrange_as(const Retrieval& other, BackgroundThrottle* throttle) const {
  const auto columns = other.filters_->arranged();
  filters_->arrange(columns, throttle);
  for (const auto& layer : {merged_, fresh_})
    if (layer) layer->filters().arrange(columns, throttle);
  for (const auto& attribute : other.known_quotas()) {
    const auto* column = bundle_->item_attributes().find(attribute);
    if (!column || column->type == columns::ColumnType::texts) continue;
    auto groups = make_quota_groups(attribute,
                                    throttle);  // without the mutex, because it may yield to a thread that waits for it
    const std::lock_guard lock(quotas_->mutex);
    quotas_->of.emplace(attribute, std::move(groups));
  }
}

Retrieval::QuotaGroups Retrieval::make_quota_groups(const std::string& attribute, BackgroundThrottle* throttle) const {
  static_assert(columns::Interner::kNone == index::Quota::kNoGroup, "a FilterIndex numbers groups as a Quota does");
  QuotaGroups groups{filters_->groups(attribute), {}, {}, 0};
  const auto* column = bundle_->item_attributes().find(attribute);
  std::vector<bool> named;
  std::string scratch, key;
  for (uint32_t item = 0; item < groups.of_item.size(); ++item) {
    yield_every_64(throttle, item);
    const uint32_t group = groups.of_item[item];
    if (group == index::Quota::kNoGroup || (group < named.size() && named[group])) continue;
    named.resize(std::max<size_t>(named.size(), group + 1));
    named[group] = true;
    groups.of_value.emplace(columns::canonical_text(column->as_text(bundle_->attribute_row(item), scratch), key),
                            group);
  }
  groups.end = static_cast<uint32_t>(named.size());
  if (merged_) append_groups(*merged_->items().find(attribute), groups.of_value, groups.end, groups.of_item, throttle);
  groups.members = index::members_of_groups(groups.of_item);
  return groups;
}

const Retrieval::QuotaGroups& Retrieval::quota_groups(const std::string& attribute) const {
  const std::lock_guard lock(quotas_->mutex);
  const auto known = quotas_->of.find(attribute);
  if (known != quotas_->of.end()) return known->second;
  return quotas_->of.emplace(attribute, make_quota_groups(attribute, nullptr)).first->second;
}

std::vector<uint32_t> Retrieval::quota_groups_of_fresh(const std::string& attribute, const QuotaGroups& groups) const {
  const auto* column = fresh_->items().find(attribute);
  std::unordered_map<std::string, uint32_t> of_value;  // of values that occur in the fresh layer
  std::string scratch, key;
  for (uint32_t row = 0; row < column->rows(); ++row) {
    const std::string value(columns::canonical_text(column->as_text(row, scratch), key));
    if (const auto known = groups.of_value.find(value); known != groups.of_value.end()) of_value.insert(*known);
  }
  std::vector<uint32_t> group_of;
  uint32_t end = groups.end;
  append_groups(*column, of_value, end, group_of);
  return group_of;
}

filter::Filter Retrieval::compile(const std::string& filter) const {
  auto compiled = filters_->compile(filter);
  for (const auto& layer : {merged_, fresh_}) {
    if (!layer) continue;
    // The filter fits the bundle's columns. If these are empty and it does not fit the added items, none of these
    // match: one odd item must not turn everybody's filter into an error.
    try {
      compiled.items.append(layer->filters().compile(filter, filters_.get()).items);
    } catch (const Error&) {
      compiled.items.append(math::ItemSet(layer->items().rows()));
    }
  }
  return compiled;
}

RetrieveAnswer Retrieval::search(ThreadPool& pool, math::MatrixView<const float> vectors,
                                 const math::Ragged<uint32_t>& seen, const math::Ragged<uint32_t>& own_exclusions,
                                 const index::Boosts* boosts, const RetrieveOptions& options) const {
  Laps laps;
  std::optional<math::ItemSet> allowed;
  bool exclude_seen = options.exclude_seen;
  if (!options.filter.empty()) {
    auto filter = of_field("filter", [&] { return compile(options.filter); });
    exclude_seen |= filter.not_seen;
    allowed = std::move(filter.items);
  }
  if (!options.exclude.empty()) {
    if (!allowed) allowed.emplace(items(), true);
    for (const auto row : rows_of(options.exclude)) allowed->remove(row);
  }
  math::Ragged<uint32_t> excluded;
  for (size_t i = 0; i < vectors.rows(); ++i) {
    if (exclude_seen) excluded.values.insert(excluded.values.end(), seen[i].begin(), seen[i].end());
    excluded.push(own_exclusions[i]);
  }
  RetrieveAnswer answer;
  index::SearchOptions search{.k = options.k,
                              .allowed = allowed ? &*allowed : nullptr,
                              .excluded = excluded.values.empty() ? nullptr : &excluded,
                              .min_score = options.min_score,
                              .recall = options.exact ? 1.0 : options.recall,
                              .boosts = boosts};
  index::Quota quota;
  std::vector<uint32_t> group_of_more;
  if (options.quota) {
    const auto& attribute = options.quota->attribute;
    const auto& groups = of_field("quota", [&]() -> const QuotaGroups& { return quota_groups(attribute); });
    if (fresh_) group_of_more = quota_groups_of_fresh(attribute, groups);
    quota = {groups.of_item, options.quota->max, group_of_more, &groups.members};
    search.quota = &quota;
  }
  if (options.explain) search.explain = &answer.explain.emplace();
  answer.times.filter_s = laps.lap();
  answer.found = index().search(pool, vectors, search);
  answer.times.search_s = laps.lap();
  return answer;
}

index::SearchResult Retrieval::similar(ThreadPool& pool, std::span<const uint32_t> items, size_t k) const {
  math::Matrix<float> queries(items.size(), bundle_->item_vectors().cols());
  math::Ragged<uint32_t> self;
  for (size_t i = 0; i < items.size(); ++i) {
    item_vector(items[i], queries[i]);
    self.push({&items[i], 1});
  }
  // Items are compared by the first model; a cascade reranks for users only.
  const auto& index = second_ ? bundle_->index() : this->index();
  return index.search(pool, queries, {.k = k, .excluded = &self});
}

}  // namespace pagoda::retrieval
