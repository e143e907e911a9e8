// The shape both towers share.
#pragma once

#include <cstdint>

#include "core/fields.h"
#include "math/precision.h"

namespace pagoda {

struct ModelOptions {
  int64_t dim = 64;                            // of the vectors both towers end in
  bool normalise = true;                       // to unit length: the score is a cosine
  Precision precision = Precision::f32;        // of what training multiplies in the loss; parameters stay float
  Precision table_precision = Precision::f32;  // how table rows are kept
  double dropout = 0.0;                        // share of hidden units switched off in a training step
};

void describe(Fields& fields, ModelOptions& options);
void validate(const ModelOptions& options);

}  // namespace pagoda
