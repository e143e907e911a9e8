// A layered index: one index over another, which adds items and hides some of those below.
#pragma once

#include <memory>

#include "index/index.h"

namespace pagoda::index {

// Rows [0, below.items()) are those of `below`, of which a search finds only the `shown`; row below.items() + i is row
// i of `above`. A search merges the results of both layers into one ranking, and finds k items whenever k match. Two
// exact indexes together give the result of an exact index over all vectors. Borrows all three arguments, which outlive
// the index.
std::unique_ptr<Index> make_layered_index(const Index& below, const math::ItemSet& shown, const Index& above);

}  // namespace pagoda::index
