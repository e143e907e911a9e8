#pragma once

#include <string>

namespace pagoda::formats {

// A column of 128-bit integers (as polars writes), a type that Arrow does not have.
struct WideColumn {
  std::string name;
  bool is_signed = true;
};

}  // namespace pagoda::formats
