// For who rebuilds the index of a bundle whose own can not be read.
#pragma once

#include <string>

namespace pagoda::model {

// The same bundle (model/bundle.h) with an exact index, which is to be had without reading the one that it has.
// Error{failed}: it is damaged.
void copy_without_index(const std::string& path, const std::string& to);

}  // namespace pagoda::model
