// `pagoda tune`.
#pragma once

namespace CLI {
class App;
}

namespace pagoda::cli {

void add_tune_command(CLI::App& app);

}  // namespace pagoda::cli
