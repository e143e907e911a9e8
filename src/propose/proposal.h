// What `pagoda init` proposes: the config that suits a log and its tables, and remarks on it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataset/options.h"

namespace pagoda::propose {

// What a person has specified. Empty texts are inferred from names and values.
struct Request {
  std::vector<std::string> interactions;                    // the log: files or globs
  std::string items, users;                                 // the tables
  std::vector<std::string> item_vectors{}, user_vectors{};  // files of vectors
  std::string user, item;                                   // columns of the log, as are the next four
  std::optional<std::string> time, weight, clicked;         // "": there is none
  std::vector<std::string> context;                         // "" alone: there is none
  std::string positive, where;                              // expressions of data.positive and data.where
  std::string event;                        // column of the kinds of events; "": found, if `events` are given
  std::vector<std::string> events;          // of data.events: "view=history"; a name alone is positive
  std::string format, separator, encoding;  // of the log, as are the next two
  std::vector<std::string> columns;
  bool no_header = false;
  bool split_told = false;             // the options already hold the split
  std::string config = "pagoda.toml";  // where the config will be, for the commands that remarks quote
};

// The config in the making, and the remarks above it, a sentence or two each: questions that a person may answer
// better, with the flag that answers them; what was seen; the choices.
struct Proposal {
  dataset::Options options;
  std::vector<std::string> questions, seen, choices;
  std::vector<std::string> written;  // tables of the log's own columns

  void remove_written() const;  // if the config is not written after all

  template <class... Args>
  void ask(fmt::format_string<Args...> format, Args&&... args) {
    questions.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  // Keeps one of equal sentences: a file is read twice, for its columns and for its ids.
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    auto text = fmt::format(format, std::forward<Args>(args)...);
    if (std::ranges::find(choices, text) == choices.end()) choices.push_back(std::move(text));
  }
  // All remarks in order, a line each, without control characters.
  std::vector<std::string> lines() const;
  // The same as comments at the top of the config; `next` is the command to go on with.
  std::string comments(std::string_view next) const;
};

// Reads the whole log and tables. `told` holds the options that are given already; the rest is chosen. Error{input}: a
// file that cannot be read, or a role without a column; Error{usage}: a named column that does not exist.
Proposal propose_config(const Request& request, dataset::Options told);
// The same, starting from train::suited_options(). The assignments a.b=v come first, and override what is proposed.
Proposal propose_config_with(const Request& request, const std::vector<std::string>& set);

}  // namespace pagoda::propose
