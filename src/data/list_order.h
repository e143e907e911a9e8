// Whether the end of each user's list is like a test part that came with the log, or a random draw of the list is.
//
// A test part that others cut may be each user's latest rows, or rows drawn at random. Without times the file's order
// says which only if it is one of time: lists sorted by item id or by plays end in what is rare, and a model chosen by
// those ends is chosen for the wrong thing.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/interactions.h"

namespace pagoda::data {

struct ListOrder {
  bool random = false;  // draw at random: the ends of the lists are clearly less like the test part
  std::string what;  // by what they differ most: "item id", "popularity of the item", "order of first sight", "weight"
  double end_distance = 0, random_distance = 0;  // to the test part, 0 to 1 (total variation over tenths), by that
};

// Compares test rows with two candidates of equal size, by tenths of the training rows in popularity, in first sight
// and in number of their items, and in weight. Row numbers of `log`; `train`: all that are not test.
ListOrder compare_list_ends(const Interactions& log, std::span<const size_t> train, std::span<const size_t> test,
                            std::span<const size_t> ends, std::span<const size_t> drawn);

}  // namespace pagoda::data
