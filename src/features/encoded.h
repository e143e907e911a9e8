// The input of a tower: rows of embedding tables, and numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "math/bag.h"
#include "math/matrix.h"

namespace pagoda::features {

// A batch of examples for one tower. The encoder's layout gives names and sizes.
struct EncodedBatch {
  size_t size = 0;
  std::vector<math::Bag> bags;
  bool successive = false;    // the history of a row often begins with all of that of the row before it
  math::Matrix<float> dense;  // [size, dense width]; no columns if there are no plain numbers
};

// The table of one bag.
enum class BagReads : uint8_t {
  values,         // an id, or the values of a feature
  history,        // lists of the user's items, the latest first
  event_history,  // those of one kind of event, beside the history
};

struct BagLayout {
  std::string name;  // of the feature, unique in the layout; its table is stored under it
  uint32_t rows = 0;
  size_t dim = 0;
  bool item_ids = false;  // the rows are those of the item id vocabulary, so the item tower's id table can serve
  uint32_t buckets = 0;   // how many of the last rows are hash buckets, which training may never reach
  bool of_ids = false;    // an id or a history, not a feature: where towers sum, it is added as it is
  BagReads reads = BagReads::values;
};

struct TowerLayout {
  std::vector<BagLayout> bags;
  size_t dense = 0;

  // Adds a number to a name that is taken: one column may be read in two ways.
  void add(BagLayout bag) {
    const auto taken = [&](const std::string& name) {
      return std::any_of(bags.begin(), bags.end(), [&](const BagLayout& b) { return b.name == name; });
    };
    std::string name = bag.name;
    for (int n = 2; taken(name); ++n) name = bag.name + "#" + std::to_string(n);
    bag.name = std::move(name);
    bags.push_back(std::move(bag));
  }
};

}  // namespace pagoda::features
