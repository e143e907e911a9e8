// A config file as a whole: what training reads of it, and what serving does. Each command takes its part; every command
// knows all the keys.
#pragma once

#include <string>
#include <vector>

#include "dataset/options.h"
#include "retrieval/options.h"

namespace pagoda::cli {

struct WholeConfig {
  dataset::Options training;
  retrieval::ServeOptions serve;
};
void describe(OptionVisitor& fields, WholeConfig& config);

// The file (defaults for ""), then the assignments a.b=v over it, laid over what `config` holds. Error{usage}.
void read_config(const std::string& path, const std::vector<std::string>& set, WholeConfig& config);

}  // namespace pagoda::cli
