// How far a model has moved from the one that it went on from.
#pragma once

#include "core/thread_pool.h"
#include "model/bundle.h"

namespace pagoda::train {

struct Drift {
  size_t items = 0;        // of the model before
  double mean_cosine = 1;  // of their vectors then and now
  size_t users = 0;        // of the model before, a sample of those with a history
  // Share of their lists of `length` items, user vectors and item vectors of then, that stands in the lists of the same
  // user vectors with the item vectors of now.
  double kept = 1;
  size_t length = 0;
};

Drift measure_drift(ThreadPool& pool, const model::Bundle& before, const model::Bundle& now);
void say_drift(ThreadPool& pool, const model::Bundle& before, const model::Bundle& now);

}  // namespace pagoda::train
