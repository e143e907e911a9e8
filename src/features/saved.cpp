#include "features/saved.h"

#include <algorithm>

namespace pagoda::features {

bool offsets_rise(const std::vector<uint64_t>& offsets, size_t values) {
  return !offsets.empty() && offsets.front() == 0 && offsets.back() == values &&
         std::is_sorted(offsets.begin(), offsets.end());
}

void save_strings(ByteWriter& out, const columns::Interner& strings) { save_ragged(out, strings.strings()); }

columns::Interner load_strings(ByteReader& in) {
  const auto lists = load_ragged<char>(in);
  if (lists.size() >= columns::Interner::kNone) in.damaged("has more strings than there can be");
  columns::Interner strings;
  for (size_t i = 0; i < lists.size(); ++i)
    if (strings.add({lists[i].data(), lists[i].size()}) != i) in.damaged("has a string twice");
  return strings;
}

}  // namespace pagoda::features
