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
// read() leaves what is not given as it was, and throws Error{usage} for an unknown key (naming the nearest known one),
// a value of the wrong type, a word that is no choice; each with file and line.
//
// A key that had another name in an earlier version (kRenamedKeys in config.cpp) is read by that name, too. Where a
// person wrote it, in a file or an assignment, a warning gives the new name; Error{usage} if both stand in one file.
class Config {
 public:
  Config();
  static Config from_file(const std::string& path);                  // Error{usage}: missing, or not TOML
  static Config from_text(std::string_view text, std::string name);  // a record of ours: says nothing of former names
  ~Config();
  Config(Config&&) noexcept;
  Config& operator=(Config&&) noexcept;

  // "a.b=v", v in TOML; a v that is not TOML is taken as a string. A list element is addressed by its number:
  // "sampling.negatives.1.count=4096".
  void set(std::string_view assignment);

  void read(const std::function<void(OptionVisitor&)>& describe) const;

  // Configs within a config, as a lab has them. What is taken leaves this one and keeps the place it was read at; to
  // read(), a key that was taken or could have been is a known one.
  bool has(std::string_view key) const;                    // at the top
  std::optional<Config> take_table(std::string_view key);  // nothing when no table stands there
  std::vector<Config> take_tables(std::string_view key);   // [[key]]; Error{usage} when it is something else
  // A table of dotted keys, set = { "loss.temperature" = 0.1, ... }: its assignments, as they were written.
  // Error{usage} for what is no such table.
  std::vector<Setting> take_settings(std::string_view key);
  // A table of dotted keys with lists of values to try, tune = { "loss.temperature" = [0.05, 0.1], ... }: for each key
  // its assignments in order. Error{usage} for a list that is none or empty.
  std::vector<std::vector<Setting>> take_choices(std::string_view key);

 private:
  struct Tree;
  std::unique_ptr<Tree> tree_;
};

// One assignment. read() of `config` lays it over options.
struct Setting {
  std::string key;    // "loss.temperature"
  std::string value;  // in words for a person: 0.1, none, "[...]" of a list or table
  Config config;
};

// The options as TOML that Config reads back to the same values. Without comments it is a record: every key stands in
// it, whatever a later version's defaults are. With comments it is for a person: each key is preceded by its help, and
// an element of a list of tables says only what is not the default, beside its first key and its `kind`; the first
// element of a list shows the other keys, commented out.
std::string to_toml(const std::function<void(OptionVisitor&)>& describe, bool with_comments);

// The same TOML with the names that its keys had in version 0.1, so that records of both versions can be compared.
std::string with_former_keys(std::string_view toml);

// A text as a TOML string, with its quotes.
std::string toml_quoted(std::string_view text);

}  // namespace pagoda
