// Pieces of JSON. Numbers are the shortest that read back to the same bits; a text that is not UTF-8 is mended.
#pragma once

#include <string>
#include <string_view>

namespace pagoda {

void append_json_text(std::string& out, std::string_view text);  // with its quotes
std::string mended_utf8(std::string_view text);

}  // namespace pagoda
