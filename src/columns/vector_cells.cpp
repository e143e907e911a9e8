#include "columns/vector_cells.h"

#include "columns/decimal.h"

namespace pagoda::columns {

void VectorCells::look(const Column& column, size_t row) {
  if (!fit_ || column.is_null(row)) return;
  size_t elements = 0;
  column.for_each_element(row, separator_, [&](std::string_view element) {
    ++elements;
    const auto number = fit_ ? Decimal::parse(element) : std::nullopt;
    fit_ = number.has_value();
    fractions_ += fit_ && !number->is_whole();
  });
  if (elements == 0) return;
  if (cells_++ == 0) length_ = elements;
  fit_ = fit_ && elements == length_;
}

size_t VectorCells::length() const {
  constexpr size_t kFewest = 4;
  return fit_ && length_ >= kFewest && 2 * fractions_ > cells_ * length_ ? length_ : 0;
}

}  // namespace pagoda::columns
