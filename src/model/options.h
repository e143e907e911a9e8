// The options of both towers.
#pragma once

#include <cstdint>

#include "core/option_visitor.h"
#include "math/precision.h"

namespace pagoda::model {

// How a tower makes one vector of its embeddings.
enum class Combine {
  sum,     // ids and the history, plus what the layers make of the features, plus a bias (a skip connection)
  concat,  // the layers read all of them side by side
};

struct ModelOptions {
  int64_t dim = 64;       // of the user and item vectors
  bool normalise = true;  // to unit length: the score is a cosine
  Combine combine = Combine::concat;
  math::Precision precision = math::Precision::f32;        // of the products in the loss; parameters stay float
  math::Precision table_precision = math::Precision::f32;  // of the table rows
  double dropout = 0.0;                                    // share of hidden units dropped in a training step
};

void describe(OptionVisitor& fields, ModelOptions& options);
void validate(const ModelOptions& options);

}  // namespace pagoda::model
