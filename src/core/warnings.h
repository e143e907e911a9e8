// The warnings that a person was shown, for results that programs read.
#pragma once

#include <string>
#include <vector>

namespace pagoda {

// The warnings of this process so far, shown or not (core/log.h); the first hundred.
std::vector<std::string> warnings_so_far();

}  // namespace pagoda
