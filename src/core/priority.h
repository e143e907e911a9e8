// Which threads come first where there are more of them than CPUs.
#pragma once

namespace pagoda {

// Lowers the priority of the calling thread, by `nice` as of setpriority. When it wakes it preempts no other thread.
void lower_priority(int nice);

}  // namespace pagoda
