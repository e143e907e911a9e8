// Completion scripts and manual pages of the commands, from the parser's own tree, so that no flag is missing.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace pagoda::cli {

// The completion script for bash, zsh or fish. Error{usage}: another shell.
std::string completion(const CLI::App& app, const std::string& shell);

// The manual page of a command, in man(7). `name`: "pagoda-simulate-world".
std::string manual_page(const CLI::App& app, const std::string& name);

// Writes pagoda.bash, _pagoda (zsh), pagoda.fish and man1/pagoda*.1 into an existing folder.
void write_pages(const CLI::App& app, const std::string& folder);

}  // namespace pagoda::cli
