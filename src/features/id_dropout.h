// Id dropout (Volkovs, Yu, Poutanen, NIPS 2017, "DropoutNet: Addressing Cold Start in Recommender Systems"): now and
// then a tower is trained without the id, as it will meet users and items that it does not know. Features then learn
// what they can say alone, and ids add the rest.
#pragma once

#include "core/rng.h"
#include "features/encoded.h"

namespace pagoda::features {

// With probability `share`, the example reads what an unknown id reads: of items a hash bucket, at random, so that
// buckets learn to say nothing; of users no row. Changes the bag of the id, which is the first of a layout that has
// one; nothing where there is none.
void drop_ids(EncodedBatch& batch, const TowerLayout& layout, double share, Rng rng);

}  // namespace pagoda::features
