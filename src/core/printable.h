// Text from outside, made safe for a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pagoda {

// The text with control characters and invalid UTF-8 escaped as \t, \n, \xNN, so that no raw bytes reach a terminal. A
// text longer than `most` bytes is cut and ends in "...".
std::string printable(std::string_view text, size_t most = 80);

// The same for a whole message; line ends are kept.
std::string printable_lines(std::string_view text);

}  // namespace pagoda
