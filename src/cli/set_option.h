// The option --set, which every command with a config has. Private to this room.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace pagoda::cli {

inline void add_set_option(CLI::App& command, std::vector<std::string>& assignments,
                           const std::string& help = "a.b=v, over the config; may be repeated") {
  command.add_option("--set", assignments, help)->take_all()->allow_extra_args(false);
}

}  // namespace pagoda::cli
