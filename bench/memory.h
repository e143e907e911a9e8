// The memory of this process.
#pragma once

#include <fstream>
#include <string>
#include <string_view>

namespace pagoda {

// In MB; "VmHWM" is the most it has had, "RssAnon" what is its own, "RssFile" what of mapped files is in memory.
inline double memory_mb(std::string_view what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what)) return std::stod(line.substr(what.size() + 1)) / 1024;
  return 0;
}

// Not ru_maxrss: that begins with what the parent held when it started this process.
inline double peak_rss_mb() { return memory_mb("VmHWM"); }

}  // namespace pagoda
