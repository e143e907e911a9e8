// What a server tells about its model.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

struct ModelCard {
  std::string fingerprint, info;                                // JSON
  std::string index;                                            // kind of the index
  std::vector<std::string> context, features, events;           // names that requests may use; of kinds of events
  std::vector<std::pair<std::string, std::string>> attributes;  // name and type
  size_t added_items = 0, hidden_items = 0;
  std::string metrics;  // JSON; "" for none
  std::string config;   // TOML; without `with_paths` it lacks the keys that name files
};

ModelCard model_card(const Retrieval& retrieval, bool with_paths);

}  // namespace pagoda::retrieval
