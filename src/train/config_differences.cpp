#include "train/config_differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace pagoda::train {

namespace {

constexpr size_t kNamed = 5;  // differences that are said one by one

// The values of a config that to_toml() wrote, by their dotted names; elements of a list of tables by number.
std::map<std::string, std::string> values_of(std::string_view toml) {
  std::map<std::string, std::string> values;
  std::map<std::string, int> elements;
  std::string section;
  while (!toml.empty()) {
    const auto line = toml.substr(0, toml.find('\n'));
    toml.remove_prefix(std::min(line.size() + 1, toml.size()));
    if (line.starts_with("[[")) {
      section = line.substr(2, line.find(']') - 2);
      section += fmt::format(".{}", elements[section]++);
    } else if (line.starts_with('[')) {
      section = line.substr(1, line.find(']') - 1);
    } else if (const auto at = line.find(" = "); at != std::string_view::npos) {
      values[section + (section.empty() ? "" : ".") + std::string(line.substr(0, at))] = line.substr(at + 3);
    }
  }
  return values;
}

}  // namespace

void Differences::add(std::string words) {
  if (++found_ > kNamed) return;
  text_ += (text_.empty() ? "" : "; ") + std::move(words);
}

std::string Differences::text() const {
  return text_ + (found_ > kNamed ? fmt::format("; and {} more", found_ - kNamed) : std::string());
}

void compare_configs(std::string_view was, std::string_view now, Differences& out) {
  const auto before = values_of(was), after = values_of(now);
  for (const auto& [name, value] : after)
    if (const auto old = before.find(name); old == before.end())
      out.add(fmt::format("{} is {}, was not there", name, value));
    else if (old->second != value)
      out.add(fmt::format("{} is {}, was {}", name, value, old->second));
  for (const auto& [name, value] : before)
    if (!after.contains(name)) out.add(fmt::format("{} is not there, was {}", name, value));
}

std::string config_differences(std::string_view was, std::string_view now) {
  Differences found;
  compare_configs(was, now, found);
  return found.text();
}

}  // namespace pagoda::train
