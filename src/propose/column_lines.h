// A table's columns as they are printed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/inference.h"

namespace pagoda::propose {

// As a comment of TOML, which allows neither control characters nor broken UTF-8.
std::string comment_line(std::string_view text);

// One line per column, with its role and why.
std::vector<std::string> lines_of(const data::TableGuess& guess);

}  // namespace pagoda::propose
