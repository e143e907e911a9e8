#include <algorithm>

#include "columns/decimal.h"
#include "core/suggest.h"
#include "retrieval/exact_json.h"
#include "retrieval/json_request.h"

namespace pagoda::retrieval {

namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;  // of a line of a users file; a valid one has three levels

bool is_id(const json& value) {
  return value.is_string() || (is_number(value) && columns::Decimal::parse(text_of(value))->is_whole());
}

template <class... Args>
[[noreturn]] void wrong(std::string field, fmt::format_string<Args...> format, Args&&... args) {
  throw RequestError(ErrorKind::input, std::move(field), fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void wrong_type(const std::string& field) { wrong(field, "'{}' has the wrong type", field); }

}  // namespace

void check_keys(const json& object, std::span<const std::string> known) {
  for (const auto& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      wrong(key, "unknown key '{}'{}", key, suggestion(key, known));
}

std::string read_id(const json& value, const std::string& field) {
  if (!is_id(value)) wrong_type(field);
  return text_of(value);
}

std::vector<std::string> read_ids(const json& value, const std::string& field) {
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_id)) wrong_type(field);
  std::vector<std::string> ids;
  for (const auto& id : value) ids.push_back(text_of(id));
  return ids;
}

std::vector<std::pair<std::string, std::vector<std::string>>> read_events(const json& object) {
  if (!object.is_object()) wrong("events", "'events' has the wrong type: write {{\"KIND\": [items, the latest last]}}");
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  for (const auto& [kind, items] : object.items())
    if (!items.is_null()) out.emplace_back(kind, read_ids(items, "events"));
  return out;
}

// A null is an unknown value, and is left out.
std::vector<std::pair<std::string, std::string>> read_context(const json& object) {
  if (!object.is_object()) wrong_type("context");
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : object.items()) {
    if (value.is_structured()) wrong("context", "context '{}' has the wrong type: write a text or a number", key);
    if (!value.is_null()) out.emplace_back(key, text_of(value));
  }
  return out;
}

int64_t read_time_us(const json& value, columns::TimeForm times) {
  if (!value.is_string() && !is_number(value)) wrong_type("time");
  const auto time = columns::parse_time(text_of(value));
  const auto time_us = time ? columns::timestamp_us(*time, times) : std::nullopt;
  if (!time_us) wrong("time", "'time' is {}, expected a time such as 2024-05-01T10:00:00Z", shown(value));
  return *time_us;
}

std::vector<RequestFeature> read_features(const json& object, const std::string& field) {
  if (!object.is_object()) wrong_type(field);
  std::vector<RequestFeature> out;
  for (const auto& [key, value] : object.items()) {
    const bool of_lists =
        value.is_object() || (value.is_array() && std::any_of(value.begin(), value.end(), [](const auto& v) {
                                return v.is_structured() || v.is_null();
                              }));
    if (of_lists) wrong(field, "feature '{}' has the wrong type: write a text, a number or a list of them", key);
    if (value.is_null()) continue;
    auto& feature = out.emplace_back(RequestFeature{.name = key, .values = {}, .is_list = value.is_array()});
    if (!feature.is_list)
      feature.values.push_back(text_of(value));
    else
      for (const auto& one : value) feature.values.push_back(text_of(one));
  }
  return out;
}

RetrieveRequest read_user(const json& object, columns::TimeForm times) {
  RetrieveRequest request;
  for (const auto& [key, value] : object.items()) {
    if (value.is_null()) continue;
    if (key == "user") request.user = read_id(value, "user");
    if (key == "history") request.history = read_ids(value, "history");
    if (key == "recent") request.recent = read_ids(value, "recent");
    if (key == "events") request.events = read_events(value);
    if (key == "context") request.context = read_context(value);
    if (key == "features") request.features = read_features(value, "features");
    if (key == "time") request.time_us = read_time_us(value, times);
  }
  return request;
}

RetrieveRequest parse_request(std::string_view line, const std::string& place, columns::TimeForm times) {
  if (line.empty() || line[0] != '{') {
    if (!columns::is_utf8(line)) fail(ErrorKind::input, "{}: the user id is not UTF-8", place);
    RetrieveRequest request;
    request.user = std::string(line);
    return request;
  }
  try {
    const auto object = parse_json(line, kMaxDepth);
    check_keys(object, kUserKeys);
    return read_user(object, times);
  } catch (const RequestError& e) {
    fail(e.kind(), "{}: {}{}", place, e.what(),
         e.field().empty()
             ? "; write {\"user\": ..., \"history\": [...]}, or an id that begins with '{' in double quotes: \"{...}\""
             : "");
  }
}

}  // namespace pagoda::retrieval
