// A large index with a few items laid over it: added ones, which are scored exactly, and hidden ones, which do not come back.
#pragma once

#include <memory>

#include "index/index.h"

namespace pagoda {

// Rows [0, below.items()) are those of `below`, of which only the `shown` come back; row below.items() + i is added[i]. A
// search is what one of `below` finds among the shown ones and an exact one of `added`, in one ranking: k come back whenever k
// match, and from an exact `below` the answer is that of an exact index of all the vectors. All three are borrowed and outlive
// the index.
std::unique_ptr<Index> make_layered_index(const Index& below, const ItemSet& shown, MatrixView<const float> added);

}  // namespace pagoda
