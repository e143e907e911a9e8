// The half-life of a row's weight in training (train.half_life), which says how fast popularity changes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataset/dataset.h"

namespace pagoda::dataset {

// The half-life in microseconds, 0 for none. `option` "" is none, a duration is itself, and "auto" finds one: each
// training row weighs 2^(-age / half-life), and the half-life is taken whose weighted item shares best predict the rows
// of the validation part. The score is the mean log-likelihood of those rows under a mixture of the weighted shares
// (nine tenths), the shares of all rows, and a little for every item. Candidates are the span of the training part, its
// half, its quarter, ... down to an hour. The result is 0 without times or a validation part, or if no half-life is
// better than none by 0.01. `said` receives a sentence.
int64_t find_half_life(const Dataset& data, const std::string& option, std::string* said);

// The weight of a row of this age.
double age_weight(int64_t age_us, int64_t half_life_us);

}  // namespace pagoda::dataset
