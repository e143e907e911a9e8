#include "server/grpc/proto_request.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "columns/decimal.h"

namespace pagoda::server {
namespace {

using nlohmann::json;

template <class List>
json list_of(const List& values) {
  return std::vector<std::string>(values.begin(), values.end());
}

json value_of(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kText: return value.text();
    case v1::Value::kInteger: return value.integer();
    // As the shortest text, which the JSON library does not always write; the parser reads texts and numbers alike.
    case v1::Value::kReal: return std::isfinite(value.real()) ? json(columns::format_number(value.real())) : json();
    case v1::Value::kNumber: return value.number();
    case v1::Value::kBoolean: return value.boolean();
    case v1::Value::kList: return list_of(value.list().values());
    case v1::Value::KIND_NOT_SET: break;
  }
  return nullptr;
}

template <class Values>
json object_of(const Values& values) {
  auto object = json::object();
  for (const auto& [name, value] : values) object[name] = value_of(value);
  return object;
}

// A finite number as a double, which reads back to the same bits. JSON has no number that is not finite; the parser
// refuses the text in its place.
json number_of(float value) { return std::isfinite(value) ? json(value) : json(std::to_string(value)); }

// The fields of a user, in a RetrieveRequest or a User.
template <class Message>
json user_of(const Message& message) {
  auto object = json::object();
  if (message.has_user()) object["user"] = message.user();
  if (message.has_history()) object["history"] = list_of(message.history().values());
  if (!message.recent().empty()) object["recent"] = list_of(message.recent());
  for (const auto& [kind, items] : message.events()) object["events"][kind] = list_of(items.values());
  if (!message.context().empty()) object["context"] = object_of(message.context());
  if (!message.features().empty()) object["features"] = object_of(message.features());
  if (message.has_time()) object["time"] = message.time();
  return object;
}

json tree_of(const v1::RetrieveRequest& message) {
  auto object = user_of(message);
  if (message.has_k()) object["k"] = message.k();
  if (message.has_filter()) object["filter"] = message.filter();
  if (!message.exclude().empty()) object["exclude"] = list_of(message.exclude());
  if (message.has_exclude_seen()) object["exclude_seen"] = message.exclude_seen();
  if (message.has_quota())
    object["quota"] = {{"attribute", message.quota().attribute()}, {"max", message.quota().max()}};
  if (message.has_min_score()) object["min_score"] = number_of(message.min_score());
  if (!message.attributes().empty()) object["attributes"] = list_of(message.attributes());
  if (message.has_exact()) object["exact"] = message.exact();
  if (message.has_explain()) object["explain"] = message.explain();
  if (message.has_timeout_ms()) object["timeout_ms"] = message.timeout_ms();
  for (const float component : message.vector()) object["vector"].push_back(number_of(component));
  return object;
}

json tree_of(const v1::RetrieveBatchRequest& message) {
  auto object = json::object();
  for (const auto& request : message.requests()) object["requests"].push_back(tree_of(request));
  if (message.has_timeout_ms()) object["timeout_ms"] = message.timeout_ms();
  return object;
}

json tree_of(const v1::SimilarRequest& message) {
  auto object = json::object();
  if (message.has_item()) object["item"] = message.item();
  if (message.has_k()) object["k"] = message.k();
  if (!message.attributes().empty()) object["attributes"] = list_of(message.attributes());
  if (message.has_timeout_ms()) object["timeout_ms"] = message.timeout_ms();
  return object;
}

json tree_of(const v1::Item& item) {
  auto object = json::object();
  if (item.has_item()) object["item"] = item.item();
  if (item.has_attributes()) object["attributes"] = object_of(item.attributes().values());
  return object;
}

json tree_of(const v1::EncodeRequest& message) {
  auto object = json::object();
  for (const auto& user : message.users()) object["users"].push_back(user_of(user));
  for (const auto& item : message.items())
    object["items"].push_back(item.has_item() && !item.has_attributes() ? json(item.item()) : tree_of(item));
  if (message.has_timeout_ms()) object["timeout_ms"] = message.timeout_ms();
  return object;
}

json tree_of(const v1::UpsertItemsRequest& message) {
  auto object = json::object();
  for (const auto& item : message.items()) object["items"].push_back(tree_of(item));
  return object;
}

json tree_of(const v1::DeleteItemsRequest& message) {
  auto object = json::object();
  if (!message.items().empty()) object["items"] = list_of(message.items());
  return object;
}

json tree_of(const v1::Event& event) {
  auto object = json::object();
  if (event.has_user()) object["user"] = event.user();
  if (event.has_item()) object["item"] = event.item();
  if (event.has_time()) object["time"] = event.time();
  if (event.has_event()) object["event"] = event.event();
  if (!event.context().empty()) object["context"] = object_of(event.context());
  if (event.has_id()) object["id"] = event.id();
  return object;
}

json tree_of(const v1::AddEventsRequest& message) {
  auto object = json::object();
  for (const auto& event : message.events()) object["events"].push_back(tree_of(event));
  return object;
}

json tree_of(const v1::ModelRequest&) { return json::object(); }

template <class Message>
std::string text_of(const Message& message) {
  return tree_of(message).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string request_json(const v1::RetrieveRequest& message) { return text_of(message); }
std::string request_json(const v1::RetrieveBatchRequest& message) { return text_of(message); }
std::string request_json(const v1::SimilarRequest& message) { return text_of(message); }
std::string request_json(const v1::EncodeRequest& message) { return text_of(message); }
std::string request_json(const v1::UpsertItemsRequest& message) { return text_of(message); }
std::string request_json(const v1::DeleteItemsRequest& message) { return text_of(message); }
std::string request_json(const v1::AddEventsRequest& message) { return text_of(message); }
std::string request_json(const v1::ModelRequest& message) { return text_of(message); }

}  // namespace pagoda::server
