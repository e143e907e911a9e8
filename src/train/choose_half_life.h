// Whether newer rows should weigh more (train.half_life = "auto").
#pragma once

#include <cstdint>
#include <string>

#include "core/thread_pool.h"
#include "dataset/dataset.h"
#include "dataset/options.h"

namespace pagoda::train {

// The half-life of a row's weight in microseconds, 0 for none; `said` receives a sentence if one was chosen.
// "auto" calls find_half_life() only in a log where popularity predicts best: where recommending the most popular items
// of the newest tenth of the training rows has a better recall@k, on the users of the validation part, than item-kNN of
// all training rows; k is the first of evaluate.k. In other logs, weights by age lose more of what users have in common
// than they gain, so all rows weigh the same.
int64_t choose_half_life(ThreadPool& pool, const dataset::Dataset& data, const dataset::Relevant& validation,
                         const dataset::Options& options, std::string* said);

}  // namespace pagoda::train
