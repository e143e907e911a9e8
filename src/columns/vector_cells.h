// Whether the lists in a column are vectors: numbers that say something by their size, not words that come back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "columns/column.h"

namespace pagoda::columns {

class VectorCells {
 public:
  // separator: as in Column::for_each_element().
  explicit VectorCells(char separator = '\0') : separator_(separator) {}

  void look(const Column& column, size_t row);
  // How many components each has, where all cells seen are lists of as many numbers (four at least), most of them with
  // a fraction; else 0.
  size_t length() const;

 private:
  char separator_;
  bool fit_ = true;
  size_t cells_ = 0, length_ = 0;
  uint64_t fractions_ = 0;
};

}  // namespace pagoda::columns
