// Each source that draws has a substream of Stream::negatives of its own, so that adding a source does not change what
// the others draw.
#pragma once

#include <cstdint>

namespace pagoda::sampling::substream {

inline constexpr uint64_t kUniform = 1, kPopularity = 2, kHot = 3;
inline constexpr uint64_t kThresholds = 4;  // which items are searched for thresholds of SL@K
// A substream for every row of the batch: kCold + row, and so on.
inline constexpr uint64_t kCold = uint64_t{1} << 32, kMined = uint64_t{2} << 32, kImpressions = uint64_t{3} << 32;
// Which shard of the catalogue is mined.
inline constexpr uint64_t kShard = uint64_t{4} << 32, kMinedList = uint64_t{5} << 32;

}  // namespace pagoda::sampling::substream
