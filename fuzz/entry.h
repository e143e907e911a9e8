// libFuzzer's two doors. A fuzzer says what it begins with and what it does with an input.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace pagoda {

std::vector<std::string> seeds();        // inputs that are right, which libFuzzer changes
void try_input(std::string_view input);  // returns when all is well with it, aborts when not

// The corpus is the first folder on the command line; without one (an input is to be tried again) nothing is written.
inline void write_seeds(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string folder = argv[i];
    if (!std::filesystem::is_directory(folder)) continue;
    size_t n = 0;
    for (const auto& seed : seeds()) {
      const auto path = folder + "/seed-" + std::to_string(n++);
      if (!file_exists(path)) write_file(path, seed);
    }
    return;
  }
}

}  // namespace pagoda

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  pagoda::write_seeds(*argc, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pagoda::try_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
