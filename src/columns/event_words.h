// Values of a column that says what a user did: "pv", "view", "add to cart", "purchase".
#pragma once

#include <optional>
#include <string_view>

namespace pagoda::columns {

// What an event says of the wish for an item.
enum class EventStrength {
  against,  // dislike, unlike, remove_from_cart
  weak,     // view, impression
  middle,   // click, like, cart
  strong,   // purchase
};

// Letter case, blanks and punctuation do not matter. Nothing for a value that is no such word.
std::optional<EventStrength> strength_of_event(std::string_view value);

}  // namespace pagoda::columns
