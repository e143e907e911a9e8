// The differences of two configs, key by key.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dataset/options.h"

namespace pagoda::lab {

using KeyValues = std::vector<std::pair<std::string, std::string>>;  // "loss.temperature": "0.1", as TOML

// Every key with its value, in the order of the config. A list of tables is one value; its tables show what is not the
// default: "sampling.negatives": [{ source = "in_batch" }, { source = "uniform", count = 64 }].
KeyValues flat_config(const dataset::Options& options);

// The keys in which `other` differs from `base`, with the values of `other`.
KeyValues differences(const dataset::Options& base, const dataset::Options& other);

}  // namespace pagoda::lab
