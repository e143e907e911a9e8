// What a tower reads: rows of embedding tables, and numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "math/bag.h"
#include "math/matrix.h"

namespace pagoda {

// A batch of examples for one tower. Layout (names and sizes) is the Encoder's.
struct EncodedBatch {
  size_t size = 0;
  std::vector<Bag> bags;
  Matrix<float> dense;  // [size, dense width], no columns when there are no plain numbers
};

// One bag's table.
struct BagLayout {
  std::string name;  // of the feature; its table is stored under it
  uint32_t rows = 0;
  size_t dim = 0;
  bool item_ids = false;  // rows are those of the item id vocabulary, so the item tower's id table can serve
};

struct TowerLayout {
  std::vector<BagLayout> bags;
  size_t dense = 0;
};

}  // namespace pagoda
