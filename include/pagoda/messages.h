// What the library writes to stderr.
#pragma once

#include <pagoda/export.h>

namespace pagoda {

enum class Messages {
  none,
  warnings,  // as it begins: what was wrong with data and did not end the work
  all,       // and how far training is
};

// For the whole process, from any thread.
PAGODA_EXPORT void set_messages(Messages wanted) noexcept;

}  // namespace pagoda
