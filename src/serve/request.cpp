#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/suggest.h"
#include "serve/retrieval.h"

namespace pagoda {

namespace {

std::string text_of(const nlohmann::json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::vector<std::pair<std::string, std::string>> pairs_of(const nlohmann::json& object) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : object.items()) out.emplace_back(key, text_of(value));
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
    fail(ErrorKind::input, "{}: is no JSON object: {}", place, e.what());
  }
  static const std::vector<std::string> known{"user", "history", "context", "features", "time"};
  for (const auto& [key, value] : j.items()) {
    const bool right = key == "user"      ? value.is_string() || value.is_number_integer()
                       : key == "history" ? value.is_array()
                       : key == "time"    ? value.is_string() || value.is_number()
                                          : value.is_object();
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(ErrorKind::input, "{}: unknown key '{}'{}", place, key, suggestion(key, known));
    if (!right) fail(ErrorKind::input, "{}: '{}' has the wrong type", place, key);
    if (key == "user") request.user = text_of(value);
    if (key == "context") request.context = pairs_of(value);
    if (key == "features") request.features = pairs_of(value);
    if (key == "history") {
      request.history.emplace();
      for (const auto& item : value) request.history->push_back(text_of(item));
    }
    if (key == "time") {
      request.time_us = parse_time_us(text_of(value));
      if (!request.time_us) fail(ErrorKind::input, "{}: 'time' is {}, expected a time such as 2024-05-01T10:00:00Z", place, value.dump());
    }
  }
  return request;
}

}  // namespace pagoda
