#include "columns/event_words.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace pagoda::columns {

namespace {

struct EventWord {
  std::string_view word;  // its letters and digits, in lower case
  EventStrength strength;
};
constexpr auto kAgainst = EventStrength::against, kWeak = EventStrength::weak, kMiddle = EventStrength::middle,
               kStrong = EventStrength::strong;
constexpr EventWord kEventWords[] = {
    {"view", kWeak},
    {"views", kWeak},
    {"viewed", kWeak},
    {"pv", kWeak},
    {"pageview", kWeak},
    {"itemview", kWeak},
    {"productview", kWeak},
    {"detail", kWeak},
    {"detailview", kWeak},
    {"show", kWeak},
    {"shown", kWeak},
    {"impression", kWeak},
    {"exposure", kWeak},
    {"search", kWeak},
    {"browse", kWeak},
    {"open", kWeak},
    {"read", kMiddle},
    {"listen", kMiddle},
    {"play", kMiddle},
    {"watch", kMiddle},
    {"click", kMiddle},
    {"clicked", kMiddle},
    {"clicks", kMiddle},
    {"clk", kMiddle},
    {"like", kMiddle},
    {"love", kMiddle},
    {"fav", kMiddle},
    {"favorite", kMiddle},
    {"favourite", kMiddle},
    {"collect", kMiddle},
    {"wishlist", kMiddle},
    {"addtowishlist", kMiddle},
    {"bookmark", kMiddle},
    {"save", kMiddle},
    {"cart", kMiddle},
    {"carts", kMiddle},
    {"addtocart", kMiddle},
    {"addcart", kMiddle},
    {"basket", kMiddle},
    {"addtobasket", kMiddle},
    {"share", kMiddle},
    {"comment", kMiddle},
    {"follow", kMiddle},
    {"rate", kMiddle},
    {"rating", kMiddle},
    {"vote", kMiddle},
    {"review", kMiddle},
    {"download", kMiddle},
    {"install", kMiddle},
    {"subscribe", kMiddle},
    {"deepview", kMiddle},
    {"checkout", kStrong},
    {"purchase", kStrong},
    {"purchased", kStrong},
    {"buy", kStrong},
    {"transaction", kStrong},
    {"order", kStrong},
    {"orders", kStrong},
    {"sale", kStrong},
    {"booking", kStrong},
    {"conversion", kStrong},
    {"pay", kStrong},
    {"apply", kStrong},
    {"dislike", kAgainst},
    {"unlike", kAgainst},
    {"undislike", kAgainst},
    {"unfollow", kAgainst},
    {"skip", kAgainst},
    {"hide", kAgainst},
    {"report", kAgainst},
    {"hate", kAgainst},
    {"remove", kAgainst},
    {"removefromcart", kAgainst},
    {"removecart", kAgainst},
    {"refund", kAgainst},
    {"return", kAgainst},
    {"cancel", kAgainst},
    {"unsubscribe", kAgainst},
    {"delete", kAgainst},
};

}  // namespace

std::optional<EventStrength> strength_of_event(std::string_view value) {
  std::string plain;
  for (const unsigned char c : value)
    if (std::isalnum(c)) plain += static_cast<char>(std::tolower(c));
  const auto* at = std::ranges::find(kEventWords, plain, &EventWord::word);
  return at == std::end(kEventWords) ? std::nullopt : std::optional(at->strength);
}

}  // namespace pagoda::columns
