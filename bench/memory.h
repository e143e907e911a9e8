// The most memory this process has held.
#pragma once

#include <fstream>
#include <string>

namespace pagoda {

// In MB. Not ru_maxrss: that begins with what the parent held when it started this process.
inline double peak_rss_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      double kilobytes = 0;
      status >> kilobytes;
      return kilobytes / 1024;
    }
  return 0;
}

}  // namespace pagoda
