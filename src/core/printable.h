// Text that came from outside, made fit for a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pagoda {

// The text with control characters and bytes that are not UTF-8 written as \t, \n, \xNN: never raw bytes on a terminal. Of
// a text longer than `most` bytes its beginning and "...".
std::string printable(std::string_view text, size_t most = 80);

// The same of a whole message, its line ends kept.
std::string printable_lines(std::string_view text);

}  // namespace pagoda
