#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/config.h"

namespace pagoda {

std::string toml_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (c == '\r')
      result += "\\r";
    else if (u < 0x20 || u == 0x7f)
      result += fmt::format("\\u{:04X}", u);
    else
      result += c;
  }
  return result + '"';
}

namespace {

// "a, b, c"
template <class T>
std::string joined(const std::vector<T>& values) {
  std::string result;
  for (const auto& v : values) result += fmt::format("{}{}", result.empty() ? "" : ", ", v);
  return result;
}

using Values = std::map<std::string, std::string, std::less<>>;  // key: value, as TOML

// What is written for a person, beside the values of a table.
struct Style {
  bool comments = false;
  bool hints = false;                // keys that are left out are shown, commented out
  const Values* defaults = nullptr;  // keys with these values are left out
};

// The text of one table: its own keys, then the tables inside it, as TOML wants them in that order.
class Writer : public OptionVisitor {
 public:
  Writer(std::string path, Style style) : path_(std::move(path)), style_(style) {}

  std::string text() const { return keys_ + tables_; }

  void field(std::string_view key, bool& value, std::string_view help) override {
    line(key, value ? "true" : "false", help);
  }
  void field(std::string_view key, int64_t& value, std::string_view help) override {
    line(key, fmt::format("{}", value), help);
  }
  void field(std::string_view key, double& value, std::string_view help) override { line(key, number(value), help); }
  void field(std::string_view key, std::string& value, std::string_view help) override {
    line(key, toml_quoted(value), help);
  }
  void field(std::string_view key, std::vector<int64_t>& value, std::string_view help) override {
    line(key, fmt::format("[{}]", joined(value)), help);
  }
  void field(std::string_view key, std::vector<std::string>& value, std::string_view help) override {
    std::vector<std::string> words;
    for (const auto& v : value) words.push_back(toml_quoted(v));
    line(key, fmt::format("[{}]", joined(words)), help);
  }
  void pairs(std::string_view key, std::vector<std::pair<std::string, std::string>>& values,
             std::string_view help) override {
    std::vector<std::string> words;
    for (const auto& [name, value] : values) words.push_back(toml_quoted(name) + " = " + toml_quoted(value));
    line(key, words.empty() ? "{}" : fmt::format("{{ {} }}", joined(words)), help);
  }
  void number_or(std::string_view key, std::optional<double>& value, std::string_view word,
                 std::string_view help) override {
    const auto quoted = fmt::format("\"{}\"", word);
    line(key, value ? number(*value) : toml_quoted(word),
         help.find(quoted + ":") != help.npos ? std::string(help)  // it says what the word means
                                              : fmt::format("{}{}or {}", help, help.empty() ? "" : "; ", quoted));
  }
  void section(std::string_view key, std::string_view help,
               const std::function<void(OptionVisitor&)>& describe) override {
    table(key, "[", "]", help, describe, {.comments = style_.comments});
  }

 protected:
  size_t one_of(std::string_view key, size_t chosen, const std::vector<std::string>& words,
                std::string_view help) override {
    std::vector<std::string> choices;
    const auto value = [](const std::string& word) {
      return word == "true" || word == "false" ? word : toml_quoted(word);
    };
    for (const auto& word : words) choices.push_back(value(word));
    line(key, value(words[chosen]), fmt::format("{}{}{}", help, help.empty() ? "" : ": ", joined(choices)));
    return chosen;
  }
  bool begin_list(std::string_view key, size_t& n, std::string_view help, IfEmpty if_empty) override {
    list_help_ = help;
    if (n == 0 && if_empty == IfEmpty::written) line(key, "[]", help);
    return false;
  }
  void list_item(std::string_view key, size_t i, const std::function<void(OptionVisitor&)>& describe,
                 const std::function<void(OptionVisitor&)>& describe_default) override {
    if (!style_.comments) return table(key, "[[", "]]", "", describe, {});
    Writer standard("", {});
    describe_default(standard);
    const bool first = i == 0;
    table(key, "[[", "]]", first ? list_help_ : "", describe,
          {.comments = first, .hints = first, .defaults = &standard.values_});
  }

 private:
  static std::string bare(std::string_view key) {
    const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return plain ? std::string(key) : toml_quoted(key);
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    std::string text = fmt::format("{}", value);  // the fewest digits that read back to the same double
    if (text.find_first_of(".e") == text.npos) text += ".0";
    return text;
  }

  // Comment lines of at most 100 columns.
  static std::string comment(std::string_view help) {
    constexpr size_t kColumns = 100;
    std::string result, row;
    while (!help.empty()) {
      const size_t end = std::min(help.find_first_of(" \n"), help.size());
      const auto word = help.substr(0, end);
      if (!row.empty() && row.size() + 1 + word.size() > kColumns) {
        result += row + "\n";
        row.clear();
      }
      if (!word.empty()) row += (row.empty() ? "# " : " ") + std::string(word);
      if (end < help.size() && help[end] == '\n' && !row.empty()) {
        result += row + "\n";
        row.clear();
      }
      help.remove_prefix(std::min(end + 1, help.size()));
    }
    return row.empty() ? result : result + row + "\n";
  }

  // The first key and the kind identify an element of a list: they are never left out.
  bool left_out(std::string_view key, std::string_view value) const {
    if (!style_.defaults || values_.empty() || key == "kind") return false;
    const auto found = style_.defaults->find(key);
    return found != style_.defaults->end() && found->second == value;
  }

  void line(std::string_view key, std::string_view value, std::string_view help) {
    const bool out = left_out(key, value);
    values_.emplace(key, value);
    if (out && !style_.hints) return;
    if (style_.comments) keys_ += comment(help);
    keys_ += fmt::format("{}{} = {}\n", out ? "# " : "", bare(key), value);
  }

  void table(std::string_view key, std::string_view open, std::string_view close, std::string_view help,
             const std::function<void(OptionVisitor&)>& describe, Style style) {
    Writer inner(path_.empty() ? bare(key) : fmt::format("{}.{}", path_, bare(key)), style);
    describe(inner);
    tables_ += "\n";
    if (style_.comments) tables_ += comment(help);
    tables_ += fmt::format("{}{}{}\n{}", open, inner.path_, close, inner.text());
  }

  std::string path_, keys_, tables_, list_help_;
  Style style_;
  Values values_;
};

}  // namespace

std::string to_toml(const std::function<void(OptionVisitor&)>& describe, bool with_comments) {
  Writer writer("", {.comments = with_comments});
  describe(writer);
  const std::string text = writer.text();
  return text.starts_with('\n') ? text.substr(1) : text;
}

}  // namespace pagoda
