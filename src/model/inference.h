// Encodes users and items outside of training.
#pragma once

#include <span>
#include <vector>

#include "features/item_encoder.h"
#include "features/user_encoder.h"
#include "model/two_towers.h"

namespace pagoda::model {

// Encoders and towers that belong together. Any number of threads may encode with it.
struct Model {
  features::UserEncoder user_encoder;
  features::ItemEncoder item_encoder;
  TwoTowers<float> towers;
  // The vector of a user of whom nothing is known (unknown_user.h), [dim]; empty: the towers' own.
  std::vector<float> unknown_user;
};

// One row an example / item. Rows are computed in blocks of a fixed height, so a vector has the same bits whether it is
// asked for alone or among thousands, and on any number of threads: training, evaluation and serving agree exactly.
// An example with neither user, history nor context has the vector unknown_user, as has one that the tower gives no
// direction.
math::Matrix<float> user_vectors(ThreadPool& pool, const Model& model, const features::EncodedUsers& cells,
                                 std::span<const features::UserExample> examples);
// moment_us: the time at which the items are looked at (for their age).
math::Matrix<float> item_vectors(ThreadPool& pool, const Model& model, const features::EncodedItems& cells,
                                 int64_t moment_us);

}  // namespace pagoda::model
