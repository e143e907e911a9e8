#include "columns/event_words.h"

#include <gtest/gtest.h>

namespace pagoda::columns {
namespace {

TEST(EventWords, AreKnownInAnySpelling) {
  for (const auto* word : {"add_to_cart", "AddToCart", "add to cart", "ADDTOCART"})
    EXPECT_EQ(strength_of_event(word), EventStrength::middle) << word;
  EXPECT_EQ(strength_of_event("Remove_From_Cart"), EventStrength::against);
  EXPECT_EQ(strength_of_event("pv"), EventStrength::weak);
  EXPECT_EQ(strength_of_event("page_view"), EventStrength::weak);
  EXPECT_EQ(strength_of_event("clicked"), EventStrength::middle);
  EXPECT_EQ(strength_of_event("transaction"), EventStrength::strong);
  for (const auto* other : {"something", "", "1", "u17", "carted away"})
    EXPECT_FALSE(strength_of_event(other)) << other;
}

}  // namespace
}  // namespace pagoda::columns
