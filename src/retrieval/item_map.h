// A map of the item vectors: their projection on the first two principal components (Pearson 1901).
#pragma once

#include <vector>

#include "math/rows_view.h"

namespace pagoda::retrieval {

// The point of a vector v is ((v - centre) . axes[0], (v - centre) . axes[1]).
struct ItemMap {
  std::vector<uint32_t> items;  // rows of the sample that is shown, ascending
  math::Matrix<float> points;   // [items, 2]
  std::vector<float> centre;    // [D], the sample's mean
  math::Matrix<float> axes;     // [2, D], orthonormal; zeros where no variance is left
  double length = 0;            // mean length of the sample's vectors
  double variance = 0;          // share of the sample's variance in the plane, 0 to 1
};

// Maps at most `max_items` rows of `vectors` [N, D], evenly spread; leaves out rows with a component that is not
// finite.
ItemMap make_item_map(math::RowsView vectors, size_t max_items);

}  // namespace pagoda::retrieval
