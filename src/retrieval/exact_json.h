// Private: a lossless JSON parser. Numbers keep all digits, and a duplicate key is an error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace pagoda::retrieval {

// A number that neither a 64-bit integer nor a double represents exactly becomes its text, in a value of nlohmann's
// kind `binary`, which JSON itself does not have. RequestError{input}: invalid JSON, nesting deeper than `max_depth`, a
// duplicate key in an object, or a number beyond the range of a double.
nlohmann::json parse_json(std::string_view text, int max_depth);

bool is_number(const nlohmann::json& value);
double double_of(const nlohmann::json& number);  // the nearest double
// A text unchanged; a number, true or false as its canonical text (Column::as_text()).
std::string text_of(const nlohmann::json& value);
// The value as error messages show it.
std::string shown(const nlohmann::json& value);

}  // namespace pagoda::retrieval
