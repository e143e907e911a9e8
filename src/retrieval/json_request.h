// Private: reads the parts of a JSON request, strict about names and types. Every error is a RequestError{input} that
// names the field. A null is the same as a field that is not given.
#pragma once

#include <nlohmann/json.hpp>

#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

// RequestError for a key that is not in `known`; it names the nearest one.
void check_keys(const nlohmann::json& object, std::span<const std::string> known);

inline const std::vector<std::string> kUserKeys{"user", "history", "recent", "events", "context", "features", "time"};

// Reads the keys of kUserKeys and ignores others. `times`: the form of a time, as in the bundle's log.
RetrieveRequest read_user(const nlohmann::json& object, columns::TimeForm times);

// An id is a text, or the canonical text of a whole number: 12, 12.0 and "12" are one id, "012" is another.
std::string read_id(const nlohmann::json& value, const std::string& field);
std::vector<std::string> read_ids(const nlohmann::json& value, const std::string& field);
std::vector<std::pair<std::string, std::vector<std::string>>> read_events(const nlohmann::json& object);
std::vector<std::pair<std::string, std::string>> read_context(const nlohmann::json& object);
// A number is read as a time of the form `times`, the log's.
int64_t read_time_us(const nlohmann::json& value, columns::TimeForm times);
std::vector<RequestFeature> read_features(const nlohmann::json& object, const std::string& field);

}  // namespace pagoda::retrieval
