#include <pagoda/messages.h>

#include "core/log.h"
#include "core/progress.h"

namespace pagoda {

void set_messages(Messages wanted) noexcept {
  set_log_level(wanted == Messages::all        ? LogLevel::info
                : wanted == Messages::warnings ? LogLevel::warning
                                               : LogLevel::error);
  Progress::set_quiet(wanted != Messages::all);
}

namespace {

// A library says less than a program unless it is told to.
[[maybe_unused]] const bool quiet_at_first = (set_messages(Messages::warnings), true);

}  // namespace

}  // namespace pagoda
