#include "columns/vector_column.h"

#include <algorithm>
#include <cmath>

#include "columns/list_text.h"
#include "core/error.h"
#include "math/matrix.h"

namespace pagoda::columns {

size_t VectorColumn::missing() const {
  return static_cast<size_t>(std::ranges::count(places_, Interner::kNone, &Place::row));
}

void VectorColumn::read(size_t row, float* out) const {
  const auto [source, at] = places_[row];
  sources_[source].rows.read(at, out);
}

uint32_t VectorColumn::add(Source source) {
  check(source.rows.cols() == width_, "the vectors of a column have one width");
  check(source.owner != nullptr, "a source is kept alive, and known by what keeps it");
  sources_.push_back(std::move(source));
  return static_cast<uint32_t>(sources_.size() - 1);
}

void VectorColumn::push_from(const VectorColumn& from, size_t row) {
  if (!from.has(row)) return push_null();
  const auto [source, at] = from.places_[row];
  const auto& wanted = from.sources_[source];
  const auto known = std::ranges::find_if(sources_, [&](const Source& s) { return s.owner == wanted.owner; });
  push(known == sources_.end() ? add(wanted) : static_cast<uint32_t>(known - sources_.begin()), at);
}

bool VectorRows::push(const Column& column, size_t row) {
  if (column.absent(row)) {
    push_null();
    return true;
  }
  scratch_.clear();
  bool fits = true;
  for_each_listed(column, row, '\0', [&](std::string_view element) {
    const auto number = parse_number(element);
    scratch_.push_back(number ? static_cast<float>(*number) : INFINITY);
    fits = fits && std::isfinite(scratch_.back());
  });
  if (scratch_.empty()) {
    push_null();
    return true;
  }
  fits = fits && (width_ == 0 || scratch_.size() == width_);
  fits ? push(scratch_) : push_null();
  return fits;
}

void VectorRows::push(std::span<const float> vector) {
  if (width_ == 0) width_ = vector.size();
  check(vector.size() == width_, "the vectors of a column have one width");
  at_.push_back(static_cast<uint32_t>(values_.size() / width_));
  values_.insert(values_.end(), vector.begin(), vector.end());
}

std::shared_ptr<const VectorColumn> VectorRows::finish() {
  auto column = std::make_shared<VectorColumn>(std::move(name_), width_);
  const auto values = std::make_shared<const std::vector<float>>(std::move(values_));
  const size_t vectors = width_ == 0 ? 0 : values->size() / width_;
  const auto source = column->add({math::MatrixView<const float>(values->data(), vectors, width_), values});
  for (const uint32_t at : at_) at == Interner::kNone ? column->push_null() : column->push(source, at);
  return column;
}

}  // namespace pagoda::columns
