// Memory of ours as arrays of NumPy, without a copy. It includes nanobind.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "math/matrix.h"

namespace pagoda::python {

template <class T>
using Array = nanobind::ndarray<nanobind::numpy, T>;

// The array keeps `owner`, in which `data` lies.
template <class T, class Owner>
Array<T> array_over(Owner&& owner, T* (*data)(Owner&), std::initializer_list<size_t> shape) {
  auto* held = new Owner(std::forward<Owner>(owner));
  nanobind::capsule keeper(held, [](void* p) noexcept { delete static_cast<Owner*>(p); });
  return Array<T>(data(*held), shape, keeper);
}

template <class T>
Array<T> array_of(std::vector<T>&& values, std::initializer_list<size_t> shape) {
  return array_over<T, std::vector<T>>(std::move(values), [](std::vector<T>& v) { return v.data(); }, shape);
}

inline Array<float> array_of(math::Matrix<float>&& matrix) {
  const size_t rows = matrix.rows(), cols = matrix.cols();
  return array_over<float, math::Matrix<float>>(std::move(matrix), [](math::Matrix<float>& m) { return m.data(); },
                                                {rows, cols});
}

}  // namespace pagoda::python
