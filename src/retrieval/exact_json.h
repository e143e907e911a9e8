// Private: JSON of which nothing is lost: numbers keep their digits, and a key that stands twice is an error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace pagoda::retrieval {

// A number that neither a 64-bit integer nor a double holds to its last digit is its text, as a value of nlohmann's kind
// `binary`, which JSON itself does not have. RequestError{input} for what is no JSON, is nested deeper than `max_depth`, has a
// key twice in one object, or holds a number beyond the range of a double.
nlohmann::json parse_json(std::string_view text, int max_depth);

bool is_number(const nlohmann::json& value);
double double_of(const nlohmann::json& number);  // the nearest
// A text as it is; of a number, true and false the canonical text (Column::as_text()).
std::string text_of(const nlohmann::json& value);
// As it is shown to who sent it.
std::string shown(const nlohmann::json& value);

}  // namespace pagoda::retrieval
