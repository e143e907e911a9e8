#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "cli/command_tree.h"
#include "cli/pages.h"
#include "core/error.h"

namespace pagoda::cli {

namespace {

std::string escaped(std::string text, std::string_view special) {
  for (size_t at = 0; (at = text.find_first_of(special, at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

// Escapes text for '...' of bash and zsh.
std::string in_quotes(std::string text) {
  for (size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) text.replace(at, 1, "'\\''");
  return text;
}

bool any_option(const CLI::Option&) { return true; }

// The names of the flags for which keep(flag).
std::vector<std::string> flag_names(const CLI::App& app, bool (*keep)(const CLI::Option&)) {
  std::vector<std::string> names;
  for (const auto* option : flags_of(app))
    if (keep(*option)) std::ranges::move(names_of(*option), std::back_inserter(names));
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* sub : commands_of(app)) names.push_back(sub->get_name());
  return names;
}

std::string bash(const CLI::App& app) {
  std::string commands, words, values;
  for (const auto& node : command_tree(app)) {
    const auto path = fmt::format("{}", fmt::join(node.path, " "));
    if (!node.path.empty()) {
      const std::vector<std::string> above(node.path.begin(), node.path.end() - 1);
      commands += fmt::format("      '{} {}') command='{}' ;;\n", fmt::join(above, " "), node.path.back(), path);
    }
    const auto below = command_names(*node.app);
    words += fmt::format("    '{}') flags='{}' commands='{}' values=' {} ' ;;\n", path,
                         fmt::join(flag_names(*node.app, any_option), " "), fmt::join(below, " "),
                         fmt::join(flag_names(*node.app, takes_value), " "));
  }
  return fmt::format(
      R"(# Completion of pagoda for bash, written by `pagoda completion bash`.
_pagoda() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command='' flags='' commands='' values='' i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$command ${{COMP_WORDS[i]}}" in
{}    esac
  done
  case "$command" in
{}  esac
  COMPREPLY=()
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
  elif [[ -n $commands && $values != *" $before "* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  fi  # otherwise files, by -o default
}}
complete -o default -F _pagoda pagoda
)",
      commands, words);
}

// One function per command, with the arguments of zsh's _arguments.
std::string zsh(const CLI::App& app) {
  std::string text = "#compdef pagoda\n# Completion of pagoda for zsh, written by `pagoda completion zsh`.\n";
  for (const auto& node : command_tree(app)) {
    const auto function = fmt::format("_pagoda{}{}", node.path.empty() ? "" : "_", fmt::join(node.path, "_"));
    const auto below = commands_of(*node.app);
    text += fmt::format("\n{}() {{\n", function);
    if (!below.empty()) text += "  local context state state_descr line\n  typeset -A opt_args\n";
    text += fmt::format("  _arguments {}", below.empty() ? "-s" : "-s -C");
    for (const auto* option : flags_of(*node.app)) {
      const auto what = in_quotes(escaped(option->get_description(), "[]:\\"));
      for (const auto& name : names_of(*option))
        text += fmt::format(" \\\n    '{}{}[{}]{}'", takes_value(*option) ? "*" : "", name, what,
                            takes_value(*option) ? ":value:_files" : "");
    }
    if (below.empty()) {
      if (!positionals_of(*node.app).empty()) text += " \\\n    '*:file:_files'";
      text += "\n}\n";
      continue;
    }
    text +=
        " \\\n    '1: :->command' \\\n    '*:: :->words'\n  case $state in\n    command)\n      local -a commands=(\n";
    for (const auto* sub : below)
      text += fmt::format("        '{}:{}'\n", sub->get_name(), in_quotes(escaped(sub->get_description(), ":\\")));
    text += fmt::format("      )\n      _describe command commands ;;\n    words)\n      case $words[1] in\n");
    for (const auto* sub : below)
      text += fmt::format("        {}) {}_{} ;;\n", sub->get_name(), function, sub->get_name());
    text += "      esac ;;\n  esac\n}\n";
  }
  return text + "\n_pagoda \"$@\"\n";
}

std::string fish(const CLI::App& app) {
  std::string text = "# Completion of pagoda for fish, written by `pagoda completion fish`.\n";
  for (const auto& node : command_tree(app)) {
    const auto below = command_names(*node.app);
    // The condition for the node's words: after its path, and before one of its subcommands.
    std::string where;
    for (const auto& word : node.path)
      where += fmt::format("{}__fish_seen_subcommand_from {}", where.empty() ? "" : "; and ", word);
    std::string before_commands = where;
    if (!below.empty())
      before_commands +=
          fmt::format("{}not __fish_seen_subcommand_from {}", where.empty() ? "" : "; and ", fmt::join(below, " "));
    for (const auto* sub : commands_of(*node.app))
      text += fmt::format("complete -c pagoda -n '{}' -f -a {} -d '{}'\n", before_commands, sub->get_name(),
                          escaped(sub->get_description(), "'\\"));
    for (const auto* option : flags_of(*node.app)) {
      text += fmt::format("complete -c pagoda -n '{}'", before_commands.empty() ? "true" : before_commands);
      for (const auto& name : option->get_snames()) text += " -s " + name;
      for (const auto& name : option->get_lnames()) text += " -l " + name;
      text += fmt::format("{} -d '{}'\n", takes_value(*option) ? " -r" : "", escaped(option->get_description(), "'\\"));
    }
  }
  return text;
}

}  // namespace

std::string completion(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash(app);
  if (shell == "zsh") return zsh(app);
  if (shell == "fish") return fish(app);
  fail(ErrorKind::usage, "completion for which shell? bash, zsh or fish, not '{}'", shell);
}

}  // namespace pagoda::cli
