// How many CPUs this process may keep busy.
#pragma once

#include <string>

namespace pagoda {

// The CPUs of its affinity mask, or fewer where a control group (a container, a service) has a smaller quota of CPU
// time: a quota of 1.5 CPUs gives 2. At least 1. Reads the quota at each call.
int usable_cpus();

// The same from these: the number of CPUs in the mask, the text of /proc/self/cgroup, and the folder where the control
// groups are mounted (/sys/fs/cgroup). Reads cpu.max (version 2) or cpu.cfs_quota_us and cpu.cfs_period_us (version 1)
// of the group and of all groups above it.
int usable_cpus(int in_mask, const std::string& groups, const std::string& mounted_at);

}  // namespace pagoda
