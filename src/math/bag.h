// Weighted lists of table rows, one list per example.
#pragma once

#include <cstdint>
#include <vector>

#include "math/ragged.h"

namespace pagoda::math {

// Example i reads sum_n weights[n] table[rows[n]] over its list (empty list: zeros).
struct Bag {
  Ragged<uint32_t> rows;
  std::vector<float> weights;  // parallel to rows.values

  size_t size() const { return rows.size(); }
  void clear() {
    rows.clear();
    weights.clear();
  }
  void add(uint32_t row, float weight) {
    rows.values.push_back(row);
    weights.push_back(weight);
  }
  void close() { rows.close(); }  // ends the list of the current example
};

}  // namespace pagoda::math
