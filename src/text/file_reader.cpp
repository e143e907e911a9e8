#include "text/file_reader.h"

#include <algorithm>

#include "core/error.h"
#include "core/suggest.h"

namespace pagoda::text {

std::vector<size_t> select_columns(const std::string& path, const std::vector<std::string>& present,
                                   const std::vector<std::string>& wanted) {
  std::vector<size_t> chosen;
  for (const auto& name : wanted) {
    const auto found = std::find(present.begin(), present.end(), name);
    if (found == present.end()) fail(ErrorKind::input, "{}: no column '{}'{}", path, name, suggestion(name, present));
    if (std::find(found + 1, present.end(), name) != present.end())
      fail(ErrorKind::input, "{}: two columns are named '{}'; rename one", path, name);
    chosen.push_back(static_cast<size_t>(found - present.begin()));
  }
  return chosen;
}

}  // namespace pagoda::text
