// Copies a bundle whose index cannot be read, to rebuild its index.
#pragma once

#include <string>

namespace pagoda::model {

// Writes the same bundle (model/bundle.h) with an exact index, without reading its own index. Error{failed}: another
// section is damaged.
void copy_without_index(const std::string& path, const std::string& to);

}  // namespace pagoda::model
