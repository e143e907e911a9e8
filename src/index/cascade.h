// Two stages of search: one model finds candidates, another puts them in order ("Embedding-based retrieval in Facebook
// Search", KDD 2020, section 6.2.2).
#pragma once

#include <memory>
#include <vector>

#include "index/index.h"

namespace pagoda::index {

// A search with query [Q | R] finds the best `from` items for Q in `first`, filter and exclusions inside; scores
// them anew as <R, second[second_row[item]]>, the same bits as in a search of `second`; and keeps the best k, ties by row
// as everywhere. A list is never longer than `from`. min_score holds for the new score.
//
// Items that the second model does not know (second_row = UINT32_MAX) stand behind all that it knows, in the order of
// the first search. They keep their first scores, lowered by one amount a list where that is needed for scores to fall
// along it.
//
// `first` and `second` [items of the second model, dim] are borrowed and outlive the index. second_row: per item of
// `first`. Candidates that the second model scores NaN do not come back.
std::unique_ptr<Index> make_cascade_index(const Index& first, math::RowsView second, std::vector<uint32_t> second_row,
                                          size_t from);

}  // namespace pagoda::index
