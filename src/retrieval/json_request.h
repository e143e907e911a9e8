// Private: the parts of a request as JSON, strict about names and types. Every error is a RequestError{input} that names
// the field. A null stands for a field that is not given.
#pragma once

#include <nlohmann/json.hpp>

#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

// The nearest of `known` is named when another key stands in the object.
void check_keys(const nlohmann::json& object, std::span<const std::string> known);

inline const std::vector<std::string> kUserKeys{"user", "history", "context", "features", "time"};

// The keys of kUserKeys; others are passed over. `times`: how a time is written, as in the bundle's log.
RetrieveRequest read_user(const nlohmann::json& object, columns::TimeForm times);

// An id is a text or a whole number, whose canonical text it is: 12, 12.0 and "12" are one id, "012" is another.
std::string read_id(const nlohmann::json& value, const std::string& field);
std::vector<std::string> read_ids(const nlohmann::json& value, const std::string& field);
std::vector<RequestFeature> read_features(const nlohmann::json& object, const std::string& field);

}  // namespace pagoda::retrieval
