// Two-stage search: one model finds candidates, another reranks them ("Embedding-based retrieval in Facebook Search",
// KDD 2020, section 6.2.2).
#pragma once

#include <memory>
#include <vector>

#include "index/index.h"

namespace pagoda::index {

// A search with query [Q | R] finds the best `from` items for Q in `first`, with filter and exclusions; scores them
// anew as <R, second[second_row[item]]>, with the same bits as a search of `second`; and keeps the best k, ties by
// ascending row. A list is never longer than `from`. min_score applies to the new score.
//
// Items that the second model does not know (second_row = UINT32_MAX) come after all that it knows, in the order of the
// first search. They keep their first scores, all lowered by one amount per list where the scores would not descend.
//
// Borrows `first` and `second` [items of the second model, dim], which outlive the index. second_row [first.items()].
// Candidates that the second model scores NaN are left out.
std::unique_ptr<Index> make_cascade_index(const Index& first, math::RowsView second, std::vector<uint32_t> second_row,
                                          size_t from);

}  // namespace pagoda::index
