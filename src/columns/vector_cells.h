// Recognises columns of vectors: lists of numbers that are quantities, not words that recur.
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
  // The number of components, if all cells seen are lists of equally many numbers (at least four), most of which have a
  // fraction; else 0.
  size_t length() const;

 private:
  char separator_;
  bool fit_ = true;
  size_t cells_ = 0, length_ = 0;
  uint64_t fractions_ = 0;
};

}  // namespace pagoda::columns
