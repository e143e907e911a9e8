#include "core/priority.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>

#include "core/log.h"

namespace pagoda {

void lower_priority(int nice) {
  constexpr sched_param kNone{};
  nice = std::max(nice, ::getpriority(PRIO_PROCESS, 0));
  if (::sched_setscheduler(0, SCHED_BATCH, &kNone) != 0 || ::setpriority(PRIO_PROCESS, 0, nice) != 0)
    log_debug("a thread in the background has the usual priority");
}

}  // namespace pagoda
