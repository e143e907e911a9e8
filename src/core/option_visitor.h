// Visits the options of a struct. One description serves to read a config, to write one with comments, and to generate
// the docs.
//
//   struct LossOptions { double temperature = 0.1; Correction correction = Correction::standard; };
//   void describe(OptionVisitor& f, LossOptions& o) {
//     f.field("temperature", o.temperature, "divides the cosine; lower is sharper");
//     f.choice("correction", o.correction, {{"standard", Correction::standard}, ...}, "...");
//   }
//
// A describe() lists each key once, in the order in which a person should read them, and never looks at the values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pagoda {

class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;

  virtual void field(std::string_view key, bool& value, std::string_view help) = 0;
  virtual void field(std::string_view key, int64_t& value, std::string_view help) = 0;
  virtual void field(std::string_view key, double& value, std::string_view help) = 0;
  virtual void field(std::string_view key, std::string& value, std::string_view help) = 0;
  virtual void field(std::string_view key, std::vector<int64_t>& value, std::string_view help) = 0;
  virtual void field(std::string_view key, std::vector<std::string>& value, std::string_view help) = 0;

  // A table whose keys are not ours: those of a library, say. Keys with dots may be written with or without quotes.
  virtual void pairs(std::string_view key, std::vector<std::pair<std::string, std::string>>& values,
                     std::string_view help) = 0;

  // A number, or the one word that stands for no number: temperature = 0.1 or "learned".
  virtual void number_or(std::string_view key, std::optional<double>& value, std::string_view word,
                         std::string_view help) = 0;

  // An enumeration by its names. The names true and false are written in a config without quotes.
  template <class E>
  void choice(std::string_view key, E& value, const std::vector<std::pair<std::string, E>>& names,
              std::string_view help) {
    std::vector<std::string> words;
    size_t chosen = 0;
    for (size_t i = 0; i < names.size(); ++i) {
      words.push_back(names[i].first);
      if (names[i].second == value) chosen = i;
    }
    value = names[one_of(key, chosen, words, help)].second;
  }

  // A table [key], and a list of tables [[key]]. A given list replaces the present one; a key that one of its tables
  // leaves out has T's default. unwritten: an empty one leaves no `key = []` in a config, so that tables can be added
  // below; its default must be empty, too.
  enum class IfEmpty : uint8_t { written, unwritten };
  virtual void section(std::string_view key, std::string_view help,
                       const std::function<void(OptionVisitor&)>& describe) = 0;
  template <class T>
  void list(std::string_view key, std::vector<T>& values, std::string_view help,
            const std::function<void(OptionVisitor&, T&)>& describe_one, IfEmpty if_empty = IfEmpty::written) {
    size_t n = values.size();
    if (begin_list(key, n, help, if_empty)) values.assign(n, T{});
    T standard{};
    for (size_t i = 0; i < values.size(); ++i)
      list_item(
          key, i, [&](OptionVisitor& f) { describe_one(f, values[i]); },
          [&](OptionVisitor& f) { describe_one(f, standard); });
  }

 protected:
  virtual size_t one_of(std::string_view key, size_t chosen, const std::vector<std::string>& words,
                        std::string_view help) = 0;
  // Sets n to the number of given tables and returns true. false: no such list is given, so keep the present one.
  virtual bool begin_list(std::string_view key, size_t& n, std::string_view help, IfEmpty if_empty) = 0;
  // `describe_default` describes an element with every default.
  virtual void list_item(std::string_view key, size_t i, const std::function<void(OptionVisitor&)>& describe,
                         const std::function<void(OptionVisitor&)>& describe_default) = 0;
};

}  // namespace pagoda
