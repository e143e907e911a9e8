// The vector of a user of whom nothing is known: the answer to a request with neither user, history nor context.
//
// A tower has no direction for such a user, or one that no example taught. The vector is therefore fitted to the
// catalogue after the towers are trained: the constant w whose softmax over all items,
// exp(w . x_i) / sum_j exp(w . x_j), gives the rows of the log the greatest likelihood. It ranks items by popularity as
// far as their vectors can express it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "features/user_encoder.h"
#include "math/matrix.h"

namespace pagoda::model {

// Neither user, history nor context: an example that has this vector.
bool nothing_known(const features::UserExample& example);

// items: [n, dim]; weights: [n], how many rows each item has, not all 0. Returns w, [dim], of unit length if
// `unit_length`. A catalogue above 20,000 items is represented by its 10,000 heaviest items and by as many of the rest,
// evenly by weight. Newton's method with a small ridge: the problem is convex. Same input, same bits.
std::vector<float> fit_unknown_user(math::MatrixView<const float> items, std::span<const double> weights,
                                    bool unit_length);

// The item weights for it: nine tenths are the shares of the newest rows, as a new user asks for the present, and one
// tenth the shares of all rows. `newest` may be empty.
std::vector<double> unknown_user_weights(std::span<const uint64_t> counts, std::span<const uint32_t> newest);

}  // namespace pagoda::model
