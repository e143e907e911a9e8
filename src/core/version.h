// The version of this build.
#pragma once

#include <string_view>

namespace pagoda {

std::string_view version();  // "0.2.0"

}  // namespace pagoda
