// The options of both towers.
#pragma once

#include <cstdint>

#include "core/option_visitor.h"
#include "math/precision.h"

namespace pagoda::model {

struct ModelOptions {
  int64_t dim = 64;                                        // of the user and item vectors
  bool normalise = true;                                   // to unit length: the score is a cosine
  math::Precision precision = math::Precision::f32;        // of the products in the loss; parameters stay float
  math::Precision table_precision = math::Precision::f32;  // of the table rows
  double dropout = 0.0;                                    // share of hidden units dropped in a training step
};

void describe(OptionVisitor& fields, ModelOptions& options);
void validate(const ModelOptions& options);

}  // namespace pagoda::model
