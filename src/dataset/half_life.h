// How fast what is popular changes: the half-life of a row's weight in training (train.half_life).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataset/dataset.h"

namespace pagoda::dataset {

// The half-life in microseconds, 0 for none. `option`: "" is none, a duration is itself; "auto" is the one with which
// the training rows, each weighing 2^(-age / half-life), foretell the items of the validation part best: by the mean
// log-likelihood of its rows under the weighted shares (nine tenths), those of all rows, and a little for every item.
// The half-lives tried are the span of the training part, its half, its quarter, ... down to an hour. None, if there are
// no times or no validation part, or where no half-life is better than none by 0.01. `said` takes a sentence.
int64_t find_half_life(const Dataset& data, const std::string& option, std::string* said);

// The weight of a row of this age.
double age_weight(int64_t age_us, int64_t half_life_us);

}  // namespace pagoda::dataset
