#include "lab/differences.h"

#include <algorithm>
#include <string_view>

namespace pagoda::lab {

namespace {

// Adds a table to the end of the list in `value`.
void open_element(std::string& value) {
  if (value.empty())
    value = "[{ }]";
  else
    value.insert(value.size() - 1, ", { }");
}

// Adds "key = value" to the last table of the list.
void add_to_element(std::string& value, std::string_view line) {
  const size_t end = value.size() - 2;  // before "}]"
  const bool first = value[end - 2] == '{';
  value.insert(first ? end : end - 1, first ? std::string(line) + " " : ", " + std::string(line));
}

}  // namespace

KeyValues flat_config(const dataset::Options& options) {
  KeyValues flat;
  const auto value_of = [&](const std::string& key) -> std::string& {
    const auto found = std::find_if(flat.begin(), flat.end(), [&](const auto& entry) { return entry.first == key; });
    return found == flat.end() ? flat.emplace_back(key, "").second : found->second;
  };
  // The TOML for a person shows only what is not the default in the tables of a list.
  const std::string text = dataset::to_toml(options, true);
  std::string section;
  bool in_list = false;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    const std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      in_list = line.starts_with("[[");
      const size_t brackets = in_list ? 2 : 1;
      section = line.substr(brackets, line.size() - 2 * brackets);
      if (in_list) open_element(value_of(section));
    } else if (in_list) {
      add_to_element(value_of(section), line);
    } else {
      const size_t equals = line.find(" = ");
      const std::string key = (section.empty() ? "" : section + ".") + std::string(line.substr(0, equals));
      flat.emplace_back(key, line.substr(equals + 3));
    }
  }
  return flat;
}

KeyValues differences(const dataset::Options& base, const dataset::Options& other) {
  const auto before = flat_config(base), after = flat_config(other);
  KeyValues changed;
  for (const auto& entry : after)
    if (std::find(before.begin(), before.end(), entry) == before.end()) changed.push_back(entry);
  for (const auto& [key, value] : before)  // a list that became empty
    if (std::none_of(after.begin(), after.end(), [&](const auto& entry) { return entry.first == key; }))
      changed.emplace_back(key, "[]");
  return changed;
}

}  // namespace pagoda::lab
