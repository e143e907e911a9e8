// Private: a search whose options have boosts, in an index of vectors.
#pragma once

#include <functional>

#include "index/index.h"

namespace pagoda::index {

// The best k by <query, vector> + boost. As no boost is below 0, they are among the best k without boosts, which
// plain_search() finds by the options without theirs, and the boosted items: these are few and scored one by one.
SearchResult boosted_search(ThreadPool& pool, math::RowsView vectors, math::MatrixView<const float> queries,
                            const SearchOptions& options,
                            const std::function<SearchResult(const SearchOptions&)>& plain_search);

}  // namespace pagoda::index
