// Lines that Python's repr() wrote in place of JSON, as in Amazon's metadata of 2014 and the Steam data sets:
// {u'user_id': u'7656', 'hours': 48.3, 'early_access': False}. Private to this room.
#pragma once

#include <string>
#include <string_view>

namespace pagoda::text {

// Whether a line begins as a Python dictionary and not as a JSON object.
bool is_python_literal(std::string_view line);

// The line as JSON: texts in double quotes with JSON's escapes, True, False and None as true, false and null, tuples as
// arrays. What is no Python literal is copied, for the JSON parser to refuse.
void python_to_json(std::string_view line, std::string& json);

}  // namespace pagoda::text
