// What the fuzzers begin with: a corpus that is still empty gets inputs that are right, which libFuzzer then changes.
#pragma once

#include <string>
#include <vector>

#include "core/file.h"

namespace pagoda {

// The corpus is the first word of the command line that is no flag; without one nothing is written.
inline void write_seeds(int argc, char** argv, const std::vector<std::string>& seeds) {
  for (int i = 1; i < argc; ++i) {
    const std::string folder = argv[i];
    if (folder.starts_with("-")) continue;
    for (size_t n = 0; n < seeds.size(); ++n) {
      const auto path = folder + "/seed-" + std::to_string(n);
      if (!file_exists(path)) write_file(path, seeds[n]);
    }
    return;
  }
}

}  // namespace pagoda
