#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/suggest.h"
#include "serve/retrieval.h"

namespace pagoda {

namespace {

std::string text_of(const nlohmann::json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

bool is_id(const nlohmann::json& value) { return value.is_string() || value.is_number_integer(); }

// A null is a value that is not known: left out.
std::vector<std::pair<std::string, std::string>> context_of(const nlohmann::json& object, const std::string& place) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : object.items()) {
    if (value.is_structured())
      fail(ErrorKind::input, "{}: context '{}' has the wrong type: write a text or a number", place, key);
    if (!value.is_null()) out.emplace_back(key, text_of(value));
  }
  return out;
}

std::vector<RequestFeature> features_of(const nlohmann::json& object, const std::string& place) {
  std::vector<RequestFeature> out;
  for (const auto& [key, value] : object.items()) {
    const bool of_lists =
        value.is_object() || (value.is_array() && std::any_of(value.begin(), value.end(), [](const auto& v) {
                                return v.is_structured() || v.is_null();
                              }));
    if (of_lists)
      fail(ErrorKind::input, "{}: feature '{}' has the wrong type: write a text, a number or a list of them", place,
           key);
    if (value.is_null()) continue;
    auto& feature = out.emplace_back(RequestFeature{.name = key, .values = {}, .is_list = value.is_array()});
    if (!feature.is_list)
      feature.values.push_back(text_of(value));
    else
      for (const auto& one : value) feature.values.push_back(text_of(one));
  }
  return out;
}

}  // namespace

RetrieveRequest parse_request(std::string_view line, const std::string& place) {
  RetrieveRequest request;
  if (line.empty() || line[0] != '{') {
    if (!is_utf8(line)) fail(ErrorKind::input, "{}: the user's id is not UTF-8", place);
    request.user = std::string(line);
    return request;
  }
  nlohmann::json j;
  try {
    j = nlohmann::json::parse(line);
  } catch (const nlohmann::json::parse_error& e) {
    fail(ErrorKind::input,
         "{}: is no JSON object: wrong at character {}; write an id alone, or {{\"user\": ..., \"history\": [...]}}",
         place, e.byte);
  }
  static const std::vector<std::string> known{"user", "history", "context", "features", "time"};
  for (const auto& [key, value] : j.items()) {
    const bool right = key == "user"      ? is_id(value)
                       : key == "history" ? value.is_array() && std::all_of(value.begin(), value.end(), is_id)
                       : key == "time"    ? value.is_string() || value.is_number()
                                          : value.is_object();
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(ErrorKind::input, "{}: unknown key '{}'{}", place, key, suggestion(key, known));
    if (!right) fail(ErrorKind::input, "{}: '{}' has the wrong type", place, key);
    if (key == "user") request.user = text_of(value);
    if (key == "context") request.context = context_of(value, place);
    if (key == "features") request.features = features_of(value, place);
    if (key == "history") {
      request.history.emplace();
      for (const auto& item : value) request.history->push_back(text_of(item));
    }
    if (key == "time") {
      request.time_us = parse_time_us(text_of(value));
      if (!request.time_us)
        fail(ErrorKind::input, "{}: 'time' is {}, expected a time such as 2024-05-01T10:00:00Z", place, value.dump());
    }
  }
  return request;
}

}  // namespace pagoda
