// Private: walks the parser's commands, for completion scripts and manual pages.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace pagoda::cli {

struct CommandNode {
  std::vector<std::string> path;  // {"simulate", "world"}; empty for the program itself
  const CLI::App* app;
};

// The subcommands that --help shows.
inline std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

// The program and all its commands, each before its subcommands.
inline std::vector<CommandNode> command_tree(const CLI::App& app, std::vector<std::string> path = {}) {
  std::vector<CommandNode> nodes{{path, &app}};
  for (const auto* sub : commands_of(app)) {
    auto below = path;
    below.push_back(sub->get_name());
    for (auto& node : command_tree(*sub, below)) nodes.push_back(std::move(node));
  }
  return nodes;
}

// The flags that --help shows; former names are in no group.
inline std::vector<const CLI::Option*> flags_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* o) { return o->nonpositional() && !o->get_group().empty(); });
}
inline std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* o) { return o->get_positional(); });
}
inline bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// "-o", "--output"
inline std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const auto& name : option.get_snames()) names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

}  // namespace pagoda::cli
