// Random numbers that depend on (seed, stream, step, substream) alone: step 7 of stream `shuffle` draws the same
// numbers in a run that was never stopped, in a resumed one, and on any number of threads.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

namespace pagoda {

// What the numbers are for. A new use takes a new number, so that it does not change what the others draw.
enum class Stream : uint64_t {
  initialise = 1,
  shuffle = 2,
  negatives = 3,
  dropout = 4,
  split = 5,
  history = 6,
  hash = 7,
  simulate = 8,
  bootstrap = 9,
  test = 10,
  positives = 11,
  index = 12,
  simulate_impressions = 13,
  baselines = 14,
};

// A strong 64-bit mix (the finaliser of SplitMix64): equal inputs, equal outputs, no state.
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// xoshiro256** (Blackman, Vigna 2018), its state filled from the key by SplitMix64. Cheap to construct: make one per
// (stream, step, row) rather than share one. Not thread-safe.
class Rng {
 public:
  using result_type = uint64_t;
  Rng(uint64_t seed, Stream stream, uint64_t step = 0, uint64_t substream = 0) {
    uint64_t key = mix64(mix64(mix64(seed) ^ static_cast<uint64_t>(stream)) ^ step) ^ mix64(substream + 0x51ed2701);
    for (auto& s : state_) s = key = mix64(key);
  }

  uint64_t operator()() {
    const uint64_t result = rotl(state_[1] * 5, 7) * 9, t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotl(state_[3], 45);
    return result;
  }
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return UINT64_MAX; }

  double uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }  // [0, 1)

  // Uniform in [0, n), n > 0, without bias (Lemire 2019).
  uint64_t below(uint64_t n) {
    auto product = static_cast<unsigned __int128>((*this)()) * n;
    if (static_cast<uint64_t>(product) < n) {
      const uint64_t threshold = -n % n;
      while (static_cast<uint64_t>(product) < threshold) product = static_cast<unsigned __int128>((*this)()) * n;
    }
    return static_cast<uint64_t>(product >> 64);
  }

  double normal() {  // Box-Muller, one of the pair
    const double u = 1.0 - uniform(), v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }

  template <class T>
  void shuffle(std::span<T> values) {  // Fisher-Yates
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  static constexpr uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  uint64_t state_[4];
};

}  // namespace pagoda
