#include "columns/whitespace.h"

#include <array>

#include "columns/column.h"
#include "core/log.h"

namespace pagoda::columns {

std::string_view trim_id(std::string_view id) {
  constexpr std::array<std::string_view, 3> kUnseen{"\xEF\xBB\xBF", "\xC2\xA0", "\xE2\x80\x8B"};
  for (bool cut = true; cut;) {
    id = trim(id);
    cut = false;
    for (const auto mark : kUnseen) {
      if (id.starts_with(mark)) {
        id.remove_prefix(mark.size());
        cut = true;
      }
      if (id.ends_with(mark)) {
        id.remove_suffix(mark.size());
        cut = true;
      }
    }
  }
  return id;
}

void warn_of_whitespace(const std::string& where, const std::string& column, const Interner& ids, uint32_t first) {
  size_t blank = 0, twins = 0;
  std::string_view example, bare_example;
  for (uint32_t i = first; i < ids.size(); ++i) {
    const auto bare = trim_id(ids[i]);
    if (bare.size() == ids[i].size()) continue;
    const bool twin = ids.find(bare) != Interner::kNone;
    if (blank++ == 0 || (twin && twins == 0)) {
      example = ids[i];
      bare_example = bare;
    }
    twins += twin;
  }
  if (blank == 0) return;
  log_warning("{}: {}{} ids have blanks around them and are kept as they are: '{}' is not '{}'{}", where,
              column.empty() ? "" : fmt::format("column '{}': ", column), blank, example, bare_example,
              twins == 0 ? "" : fmt::format("; {} of them also occur without blanks", twins));
}

}  // namespace pagoda::columns
