#pragma once

namespace pagoda::math {

// The precision of the factors of products. Sums are float in both cases.
enum class Precision { f32, bf16 };

}  // namespace pagoda::math
