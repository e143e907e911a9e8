// What a person was warned of, for results that are read by programs.
#pragma once

#include <string>
#include <vector>

namespace pagoda {

// The warnings of this process so far, shown or not (core/log.h); the first hundred.
std::vector<std::string> warnings_so_far();

}  // namespace pagoda
