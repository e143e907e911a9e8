// Two bundles as a cascade: the second puts in order what the first retrieves.
#pragma once

#include "index/cascade.h"
#include "model/bundle.h"

namespace pagoda::model {

// The first's best `from` put in order by the second. Searches with cascade_queries; items are rows of the first bundle's catalogue, joined to the second's by id. Borrows
// both. Error{usage}: one of them holds bare vectors.
std::unique_ptr<index::Index> make_cascade(const Bundle& first, const Bundle& second, size_t from);

// Error{usage}: lists of k can not be cut from `from` candidates.
void check_cascade_length(size_t k, size_t from);

// [n, dim of the first + dim of the second] from the user vectors of each.
math::Matrix<float> cascade_queries(math::MatrixView<const float> first, math::MatrixView<const float> second);

}  // namespace pagoda::model
