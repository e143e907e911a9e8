// In what two configs differ, key by key.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dataset/options.h"

namespace pagoda::lab {

using KeyValues = std::vector<std::pair<std::string, std::string>>;  // "loss.temperature": "0.1", as TOML

// Every key with its value, in the order of the config. A list of tables is one value, its tables with what is not the
// default: "sampling.negatives": [{ source = "in_batch" }, { source = "uniform", count = 64 }].
KeyValues flat_config(const dataset::Options& options);

// What `other` has of the keys in which it differs from `base`.
KeyValues differences(const dataset::Options& base, const dataset::Options& other);

}  // namespace pagoda::lab
