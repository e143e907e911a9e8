#include "core/error.h"

#include <cstdio>
#include <cstdlib>

namespace pagoda {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed: return 1;
    case ErrorKind::usage: return 2;
    case ErrorKind::input: return 3;
    case ErrorKind::interrupted: return 130;
  }
  return 1;
}

void check_failed(const char* what, std::source_location where) {
  std::fprintf(stderr, "%s:%u: %s: broken invariant: %s\n", where.file_name(), static_cast<unsigned>(where.line()),
               where.function_name(), what);
  std::abort();
}

}  // namespace pagoda
