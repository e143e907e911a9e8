// An index laid over another: the items that it adds, and those below that it hides, which do not come back.
#pragma once

#include <memory>

#include "index/index.h"

namespace pagoda::index {

// Rows [0, below.items()) are those of `below`, of which only the `shown` come back; row below.items() + i is row i of `above`.
// A search is what one of `below` finds among the shown ones and one of `above`, in one ranking: k come back whenever k match,
// and from two exact indexes the answer is that of an exact index of all the vectors. All three are borrowed and outlive the
// index.
std::unique_ptr<Index> make_layered_index(const Index& below, const math::ItemSet& shown, const Index& above);

}  // namespace pagoda::index
