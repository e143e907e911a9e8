// Weights of an ensemble, chosen on validation.
#pragma once

#include <string>
#include <vector>

#include "model/ensemble.h"

namespace pagoda::evaluate {

struct ChosenWeights {
  std::vector<double> weights;  // one per part; they add up to 1
  double value = 0;             // of the metric with them
  double best_alone = 0;        // of the best part by itself
};

// Tries weights in steps of 1/20 of the sum: equal ones, each part alone, then the share of one part after another as
// long as that helps. Judges them by `metric` ("recall@100") on the validation part of the first bundle's data (read
// and split again), with what was known of the users at its beginning, as in training; never on the test part. The
// weights that the parts bring are ignored. Error{usage}: a bundle was refit on its validation part; there is no
// validation part.
ChosenWeights choose_weights(ThreadPool& pool, const std::vector<model::EnsemblePart>& parts,
                             const std::string& metric);

}  // namespace pagoda::evaluate
