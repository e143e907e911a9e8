#include "core/config.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "core/suggest.h"

namespace pagoda {

namespace {

constexpr std::string_view kSetOption = "--set ";

// Keys that were renamed; the former names are read until the release after the one that renamed them.
struct RenamedKey {
  std::string_view section, former, now;
};
constexpr RenamedKey kRenamedKeys[] = {
    // 0.2
    {"loss", "popularity_dial", "logq_weight"},
    {"sampling", "count_by", "correct_by"},
    {"train", "mask_history", "mask_history_items"},
    {"serve", "beside", "compare"},
    {"serve", "most_k", "max_k"},
    {"serve", "most_list", "max_list"},
    {"serve", "most_requests", "max_requests"},
    {"serve", "most_filter_kb", "max_filter_kb"},
    {"serve", "most_body_kb", "max_body_kb"},
    {"serve", "most_depth", "max_depth"},
    {"serve", "most_added", "max_added"},
};

std::string join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

// "pagoda.toml:12", or "--set loss.temperature=0.05" for an assignment.
std::string place(const toml::source_region& source) {
  const std::string name = source.path ? *source.path : "config";
  return name.starts_with(kSetOption) ? name : fmt::format("{}:{}", name, source.begin.line);
}
std::string place(const toml::node& node) { return place(node.source()); }

// The value in words: the integer 7, the text "hot".
std::string described(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string: return fmt::format("the text \"{}\"", node.ref<std::string>());
    case toml::node_type::integer: return fmt::format("the integer {}", node.ref<int64_t>());
    case toml::node_type::floating_point: return fmt::format("the number {}", node.ref<double>());
    case toml::node_type::boolean: return fmt::format("the boolean {}", node.ref<bool>());
    case toml::node_type::array: return "a list";
    case toml::node_type::table: return "a table";
    default: return "a date or time";
  }
}

void warn_of_former_key(const std::string& place, const RenamedKey& key) {
  log_warning("{}: '{}' in [{}] is called '{}' now; a later version will not know the old name", place, key.former,
              key.section, key.now);
}

// Renames the former keys of a whole config.
void rename_keys(toml::table& root, bool warn) {
  for (const auto& key : kRenamedKeys) {
    auto* section = root[key.section].as_table();
    toml::node* value = section ? section->get(key.former) : nullptr;
    if (!value) continue;
    const std::string at = place(*value);
    if (section->contains(key.now))
      fail(ErrorKind::usage, "{}: '{}' in [{}] is the former name of '{}', which is given, too; remove one of them", at,
           key.former, key.section, key.now);
    if (warn) warn_of_former_key(at, key);
    value->visit([&](auto& moved) { section->insert_or_assign(key.now, std::move(moved)); });
    section->erase(key.former);
  }
}

// The same for one dotted key.
std::string renamed(const std::string& dotted_key, const toml::node& value) {
  for (const auto& key : kRenamedKeys)
    if (dotted_key == join(key.section, key.former)) {
      warn_of_former_key(place(value), key);
      return join(key.section, key.now);
    }
  return dotted_key;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// SIZE_MAX if the number does not fit.
size_t index_from(std::string_view digits) {
  size_t index = SIZE_MAX;
  std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return index;
}

bool numbered(const toml::table& table) {
  const auto is_number = [](const auto& entry) { return all_digits(entry.first.str()); };
  return !table.empty() && std::all_of(table.begin(), table.end(), is_number);
}

void merge(toml::table& into, toml::table& from);

void merge_item(toml::array& list, std::string_view number, toml::node& from) {
  const size_t index = index_from(number);
  if (index > list.size())
    fail(ErrorKind::usage, "{}: there is no element {}: the list has {}", place(from), number, list.size());
  if (index < list.size() && list[index].is_table() && from.is_table())
    return merge(*list[index].as_table(), *from.as_table());
  from.visit([&](auto& value) {
    if (index < list.size())
      list.replace(list.cbegin() + static_cast<ptrdiff_t>(index), std::move(value));
    else
      list.push_back(std::move(value));
  });
}

// Merges `from` into `into`. Nodes are moved, because only a move keeps the place that a node was read at.
void merge(toml::table& into, toml::table& from) {
  for (auto&& [key, node] : from) {
    toml::node* there = into.get(key);
    if (there && there->is_table() && node.is_table()) {
      merge(*there->as_table(), *node.as_table());
    } else if (there && there->is_array() && node.is_table() && numbered(*node.as_table())) {
      for (auto&& [number, item] : *node.as_table()) merge_item(*there->as_array(), number.str(), item);
    } else {
      node.visit([&](auto& value) { into.insert_or_assign(key, std::move(value)); });
    }
  }
}

// Reads the tables of a config into options, and remembers which keys are known where.
class Reader : public OptionVisitor {
 public:
  struct Known {
    const toml::table* table;
    std::vector<std::string> keys;
  };
  using KnownAt = std::map<std::string, Known>;  // by the table's path

  Reader(const toml::table* table, std::string path, KnownAt& known)
      : table_(table), path_(std::move(path)), known_(known) {
    known_[path_].table = table_;
  }

  void field(std::string_view key, bool& value, std::string_view) override {
    if (const auto* node = find(key)) {
      if (!node->is_boolean()) mismatch(*node, key, "true or false");
      value = node->ref<bool>();
    }
  }
  void field(std::string_view key, int64_t& value, std::string_view) override {
    if (const auto* node = find(key)) value = integer(*node, key, "an integer");
  }
  void field(std::string_view key, double& value, std::string_view) override {
    if (const auto* node = find(key)) {
      if (!node->is_number()) mismatch(*node, key, "a number");
      value = *node->value<double>();
    }
  }
  void field(std::string_view key, std::string& value, std::string_view) override {
    if (const auto* node = find(key)) value = text(*node, key, "a text in quotes");
  }
  void field(std::string_view key, std::vector<int64_t>& value, std::string_view) override {
    elements(key, value, [&](const toml::node& node) { return integer(node, key, "a list of integers"); });
  }
  void field(std::string_view key, std::vector<std::string>& value, std::string_view) override {
    elements(key, value, [&](const toml::node& node) { return text(node, key, "a list of texts in quotes"); });
  }
  void pairs(std::string_view key, std::vector<std::pair<std::string, std::string>>& values,
             std::string_view) override {
    const auto* node = find(key);
    if (!node) return;
    if (!node->is_table()) mismatch(*node, key, "a table");
    values.clear();
    flatten(*node->as_table(), key, "", values);
  }
  void number_or(std::string_view key, std::optional<double>& value, std::string_view word, std::string_view) override {
    const auto* node = find(key);
    if (!node) return;
    if (node->is_number())
      value = node->value<double>();
    else if (node->is_string() && node->ref<std::string>() == word)
      value.reset();
    else
      mismatch(*node, key, fmt::format("a number or \"{}\"", word));
  }
  void section(std::string_view key, std::string_view, const std::function<void(OptionVisitor&)>& describe) override {
    const auto* node = find(key);
    if (node && !node->is_table()) mismatch(*node, key, "a table");
    Reader inner(node ? node->as_table() : nullptr, join(path_, key), known_);
    describe(inner);
  }

  // Throws for the first key, in the order of the file, that no describe() named.
  static void refuse_unknown(const KnownAt& known) {
    const toml::node* first = nullptr;
    std::string message;
    for (const auto& [path, at] : known) {
      if (!at.table) continue;
      for (auto&& [key, node] : *at.table) {
        if (std::find(at.keys.begin(), at.keys.end(), key.str()) != at.keys.end()) continue;
        if (first && !before(node, *first)) continue;
        first = &node;
        message = unknown(path, key.str(), node, at.keys, known);
      }
    }
    if (first) fail(ErrorKind::usage, "{}", message);
  }

 protected:
  size_t one_of(std::string_view key, size_t chosen, const std::vector<std::string>& words, std::string_view) override {
    const auto* node = find(key);
    if (!node) return chosen;
    if (const auto* truth = node->as_boolean()) {
      const auto same = std::find(words.begin(), words.end(), truth->get() ? "true" : "false");
      if (same != words.end()) return static_cast<size_t>(same - words.begin());
    }
    const auto* word = node->as_string();
    if (!word) {
      std::string choices;
      for (const auto& w : words) choices += (choices.empty() ? "" : ", ") + toml_quoted(w);
      mismatch(*node, key, "one of " + choices);
    }
    const auto found = std::find(words.begin(), words.end(), word->get());
    if (found == words.end())
      fail(ErrorKind::usage, "{}: {} cannot be \"{}\"{}", place(*node), name_of(key), word->get(),
           suggestion(word->get(), words));
    return static_cast<size_t>(found - words.begin());
  }

  bool begin_list(std::string_view key, size_t& n, std::string_view, IfEmpty) override {
    const auto* node = find(key);
    if (!node) return false;
    if (const auto* list = node->as_array()) {
      for (const auto& item : *list)
        if (!item.is_table()) mismatch(item, key, fmt::format("a list of tables, [[{}]]", join(path_, key)));
      n = list->size();
      return true;
    }
    // --set negatives.1.count=5 where the file has no such list: single values over the present list.
    if (!node->is_table() || !numbered(*node->as_table()))
      mismatch(*node, key, fmt::format("a list of tables, [[{}]]", join(path_, key)));
    for (auto&& [number, item] : *node->as_table()) {
      if (index_from(number.str()) >= n)
        fail(ErrorKind::usage, "{}: there is no element {}: {} has {}", place(item), number.str(), name_of(key), n);
      if (!item.is_table()) mismatch(item, fmt::format("{}.{}", key, number.str()), "a table");
    }
    return false;
  }

  void list_item(std::string_view key, size_t i, const std::function<void(OptionVisitor&)>& describe,
                 const std::function<void(OptionVisitor&)>&) override {
    const auto* node = table_ ? table_->get(key) : nullptr;
    const toml::table* table = nullptr;
    if (node && node->is_array()) table = (*node->as_array())[i].as_table();
    if (node && node->is_table()) {
      for (auto&& [number, item] : *node->as_table())
        if (index_from(number.str()) == i) table = item.as_table();
    }
    Reader inner(table, join(join(path_, key), std::to_string(i)), known_);
    describe(inner);
  }

 private:
  const toml::node* find(std::string_view key) {
    known_[path_].keys.emplace_back(key);
    return table_ ? table_->get(key) : nullptr;
  }

  std::string name_of(std::string_view key) const { return in_section(key, path_); }
  static std::string in_section(std::string_view key, std::string_view path) {
    return path.empty() ? fmt::format("'{}'", key) : fmt::format("'{}' in [{}]", key, path);
  }

  [[noreturn]] void mismatch(const toml::node& node, std::string_view key, std::string_view expected) const {
    fail(ErrorKind::usage, "{}: {} is {}, expected {}", place(node), name_of(key), described(node), expected);
  }

  int64_t integer(const toml::node& node, std::string_view key, std::string_view expected) const {
    if (node.is_integer()) return node.ref<int64_t>();
    if (node.is_floating_point()) {  // 1e6: TOML has no other short way to write a million
      const double number = node.ref<double>();
      if (std::abs(number) < 0x1p53 && number == std::floor(number)) return static_cast<int64_t>(number);
    }
    mismatch(node, key, expected);
  }

  std::string text(const toml::node& node, std::string_view key, std::string_view expected) const {
    if (node.is_string()) return node.ref<std::string>();
    // A shell removes quotes: in --set data.test=2020-01-31 the text is the value as written.
    const auto& from = node.source().path;
    if (from && from->starts_with(kSetOption) && !node.is_array() && !node.is_table())
      return from->substr(from->find('=') + 1);
    mismatch(node, key, expected);
  }

  // The values below a table, each under its dotted key.
  void flatten(const toml::table& table, std::string_view key, const std::string& path,
               std::vector<std::pair<std::string, std::string>>& values) const {
    for (auto&& [name, node] : table) {
      const auto dotted = join(path, name.str());
      if (const auto* inner = node.as_table())
        flatten(*inner, key, dotted, values);
      else if (node.is_integer())
        values.emplace_back(dotted, std::to_string(node.ref<int64_t>()));
      else if (node.is_boolean())
        values.emplace_back(dotted, node.ref<bool>() ? "true" : "false");
      else
        values.emplace_back(dotted, text(node, fmt::format("{}.{}", key, dotted), "a text in quotes"));
    }
  }

  // A list, or one value standing for a list of one.
  template <class T, class F>
  void elements(std::string_view key, std::vector<T>& values, F element) {
    const auto* node = find(key);
    if (!node) return;
    values.clear();
    if (const auto* list = node->as_array())
      for (const auto& item : *list) values.push_back(element(item));
    else
      values.push_back(element(*node));
  }

  // Whether the user wrote a before b: the lines of the file in order, then the assignments.
  static bool before(const toml::node& a, const toml::node& b) {
    const auto set = [](const toml::node& n) { return n.source().path && n.source().path->starts_with(kSetOption); };
    if (set(a) != set(b)) return set(b);
    return a.source().begin < b.source().begin;
  }

  static std::string unknown(const std::string& path, std::string_view key, const toml::node& node,
                             const std::vector<std::string>& keys, const KnownAt& known) {
    const bool is_section = path.empty() && (node.is_table() || node.is_array_of_tables());
    const std::string what = is_section ? fmt::format("section [{}]", key) : "key " + in_section(key, path);
    std::string hint = suggestion(key, keys);
    if (nearest(key, keys).empty())
      for (const auto& [elsewhere, at] : known)
        if (std::find(at.keys.begin(), at.keys.end(), key) != at.keys.end())
          hint = elsewhere.empty() ? fmt::format("; '{}' stands above the first section", key)
                                   : fmt::format("; there is a '{}' in [{}]", key, elsewhere);
    return fmt::format("{}: unknown {}{}", place(node), what, hint);
  }

  const toml::table* table_;
  std::string path_;
  KnownAt& known_;
};

// Whether it can be the key of an assignment: section.key, without quotes.
bool dotted(std::string_view key) {
  return !key.empty() && key.find_first_of("\n\r#[]{}\"'= \t") == key.npos && key.front() != '.' && key.back() != '.' &&
         key.find("..") == key.npos;
}

toml::table parsed(std::string_view text, std::string name) {
  try {
    return toml::parse(text, std::move(name));
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::usage, "{}: {}", place(error.source()), error.description());
  }
}

}  // namespace

struct Config::Tree {
  toml::table root;
  std::vector<std::string> taken;  // keys that take_table() and the like were asked for
};

Config::Config() : tree_(std::make_unique<Tree>()) {}
Config::~Config() = default;
Config::Config(Config&&) noexcept = default;
Config& Config::operator=(Config&&) noexcept = default;

Config Config::from_text(std::string_view text, std::string name) {
  Config config;
  config.tree_->root = parsed(text, std::move(name));
  rename_keys(config.tree_->root, false);
  return config;
}

Config Config::from_file(const std::string& path) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const Error& error) {
    fail(ErrorKind::usage, "{}", error.what());
  }
  Config config;
  config.tree_->root = parsed(text, path);
  rename_keys(config.tree_->root, true);
  return config;
}

void Config::set(std::string_view assignment) {
  const std::string place = fmt::format("{}{}", kSetOption, assignment);
  const size_t equals = assignment.find('=');
  auto key = assignment.substr(0, equals);
  const bool spaced = key.ends_with(' ');  // as messages and configs show it: data.header = false
  while (key.ends_with(' ')) key.remove_suffix(1);
  if (equals == assignment.npos || !dotted(key)) fail(ErrorKind::usage, "{}: expected section.key=value", place);
  auto value = assignment.substr(equals + 1);
  while (spaced && value.starts_with(' ')) value.remove_prefix(1);
  toml::table laid;
  try {
    if (value.find('\n') == value.npos) laid = toml::parse(assignment, place);
  } catch (const toml::parse_error&) {}
  if (laid.empty()) laid = parsed(fmt::format("{} = {}", key, toml_quoted(value)), place);
  rename_keys(laid, true);
  merge(tree_->root, laid);
}

void Config::read(const std::function<void(OptionVisitor&)>& describe) const {
  Reader::KnownAt known;
  Reader reader(&tree_->root, "", known);
  describe(reader);
  auto& keys = known[""].keys;
  keys.insert(keys.end(), tree_->taken.begin(), tree_->taken.end());
  Reader::refuse_unknown(known);
}

namespace {

std::string node_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  return "[...]";
}

// The assignment of `value` to a dotted key, with the place of the value.
toml::table assigned(const std::string& key, toml::node& value) {
  const auto& source = value.source();
  const std::string above(source.begin.line > 0 ? source.begin.line - 1 : 0, '\n');
  toml::table root = parsed(above + key + " = 0", source.path ? *source.path : "config");
  toml::table* table = &root;
  while (table->begin()->second.is_table()) table = table->begin()->second.as_table();
  const std::string last(table->begin()->first.str());
  value.visit([&](auto& moved) { table->insert_or_assign(last, std::move(moved)); });
  return root;
}

using Leaves = std::vector<std::pair<std::string, toml::node*>>;

void find_leaves(toml::table& table, const std::string& path, Leaves& found) {
  for (auto&& [key, node] : table) {
    const std::string here = join(path, key.str());
    if (!dotted(here)) fail(ErrorKind::usage, "{}: '{}' is not a key: write \"section.key\"", place(node), here);
    if (auto* inner = node.as_table())
      find_leaves(*inner, here, found);
    else
      found.emplace_back(here, &node);
  }
}

// The values below a table, each with its dotted key, in the order they were written.
Leaves leaves(toml::table& table) {
  Leaves found;
  find_leaves(table, "", found);
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.second->source().begin < b.second->source().begin; });
  return found;
}

}  // namespace

bool Config::has(std::string_view key) const { return tree_->root.contains(key); }

std::optional<Config> Config::take_table(std::string_view key) {
  tree_->taken.emplace_back(key);
  auto* table = tree_->root[key].as_table();
  if (!table) return std::nullopt;
  Config taken;
  taken.tree_->root = std::move(*table);
  tree_->root.erase(key);
  rename_keys(taken.tree_->root, true);
  return taken;
}

std::vector<Config> Config::take_tables(std::string_view key) {
  tree_->taken.emplace_back(key);
  std::vector<Config> taken;
  auto* node = tree_->root.get(key);
  if (!node) return taken;
  auto* list = node->as_array();
  if (!list) fail(ErrorKind::usage, "{}: '{}' is {}, expected tables [[{}]]", place(*node), key, described(*node), key);
  for (auto& item : *list) {
    if (!item.is_table())
      fail(ErrorKind::usage, "{}: '{}' holds {}, expected tables [[{}]]", place(item), key, described(item), key);
    auto& root = taken.emplace_back().tree_->root;
    root = std::move(*item.as_table());
    rename_keys(root, true);
  }
  tree_->root.erase(key);
  return taken;
}

std::vector<Setting> Config::take_settings(std::string_view key) {
  std::vector<Setting> settings;
  auto table = take_table(key);
  if (const auto* node = tree_->root.get(key); node && !table)
    fail(ErrorKind::usage, "{}: '{}' is {}, expected a table such as {{ \"loss.temperature\" = 0.1 }}", place(*node),
         key, described(*node));
  if (!table) return settings;
  for (auto& [written, node] : leaves(table->tree_->root)) {
    const auto name = renamed(written, *node);
    Setting setting{name, node_text(*node), {}};
    setting.config.tree_->root = assigned(name, *node);
    settings.push_back(std::move(setting));
  }
  return settings;
}

std::vector<std::vector<Setting>> Config::take_choices(std::string_view key) {
  std::vector<std::vector<Setting>> choices;
  auto table = take_table(key);
  if (const auto* node = tree_->root.get(key); node && !table)
    fail(ErrorKind::usage, "{}: '{}' is {}, expected a table such as {{ \"loss.temperature\" = [0.05, 0.1] }}",
         place(*node), key, described(*node));
  if (!table) return choices;
  for (auto& [written, node] : leaves(table->tree_->root)) {
    const auto name = renamed(written, *node);
    auto* values = node->as_array();
    if (!values || values->empty())
      fail(ErrorKind::usage, "{}: '{}' is {}, expected a list of the values to try", place(*node), name,
           values ? "an empty list" : described(*node));
    auto& settings = choices.emplace_back();
    for (auto& value : *values) {
      Setting setting{name, node_text(value), {}};
      setting.config.tree_->root = assigned(name, value);
      settings.push_back(std::move(setting));
    }
  }
  return choices;
}

std::string with_former_keys(std::string_view toml) {
  std::string text;
  std::string_view section;
  while (!toml.empty()) {
    const auto line = toml.substr(0, toml.find('\n'));
    toml.remove_prefix(std::min(line.size() + 1, toml.size()));
    if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
    const auto name = line.substr(0, line.find(' '));
    const auto key =
        std::ranges::find_if(kRenamedKeys, [&](const RenamedKey& k) { return k.section == section && k.now == name; });
    text += key == std::end(kRenamedKeys) ? line : key->former;
    if (key != std::end(kRenamedKeys)) text += line.substr(name.size());
    text += '\n';
  }
  return text;
}

}  // namespace pagoda
