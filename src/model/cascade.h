// A cascade of two bundles: the second reranks the candidates of the first.
#pragma once

#include "index/cascade.h"
#include "model/bundle.h"

namespace pagoda::model {

// An index that reranks the first's best `from` candidates by the second. Its queries are cascade_queries(); its items
// are rows of the first bundle's catalogue, joined to the second's by id. Borrows both. Error{usage}: one of them holds
// bare vectors.
std::unique_ptr<index::Index> make_cascade(const Bundle& first, const Bundle& second, size_t from);

// Error{usage}: k > from.
void check_cascade_length(size_t k, size_t from);

// The queries [n, dim of the first + dim of the second] from the user vectors of both models.
math::Matrix<float> cascade_queries(math::MatrixView<const float> first, math::MatrixView<const float> second);

}  // namespace pagoda::model
