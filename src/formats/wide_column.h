#pragma once

#include <string>

namespace pagoda::formats {

// A column that the file says is a 128-bit integer (polars writes such), a type that Arrow has no name for.
struct WideColumn {
  std::string name;
  bool is_signed = true;
};

}  // namespace pagoda::formats
