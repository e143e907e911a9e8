// `pagoda simulate world | frequency`.
#pragma once

namespace CLI {
class App;
}

namespace pagoda::cli {

void add_simulate_command(CLI::App& app);

}  // namespace pagoda::cli
