// Rows of vectors as functions take and give them.
#pragma once

#include <pagoda/error.h>

#include <cstddef>
#include <span>
#include <vector>

namespace pagoda {

// [rows, dim] of float32, row by row without gaps. Borrows: the memory outlives the call that it is given to.
struct VectorsView {
  const float* data = nullptr;
  std::size_t rows = 0, dim = 0;

  VectorsView() = default;
  VectorsView(const float* values, std::size_t rows_of_them, std::size_t dim_of_each)
      : data(values), rows(rows_of_them), dim(dim_of_each) {}
  // As many rows as the values fill. Error{usage}: they do not fill whole rows of `dim_of_each` components.
  VectorsView(std::span<const float> values, std::size_t dim_of_each)
      : data(values.data()), rows(dim_of_each == 0 ? 0 : values.size() / dim_of_each), dim(dim_of_each) {
    if (rows * dim != values.size())
      throw Error(ErrorKind::usage,
                  std::to_string(values.size()) + " values are no rows of " + std::to_string(dim_of_each) +
                      " components: give rows * dim of them",
                  "vectors");
  }
  std::span<const float> operator[](std::size_t row) const { return {data + row * dim, dim}; }
};

// The same with its own memory.
struct Vectors {
  std::size_t dim = 0;
  std::vector<float> values;  // rows() * dim

  std::size_t rows() const { return dim == 0 ? 0 : values.size() / dim; }
  std::span<const float> operator[](std::size_t row) const { return {values.data() + row * dim, dim}; }
  operator VectorsView() const { return {values.data(), rows(), dim}; }
};

}  // namespace pagoda
