// ASCII letters in lower case; other bytes, those of UTF-8 among them, stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace pagoda {

std::string lower_case(std::string_view text);

}  // namespace pagoda
