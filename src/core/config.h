// TOML text to option structs and back. The only file that sees the TOML library is config.cpp.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/option_visitor.h"

namespace pagoda {

struct Setting;

// A parsed config, with later settings laid over it.
//
//   Config config = Config::from_file("pagoda.toml");
//   config.set("loss.temperature=0.05");
//   config.read([&](OptionVisitor& f) { describe(f, options); });
//
// read() leaves a value unchanged if the config does not give it. It throws Error{usage}, with file and line, for an
// unknown key (naming the nearest known one), a value of the wrong type, and a word that is not among the choices.
//
// A key that had another name in an earlier version (kRenamedKeys in config.cpp) is read by that name, too. Where a
// person wrote it, in a file or an assignment, a warning gives the new name; Error{usage} if both stand in one file.
class Config {
 public:
  Config();
  static Config from_file(const std::string& path);                  // Error{usage}: missing, or not TOML
  static Config from_text(std::string_view text, std::string name);  // a record of ours: no warning of former names
  ~Config();
  Config(Config&&) noexcept;
  Config& operator=(Config&&) noexcept;

  // "a.b=v", where v is TOML; a v that is not TOML is read as a string. A list element is addressed by its number:
  // "sampling.negatives.1.count=4096".
  void set(std::string_view assignment);

  void read(const std::function<void(OptionVisitor&)>& describe) const;

  // Configs within a config, as in a lab. What is taken is removed from this config and keeps the place it was read
  // at. read() accepts every key that was taken or could have been taken.
  bool has(std::string_view key) const;                    // at the top level
  std::optional<Config> take_table(std::string_view key);  // nothing if the key is not a table
  std::vector<Config> take_tables(std::string_view key);   // [[key]]; Error{usage} if the key is something else
  // The assignments of a table of dotted keys, set = { "loss.temperature" = 0.1, ... }, as they were written.
  // Error{usage} if the key is not such a table.
  std::vector<Setting> take_settings(std::string_view key);
  // A table of dotted keys with lists of values to try, tune = { "loss.temperature" = [0.05, 0.1], ... }: for each key
  // its assignments in order. Error{usage} if a value is not a list, or is an empty one.
  std::vector<std::vector<Setting>> take_choices(std::string_view key);

 private:
  struct Tree;
  std::unique_ptr<Tree> tree_;
};

// One assignment. config.read() applies it to options.
struct Setting {
  std::string key;    // "loss.temperature"
  std::string value;  // for a person: 0.1, none, "[...]" for a list or table
  Config config;
};

// The options as TOML that Config reads back to the same values. Without comments it is a record: it holds every key,
// so that a later version's defaults do not change its meaning. With comments it is for a person: help precedes each
// key, and an element of a list of tables shows its first key, its `kind` and the values that are not the default; the
// first element of a list shows the other keys, commented out.
std::string to_toml(const std::function<void(OptionVisitor&)>& describe, bool with_comments);

// The same TOML with the key names of version 0.1, so that records of both versions can be compared.
std::string with_former_keys(std::string_view toml);

// A text as a TOML string, with its quotes.
std::string toml_quoted(std::string_view text);

}  // namespace pagoda
