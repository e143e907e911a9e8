// Whether newer rows should weigh more (train.half_life = "auto").
#pragma once

#include <cstdint>
#include <string>

#include "core/thread_pool.h"
#include "dataset/dataset.h"
#include "dataset/options.h"

namespace pagoda::train {

// The half-life of a row's weight in microseconds, 0 for none; `said` takes a sentence where something was chosen.
// "auto": find_half_life(), which asks what of popularity lasts, where popularity is what the log is about: where the most
// popular items of the newest tenth of the training rows have a better recall@k on the users of the validation part than
// item-kNN of all of them, k the first of evaluate.k. Elsewhere weights by age take away more of what users have in
// common than they give: all rows weigh the same.
int64_t choose_half_life(ThreadPool& pool, const dataset::Dataset& data, const dataset::Relevant& validation,
                         const dataset::Options& options, std::string* said);

}  // namespace pagoda::train
