// Lists of different lengths in two arrays: list i is values[offsets[i] .. offsets[i + 1]).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pagoda::math {

template <class T>
struct Ragged {
  std::vector<uint64_t> offsets{0};  // n + 1 values, ascending from 0
  std::vector<T> values;

  size_t size() const { return offsets.size() - 1; }
  std::span<const T> operator[](size_t i) const {
    return {values.data() + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
  std::span<T> operator[](size_t i) {
    return {values.data() + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
  void push(std::span<const T> list) {
    values.insert(values.end(), list.begin(), list.end());
    close();
  }
  void close() { offsets.push_back(values.size()); }  // ends the list that was appended to `values`
  void clear() {
    offsets.assign(1, 0);
    values.clear();
  }
};

}  // namespace pagoda::math
