// Which threads come first where there are more of them than CPUs.
#pragma once

namespace pagoda {

// Lowers the priority of the calling thread to `nice` as of setpriority, where it is not lower yet. When it wakes it
// preempts no other thread.
void lower_priority(int nice);

}  // namespace pagoda
