// The two entry points of libFuzzer. A fuzzer defines its seeds and what it does with an input.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace pagoda {

std::vector<std::string> seeds();        // valid inputs, which libFuzzer mutates
void try_input(std::string_view input);  // aborts if the input shows a fault

// Writes the seeds into the first folder on the command line, the corpus; without one, as when an input is tried again,
// writes nothing.
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
