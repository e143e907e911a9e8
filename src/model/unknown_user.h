// The vector of a user of whom nothing is known: the answer to a request with neither user, history nor context.
//
// A tower has no direction for such a user, or one that no example taught. The vector is therefore fitted to the
// catalogue once the towers are trained: the constant w whose softmax over all items, exp(w . x_i) / sum_j exp(w . x_j),
// gives the rows of the log the greatest likelihood. It ranks items by popularity as far as their vectors can say it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "math/matrix.h"

namespace pagoda::model {

// items: [n, dim]; weights: [n], how many rows each item has, not all 0. Returns w, [dim], of unit length if
// `unit_length`. Of a catalogue above 20,000 items, the 10,000 heaviest and as many of the rest, evenly by weight, stand
// for it. Newton's method with a small ridge: the problem is convex. Same input, same bits.
std::vector<float> fit_unknown_user(math::MatrixView<const float> items, std::span<const double> weights,
                                    bool unit_length);

// The weights of items for it: what the newest rows took, since a user that comes is asked for the present, with a tenth
// of what all rows took. `newest` may be empty.
std::vector<double> unknown_user_weights(std::span<const uint64_t> counts, std::span<const uint32_t> newest);

}  // namespace pagoda::model
