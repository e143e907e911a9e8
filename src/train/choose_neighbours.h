// The items that go with each, for a model whose towers are trained (model/neighbours.h).
#pragma once

#include <string>

#include "core/thread_pool.h"
#include "dataset/dataset.h"
#include "dataset/options.h"
#include "dataset/training_context.h"

namespace pagoda::train {

// The lists of what the model has learnt from, of the kind that was chosen: none of "none" and "auto". Its shrinkage is
// that of options.neighbours; where this names none, that of the choice for ease (1 where it has none), and a fixed one
// for the others.
model::Neighbours make_neighbours(ThreadPool& pool, const dataset::TrainingContext& fit,
                                  const dataset::Options& options, model::NeighbourChoice choice);

// The weight that gains most on the validation part, and of kind = "auto" the kind, of ease the shrinkage; weight 0:
// the towers alone are as good. The gain is the mean, on a log scale, of those of choose_by, and of recall and ndcg of
// lists of its length and of each shorter one of evaluate.k. What options.neighbours says is left as it is. Says what
// it tried.
model::NeighbourChoice choose_neighbours(ThreadPool& pool, const dataset::Dataset& data,
                                         const dataset::TrainingContext& fit, const dataset::Relevant& validation,
                                         const dataset::Options& options, const std::string& choose_by);

// What the options leave open where nobody can be judged: as `before`, the model that training goes on from, has it;
// without one, towers alone, with a warning. A shrinkage alone is its kind's usual one. before: nullptr: there is none.
model::NeighbourChoice neighbours_unjudged(const model::NeighbourOptions& options, const model::Bundle* before);

}  // namespace pagoda::train
