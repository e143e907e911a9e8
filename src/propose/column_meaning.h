// What a column of a log means besides user, item and time, by its name and its values: whether a shown item was taken,
// what happened, how it was liked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/inference.h"

namespace pagoda::propose {

enum class Meaning {
  other,
  answer,      // 0 or 1: whether what was shown was taken
  event,       // which of several things happened: view, cart, purchase
  stars,       // a grade in whole or half steps, up to 5 or 10
  extent,      // how long or how far, in numbers: known only afterwards
  afterwards,  // something else that is known only afterwards: a review, helpful votes
  time,        // a time, beside the column of times
  part,        // which part of a split the row is of: train, test
};

Meaning meaning_of(const data::ColumnGuess& column);

// How plainly a column of answers says that an item was taken: "click" before "is_follow". Smaller is plainer.
size_t rank_of_answer(std::string_view name);

// A column's name, and a value, as the filter language writes them: `Book-Rating`, "add to cart".
std::string field_text(std::string_view name);
std::string value_text(const data::ColumnGuess& column, std::string_view value);
// event in ("cart", "purchase")
std::string one_of_text(const data::ColumnGuess& column, const std::vector<std::string>& values);

}  // namespace pagoda::propose
