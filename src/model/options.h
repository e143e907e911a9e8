// The shape both towers share.
#pragma once

#include <cstdint>

#include "core/option_visitor.h"
#include "math/precision.h"

namespace pagoda::model {

struct ModelOptions {
  int64_t dim = 64;                                  // of the vectors both towers end in
  bool normalise = true;                             // to unit length: the score is a cosine
  math::Precision precision = math::Precision::f32;  // of what training multiplies in the loss; parameters stay float
  math::Precision table_precision = math::Precision::f32;  // how table rows are kept
  double dropout = 0.0;                                    // share of hidden units switched off in a training step
};

void describe(OptionVisitor& fields, ModelOptions& options);
void validate(const ModelOptions& options);

}  // namespace pagoda::model
