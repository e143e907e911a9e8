// Item vectors seen from where they spread most: a plane through their mean, by principal components (Pearson 1901).
#pragma once

#include <vector>

#include "math/rows_view.h"

namespace pagoda::retrieval {

// The point of a vector v is ((v - centre) . axes[0], (v - centre) . axes[1]).
struct ItemMap {
  std::vector<uint32_t> items;  // rows of the sample that is shown, rising
  math::Matrix<float> points;   // [items, 2]
  std::vector<float> centre;    // [D], the sample's mean
  math::Matrix<float> axes;  // [2, D], of unit length and at right angles; zeros where there is nothing more to spread
  double length = 0;         // mean length of the sample's vectors
  double variance = 0;       // the share of the sample's variance that the plane holds
};

// Of at most `most` rows of `vectors` [N, D], evenly spread; rows with a component that is not finite are left out.
ItemMap make_item_map(math::RowsView vectors, size_t most);

}  // namespace pagoda::retrieval
