#include "tune/sequence.h"

#include <array>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::tune {

namespace {

constexpr uint64_t kShift = 0x7368696674ull;  // apart from the draws of any trial
constexpr size_t kBits = 32;

struct Direction {
  uint32_t degree, coefficients;  // of the primitive polynomial, without its first and last term
  std::array<uint32_t, 7> first;
};
// Of the second dimension and the following: the first lines of new-joe-kuo-6.
constexpr Direction kDirections[kMostDimensions - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
};

std::array<uint32_t, kBits> directions_of(size_t dimension) {
  std::array<uint32_t, kBits> v{};
  if (dimension == 0) {
    for (size_t i = 0; i < kBits; ++i) v[i] = 1u << (kBits - 1 - i);
    return v;
  }
  const auto& d = kDirections[dimension - 1];
  for (size_t i = 0; i < d.degree; ++i) v[i] = d.first[i] << (kBits - 1 - i);
  for (size_t i = d.degree; i < kBits; ++i) {
    v[i] = v[i - d.degree] ^ (v[i - d.degree] >> d.degree);
    for (uint32_t k = 1; k < d.degree; ++k)
      if (d.coefficients >> (d.degree - 1 - k) & 1) v[i] ^= v[i - k];
  }
  return v;
}

}  // namespace

double draw(uint64_t seed, uint64_t n, uint64_t i) {
  return static_cast<double>(mix64(mix64(mix64(seed) ^ n) ^ i) >> 11) * 0x1p-53;
}

std::vector<double> sequence_point(uint64_t seed, uint64_t n, size_t dimensions) {
  check(dimensions <= kMostDimensions, "there are direction numbers for each dimension");
  std::vector<double> point;
  for (size_t k = 0; k < dimensions; ++k) {
    const auto v = directions_of(k);
    auto bits = static_cast<uint32_t>(draw(seed, kShift, k) * 0x1p32);
    for (size_t i = 0; i < kBits; ++i)
      if (n >> i & 1) bits ^= v[i];
    point.push_back(static_cast<double>(bits) * 0x1p-32);
  }
  return point;
}

}  // namespace pagoda::tune
