#pragma once

namespace pagoda {

// Of the numbers that go into products. Sums are float in either.
enum class Precision { f32, bf16 };

}  // namespace pagoda
