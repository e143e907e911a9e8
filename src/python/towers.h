// The towers for what runs them elsewhere: their weights, and what an encoder makes of users and items. It includes
// nanobind.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <vector>

#include "python/loaded.h"

namespace pagoda::python {

// (description, {name: weights}) of the tower "user" or "item". The arrays lie in the bundle, except those of bf16.
// The description is JSON:
//   dim, normalise, layers
//   bags     what it reads of tables, in the order of the layers' input: name, table, rows, dim, pooling; added: it is
//            added to the output instead
//   dense    names of the plain numbers, which come last in the layers' input
//   history, recency, heads   the longest history, how fast it fades, and the heads of an attention over it
// pooling, of n rows: "one" has at most one; "mean" weighs each 1/n; "root" 1/sqrt(n); "recency" the row of age a,
// which is its place, (1 + a)^-recency, divided by the sum of all;
// "attention" is nn/history_attention.h.
// The weights: "table:" and the name of a table, "layerN.weights" [in, out], "layerN.biases", "unknown_user", and
// "history." and the name of a matrix of the attention.
// Error{usage}: an ensemble, or bare vectors.
nanobind::tuple tower(const Loaded& loaded, const std::string& which);

// {bag: int64 [n, longest], numbers: float [n, dense]}; a list of rows is filled up with -1. Where there is a
// vector unknown_user, nothing_known, bool [n, 1], says which users have it.
nanobind::dict encoded_users(const Loaded& loaded, const std::vector<std::string>& users, bool as_json);
nanobind::dict encoded_items(const Loaded& loaded, const std::string& json);

}  // namespace pagoda::python
