#include "server/request_parser.h"

#include <algorithm>
#include <cmath>

#include "core/suggest.h"
#include "retrieval/exact_json.h"
#include "retrieval/json_request.h"

namespace pagoda::server {
namespace {

using nlohmann::json;

constexpr int64_t kLongestHistory = 1000;  // of users:find, per user
constexpr int64_t kListsOfABatch = 100;    // times max_k: the items that the lists of one call may hold together

template <class... Args>
[[noreturn]] void wrong(std::string field, fmt::format_string<Args...> format, Args&&... args) {
  throw retrieval::RequestError(ErrorKind::input, std::move(field), fmt::format(format, std::forward<Args>(args)...));
}

int64_t read_count(const json& value, const std::string& field, int64_t max) {
  const bool fits =
      value.is_number_unsigned() && value.get<uint64_t>() >= 1 && value.get<uint64_t>() <= static_cast<uint64_t>(max);
  if (!fits) wrong(field, "'{}' is {}, expected a whole number from 1 to {}", field, retrieval::shown(value), max);
  return value.get<int64_t>();
}

bool read_flag(const json& value, const std::string& field) {
  if (!value.is_boolean()) wrong(field, "'{}' is {}, expected true or false", field, retrieval::shown(value));
  return value.get<bool>();
}

std::string read_text(const json& value, const std::string& field) {
  if (!value.is_string()) wrong(field, "'{}' is {}, expected a text", field, retrieval::shown(value));
  return value.get<std::string>();
}

// Clamps to the range of a float; no score is beyond it.
float read_score(const json& value, const std::string& field) {
  if (!retrieval::is_number(value)) wrong(field, "'{}' is {}, expected a number", field, retrieval::shown(value));
  constexpr double kEnd = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(retrieval::double_of(value), -kEnd, kEnd));
}

retrieval::QuotaOptions read_quota(const json& value) {
  static const std::vector<std::string> keys{"attribute", "max"};
  if (!value.is_object() || !value.contains("attribute") || !value.contains("max"))
    wrong("quota", "'quota' is {}, expected {{\"attribute\": ..., \"max\": ...}}", retrieval::shown(value));
  retrieval::check_keys(value, keys);
  return {read_text(value["attribute"], "quota.attribute"),
          static_cast<uint32_t>(read_count(value["max"], "quota.max", UINT32_MAX))};
}

std::vector<float> read_vector(const json& value, size_t dim) {
  const bool numbers = value.is_array() && std::ranges::all_of(value, retrieval::is_number);
  if (!numbers) wrong("vector", "'vector' is {}, expected a list of {} numbers", retrieval::shown(value), dim);
  if (value.size() != dim) wrong("vector", "'vector' has {} components, the bundle's items {}", value.size(), dim);
  std::vector<float> vector;
  for (const auto& x : value) vector.push_back(read_score(x, "vector"));
  return vector;
}

std::vector<std::string> with_user_keys(std::vector<std::string> keys) {
  keys.insert(keys.begin(), retrieval::kUserKeys.begin(), retrieval::kUserKeys.end());
  return keys;
}

const json* given(const json& object, const char* key) {
  const auto at = object.find(key);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

void check_length(size_t length, const std::string& field, int64_t max) {
  if (static_cast<int64_t>(length) > max) wrong(field, "'{}' holds {}, at most {}", field, length, max);
}

void check_text(const std::string& text, const std::string& field) {
  constexpr auto kMax = retrieval::LiveEvent::kMaxText;
  if (text.size() > kMax) wrong(field, "'{}' has a text of {} bytes, at most {}", field, text.size(), kMax);
}

void check_once(const std::vector<retrieval::ItemChange>& items) {
  std::vector<std::string_view> ids;
  for (const auto& item : items) ids.emplace_back(item.item);
  std::ranges::sort(ids);
  if (const auto twice = std::ranges::adjacent_find(ids); twice != ids.end())
    wrong("items", "item '{}' is described twice", *twice);
}

// Runs f(); an error in one of its fields becomes an error in `place`.field.
template <class F>
auto within(const std::string& place, F f) {
  try {
    return f();
  } catch (const retrieval::RequestError& e) {
    throw retrieval::RequestError(e.kind(), e.field().empty() ? place : place + "." + e.field(), e.what());
  }
}

}  // namespace

json RequestParser::body(std::string_view text) const {
  auto object = retrieval::parse_json(text, static_cast<int>(options_.max_depth));
  if (!object.is_object()) wrong("", "the body is {}, expected a JSON object", retrieval::shown(object));
  return object;
}

SteadyClock::time_point RequestParser::deadline(const json& object,
                                                std::optional<SteadyClock::time_point> of_transport) const {
  constexpr int64_t kLongest = 3'600'000;
  const auto* value = given(object, "timeout_ms");
  if (!value && of_transport) return *of_transport;
  const int64_t timeout_ms = value ? read_count(*value, "timeout_ms", kLongest) : options_.timeout_ms;
  if (timeout_ms == 0) return SteadyClock::time_point::max();
  const auto own = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  return of_transport ? std::min(own, *of_transport) : own;
}

void RequestParser::need_towers(const std::string& field, std::string_view instead) const {
  if (!snapshot_.bundle().info().towers) wrong(field, "the bundle holds bare vectors and no towers: {}", instead);
}

retrieval::RetrieveRequest RequestParser::user(const json& object) const {
  for (const std::string field : {"history", "recent"})
    if (const auto* items = given(object, field.c_str())) check_length(items->size(), field, options_.max_list);
  if (const auto* events = given(object, "events"); events && events->is_object())
    for (const auto& items : *events) check_length(items.size(), "events", options_.max_list);
  if (const auto* features = given(object, "features"); features && features->is_object())
    for (const auto& value : *features) check_length(value.size(), "features", options_.max_list);
  auto request = retrieval::read_user(object, snapshot_.bundle().info().times.value_or(columns::TimeForm{}));
  snapshot_.retrieval.check_names(request);
  return request;
}

std::vector<size_t> RequestParser::attributes(const json& value) const {
  const auto known = snapshot_.bundle().item_attributes().names();
  const bool texts = value.is_array() && std::ranges::all_of(value, [](const json& x) { return x.is_string(); });
  if (!texts) wrong("attributes", "'attributes' is {}, expected a list of texts", retrieval::shown(value));
  check_length(value.size(), "attributes", static_cast<int64_t>(known.size()));
  std::vector<size_t> columns;
  for (const auto& name : value) {
    const auto at = std::ranges::find(known, name.get<std::string>());
    if (at == known.end())
      wrong("attributes", "unknown attribute '{}'{}", name.get<std::string>(),
            suggestion(name.get<std::string>(), known));
    const auto column = static_cast<size_t>(at - known.begin());
    if (std::ranges::find(columns, column) != columns.end())
      wrong("attributes", "attribute '{}' is named twice", name.get<std::string>());
    columns.push_back(column);
  }
  return columns;
}

RetrieveCall RequestParser::retrieve(const json& object, Place place) const {
  static const auto keys = with_user_keys({"vector", "k", "filter", "exclude", "exclude_seen", "quota", "min_score",
                                           "exact", "attributes", "explain", "timeout_ms"});
  retrieval::check_keys(object, keys);
  if (place == Place::in_batch && given(object, "timeout_ms"))
    wrong("timeout_ms", "'timeout_ms' belongs next to 'requests': a batch has one for all");
  RetrieveCall call;
  auto& options = call.query.options;
  if (const auto* vector = given(object, "vector")) {
    for (const auto& key : retrieval::kUserKeys)
      if (given(object, key.c_str())) wrong("vector", "'vector' replaces a user: leave '{}' out", key);
    call.query.vector = read_vector(*vector, snapshot_.bundle().item_vectors().cols());
  } else {
    need_towers("vector", "send the query's 'vector'");
    call.query.request = user(object);
  }
  const auto* k = given(object, "k");
  options.k = static_cast<size_t>(k ? read_count(*k, "k", options_.max_k) : options_.k);
  if (const auto* filter = given(object, "filter")) {
    options.filter = read_text(*filter, "filter");
    if (options.filter.size() > static_cast<size_t>(options_.max_filter_kb) * 1024)
      wrong("filter", "the filter is longer than {} kB", options_.max_filter_kb);
  }
  if (const auto* exclude = given(object, "exclude")) {
    check_length(exclude->size(), "exclude", options_.max_list);
    auto ids = retrieval::read_ids(*exclude, "exclude");
    // Exclusions belong to the request, not the options, so that it can share a batch with others.
    (call.query.vector.empty() ? call.query.request.exclude : options.exclude) = std::move(ids);
  }
  if (const auto* seen = given(object, "exclude_seen")) options.exclude_seen = read_flag(*seen, "exclude_seen");
  if (const auto* quota = given(object, "quota")) options.quota = read_quota(*quota);
  if (const auto* score = given(object, "min_score")) options.min_score = read_score(*score, "min_score");
  if (const auto* exact = given(object, "exact")) options.exact = read_flag(*exact, "exact");
  if (const auto* explain = given(object, "explain")) options.explain = read_flag(*explain, "explain");
  if (const auto* names = given(object, "attributes")) call.format.attributes = attributes(*names);
  call.format.k = options.k;
  return call;
}

std::vector<RetrieveCall> RequestParser::retrieve_batch(const json& object) const {
  static const std::vector<std::string> keys{"requests", "timeout_ms"};
  retrieval::check_keys(object, keys);
  const auto* requests = given(object, "requests");
  if (!requests || !requests->is_array() || requests->empty())
    wrong("requests", "'requests' is {}, expected a list of one or more requests",
          requests ? retrieval::shown(*requests) : "missing");
  check_length(requests->size(), "requests", options_.max_requests);
  std::vector<RetrieveCall> calls;
  int64_t items = 0;
  for (size_t i = 0; i < requests->size(); ++i) {
    const auto place = fmt::format("requests[{}]", i);
    const auto& request = (*requests)[i];
    if (!request.is_object()) wrong(place, "'{}' is {}, expected an object", place, retrieval::shown(request));
    calls.push_back(within(place, [&] { return retrieve(request, Place::in_batch); }));
    items += static_cast<int64_t>(calls.back().format.k);
  }
  if (items > kListsOfABatch * options_.max_k)
    wrong("requests", "the lists of a batch hold up to {} items together, at most {}: send several batches", items,
          kListsOfABatch * options_.max_k);
  return calls;
}

SimilarCall RequestParser::similar(const json& object) const {
  static const std::vector<std::string> keys{"item", "k", "attributes", "timeout_ms"};
  retrieval::check_keys(object, keys);
  const auto* item = given(object, "item");
  if (!item) wrong("item", "'item' is missing: which item's neighbours?");
  const auto id = retrieval::read_id(*item, "item");
  SimilarCall call;
  call.query.item = snapshot_.retrieval.find_item(id);
  if (call.query.item == columns::Interner::kNone) wrong("item", "item '{}' is not in the catalogue", id);
  const auto* k = given(object, "k");
  call.query.k = static_cast<size_t>(k ? read_count(*k, "k", options_.max_k) : options_.k);
  if (const auto* names = given(object, "attributes")) call.format.attributes = attributes(*names);
  call.format.k = call.query.k;
  return call;
}

SearchPayload RequestParser::encode(const json& object) const {
  static const std::vector<std::string> keys{"users", "items", "timeout_ms"};
  retrieval::check_keys(object, keys);
  const auto* users = given(object, "users");
  const auto* items = given(object, "items");
  if (!users == !items) wrong("", "give either 'users' or 'items'");
  const std::string field = users ? "users" : "items";
  const auto& list = users ? *users : *items;
  if (!list.is_array()) wrong(field, "'{}' is {}, expected a list", field, retrieval::shown(list));
  check_length(list.size(), field, options_.max_requests);
  if (items) return this->items(list);
  need_towers("users", "it has the vectors of 'items' alone");
  UserVectorsQuery query;
  for (size_t i = 0; i < list.size(); ++i) {
    const auto place = fmt::format("users[{}]", i);
    if (!list[i].is_object()) wrong(place, "'{}' is {}, expected an object", place, retrieval::shown(list[i]));
    query.users.push_back(within(place, [&] {
      retrieval::check_keys(list[i], retrieval::kUserKeys);
      return user(list[i]);
    }));
  }
  return query;
}

FindItemsCall RequestParser::find_items(const json& object) const {
  static const std::vector<std::string> keys{"search", "items", "limit", "attributes"};
  retrieval::check_keys(object, keys);
  FindItemsCall call;
  if (const auto* items = given(object, "items")) {
    if (given(object, "search")) wrong("search", "'items' replaces a search: leave 'search' out");
    check_length(items->size(), "items", options_.max_list);
    call.named = true;
    for (const auto& id : retrieval::read_ids(*items, "items"))
      if (const auto row = snapshot_.retrieval.find_item(id); row != columns::Interner::kNone) call.rows.push_back(row);
  }
  if (const auto* text = given(object, "search")) call.text = read_text(*text, "search");
  call.limit = read_limit(object);
  if (const auto* names = given(object, "attributes")) call.format.attributes = attributes(*names);
  return call;
}

FindUsersCall RequestParser::find_users(const json& object) const {
  static const std::vector<std::string> keys{"search", "users", "limit", "history"};
  retrieval::check_keys(object, keys);
  FindUsersCall call;
  if (const auto* users = given(object, "users")) {
    if (given(object, "search")) wrong("search", "'users' replaces a search: leave 'search' out");
    check_length(users->size(), "users", options_.max_requests);
    call.named = true;
    for (const auto& id : retrieval::read_ids(*users, "users"))
      if (const auto row = snapshot_.bundle().user_ids().find(id); row != columns::Interner::kNone)
        call.rows.push_back(row);
  }
  if (const auto* text = given(object, "search")) call.text = read_text(*text, "search");
  call.limit = read_limit(object);
  if (const auto* history = given(object, "history"))
    call.history = static_cast<size_t>(read_count(*history, "history", kLongestHistory));
  return call;
}

size_t RequestParser::read_limit(const json& object) const {
  constexpr int64_t kFew = 20;
  const auto* limit = given(object, "limit");
  return static_cast<size_t>(limit ? read_count(*limit, "limit", options_.max_requests)
                                   : std::min(kFew, options_.max_requests));
}

ItemVectorsQuery RequestParser::items(const json& list) const {
  ItemVectorsQuery query;
  retrieval::BroughtItems items(snapshot_.bundle());
  std::vector<retrieval::ItemChange> brought;
  for (size_t i = 0; i < list.size(); ++i)
    within(fmt::format("items[{}]", i), [&] {
      if (list[i].is_object()) {
        brought.push_back(new_item(list[i], items));
        query.rows.push_back(columns::Interner::kNone);
        return;
      }
      if (!list[i].is_string() && !retrieval::is_number(list[i]))
        wrong("", "an item is {}, expected an id, or {{\"item\": ..., \"attributes\": {{...}}}}",
              retrieval::shown(list[i]));
      const auto id = retrieval::read_id(list[i], "");
      query.rows.push_back(snapshot_.retrieval.find_item(id));
      if (query.rows.back() == columns::Interner::kNone)
        wrong("", "item '{}' is not in the catalogue: send {{\"item\": ..., \"attributes\": {{...}}}}", id);
    });
  check_once(brought);
  for (const auto& item : brought) items.add(item);
  query.provided = items.take();
  return query;
}

retrieval::ItemChange RequestParser::new_item(const json& object, const retrieval::BroughtItems& items) const {
  static const std::vector<std::string> keys{"item", "attributes"};
  retrieval::check_keys(object, keys);
  need_towers("", "an item that is not in it cannot be encoded");
  const auto* item = given(object, "item");
  if (!item) wrong("item", "'item' is missing");
  retrieval::ItemChange result{.item = retrieval::read_id(*item, "item"), .attributes = {}};
  const auto* attributes = given(object, "attributes");
  if (!attributes) return result;
  result.attributes = retrieval::read_features(*attributes, "attributes");
  for (const auto& attribute : result.attributes) {
    check_length(attribute.values.size(), "attributes", options_.max_list);
    items.check(attribute);
  }
  return result;
}

std::vector<retrieval::ItemChange> RequestParser::upserted_items(const json& object) const {
  static const std::vector<std::string> keys{"items"};
  retrieval::check_keys(object, keys);
  const auto& list = changed_items(object);
  const retrieval::BroughtItems items(snapshot_.bundle());
  std::vector<retrieval::ItemChange> changes;
  for (size_t i = 0; i < list.size(); ++i) {
    const auto place = fmt::format("items[{}]", i);
    if (!list[i].is_object()) wrong(place, "'{}' is {}, expected an object", place, retrieval::shown(list[i]));
    changes.push_back(within(place, [&] { return new_item(list[i], items); }));
    if (changes.back().item.empty()) wrong(place, "'{}' has an empty id", place);
  }
  check_once(changes);
  return changes;
}

std::vector<retrieval::ItemChange> RequestParser::deleted_items(const json& object) const {
  static const std::vector<std::string> keys{"items"};
  retrieval::check_keys(object, keys);
  need_towers("", "make another with `pagoda index`");
  std::vector<retrieval::ItemChange> changes;
  for (auto& id : retrieval::read_ids(changed_items(object), "items"))
    changes.push_back({.item = std::move(id), .attributes = {}, .deleted = true});
  return changes;
}

retrieval::LiveEvent RequestParser::event(const json& object, int64_t now_us) const {
  static const std::vector<std::string> keys{"user", "item", "event", "time", "context", "id"};
  retrieval::check_keys(object, keys);
  retrieval::LiveEvent event{.time_us = now_us};
  for (const auto& [key, text] : {std::pair("user", &event.user), std::pair("item", &event.item)}) {
    const auto* id = given(object, key);
    if (!id) wrong(key, "'{}' is missing", key);
    *text = retrieval::read_id(*id, key);
    if (text->empty()) wrong(key, "'{}' is empty", key);
    check_text(*text, key);
  }
  if (const auto* id = given(object, "id")) check_text(event.id = retrieval::read_id(*id, "id"), "id");
  // Kind, context and time follow the rules of a request's.
  retrieval::RetrieveRequest like;
  if (const auto* kind = given(object, "event")) {
    if (!kind->is_string()) wrong("event", "'event' is {}, expected the name of a kind", retrieval::shown(*kind));
    check_text(event.kind = kind->get<std::string>(), "event");
    like.events = {{event.kind, {}}};
  }
  if (const auto* context = given(object, "context")) like.context = retrieval::read_context(*context);
  if (const auto* time = given(object, "time"))
    like.time_us = event.time_us =
        retrieval::read_time_us(*time, snapshot_.bundle().info().times.value_or(columns::TimeForm{}));
  snapshot_.retrieval.check_names(like);
  for (const auto& [column, value] : like.context) check_text(value, "context");
  event.context = std::move(like.context);
  return event;
}

std::vector<retrieval::LiveEvent> RequestParser::events(const json& object, int64_t now_us) const {
  static const std::vector<std::string> keys{"events"};
  retrieval::check_keys(object, keys);
  need_towers("", "it knows no users");
  const auto* list = given(object, "events");
  if (!list || !list->is_array() || list->empty())
    wrong("events", "'events' is {}, expected a list of one or more events",
          list ? retrieval::shown(*list) : "missing");
  check_length(list->size(), "events", options_.max_requests);
  std::vector<retrieval::LiveEvent> events;
  for (size_t i = 0; i < list->size(); ++i) {
    const auto place = fmt::format("events[{}]", i);
    const auto& one = (*list)[i];
    if (!one.is_object()) wrong(place, "'{}' is {}, expected an object", place, retrieval::shown(one));
    events.push_back(within(place, [&] { return event(one, now_us); }));
  }
  return events;
}

const json& RequestParser::changed_items(const json& object) const {
  const auto* list = given(object, "items");
  if (!list || !list->is_array() || list->empty())
    wrong("items", "'items' is {}, expected a list of one or more items", list ? retrieval::shown(*list) : "missing");
  check_length(list->size(), "items", options_.max_requests);
  return *list;
}

}  // namespace pagoda::server
