#include "cli/commit.h"

#include <fmt/format.h>
#include <pagoda/version.h>

namespace pagoda::cli {

std::string program_text() {
  const auto text = fmt::format("pagoda {}", version());
  return commit().empty() ? text : fmt::format("{}, commit {}", text, commit());
}

}  // namespace pagoda::cli
