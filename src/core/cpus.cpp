#include "core/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

namespace pagoda {

namespace {

// The whole file, or "" when it cannot be read: files of /proc and /sys say no size.
std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? text.str() : "";
}

// CPU time over wall time that a group may use; 0 where nothing limits it.
double quota_in(const std::string& folder) {
  double quota = 0, period = 0;
  if (std::istringstream v2(text_of(folder + "/cpu.max")); v2 >> quota >> period)  // "max 100000" is no number
    return period > 0 ? quota / period : 0;
  std::istringstream(text_of(folder + "/cpu.cfs_quota_us")) >> quota;
  std::istringstream(text_of(folder + "/cpu.cfs_period_us")) >> period;
  return quota > 0 && period > 0 ? quota / period : 0;  // a quota of -1: none
}

struct FreeCpuSet {
  void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};

// The CPUs of the calling thread's affinity mask. std::thread::hardware_concurrency() counts those of the machine with
// some C libraries, such as glibc 2.36.
int cpus_in_mask() {
  constexpr int kMaxCpus = 1 << 20;
  for (int cpus = CPU_SETSIZE; cpus <= kMaxCpus; cpus *= 2) {
    const std::unique_ptr<cpu_set_t, FreeCpuSet> set(CPU_ALLOC(cpus));
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    if (!set) break;
    if (::sched_getaffinity(0, bytes, set.get()) == 0) return CPU_COUNT_S(bytes, set.get());
    if (errno != EINVAL) break;  // EINVAL: the machine may have more CPUs than the set
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int usable_cpus(int in_mask, const std::string& groups, const std::string& mounted_at) {
  double least = std::max(1, in_mask);
  // Lines such as "0::/user.slice" (version 2) or "4:cpu,cpuacct:/docker/1f" (version 1).
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const auto top = controllers.empty() ? mounted_at : mounted_at + "/" + controllers;
    // Inside a container the group's own folder may be mounted at the top.
    for (auto path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      while (!path.empty() && path.back() == '/') path.pop_back();
      if (const double quota = quota_in(top + path); quota > 0) least = std::min(least, quota);
      if (path.find('/') == path.npos) break;
    }
  }
  return std::max(1, static_cast<int>(std::ceil(least)));
}

int usable_cpus() { return usable_cpus(cpus_in_mask(), text_of("/proc/self/cgroup"), "/sys/fs/cgroup"); }

}  // namespace pagoda
