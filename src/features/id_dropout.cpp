#include "features/id_dropout.h"

#include <utility>

namespace pagoda::features {

void drop_ids(EncodedBatch& batch, const TowerLayout& layout, double share, Rng rng) {
  const bool of_items = !layout.bags.empty() && layout.bags[0].name == "item.id";
  const bool of_users = !layout.bags.empty() && layout.bags[0].name == "user.id";
  if (share == 0 || (!of_items && !of_users)) return;
  const uint32_t buckets = layout.bags[0].buckets, words = layout.bags[0].rows - buckets;
  math::Bag kept;
  for (size_t i = 0; i < batch.size; ++i) {
    const bool drops = rng.uniform() < share;
    for (uint32_t row : std::as_const(batch.bags[0].rows)[i]) {
      if (drops && of_users) continue;
      if (drops) row = words + static_cast<uint32_t>(rng.below(buckets));
      kept.add(row, 1.f);
    }
    kept.close();
  }
  batch.bags[0] = std::move(kept);
}

}  // namespace pagoda::features
