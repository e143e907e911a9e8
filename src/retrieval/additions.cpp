#include "retrieval/additions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "columns/decimal.h"

namespace pagoda {
namespace {

std::optional<int64_t> whole_number(const std::string& text) {
  const auto number = Decimal::parse(text);
  return number ? number->as_int64() : std::nullopt;
}

// As the column holds it.
std::optional<double> real_number(const std::string& text, RealPrecision precision) {
  const auto number = Decimal::parse(text);
  const double nearest = number ? nearest_in(precision, *number) : INFINITY;
  return std::isfinite(nearest) ? std::optional(nearest) : std::nullopt;
}

std::optional<int64_t> true_or_false(const std::string& text) {
  const auto key = value_key(text);
  return key == "true" ? std::optional<int64_t>(1) : key == "false" ? std::optional<int64_t>(0) : std::nullopt;
}

template <class T>
bool push_or_null(Column& column, const std::optional<T>& value, void (Column::*push)(T)) {
  if (value)
    (column.*push)(*value);
  else
    column.push_null();
  return value.has_value();
}

}  // namespace

bool push_brought(Column& column, const RequestFeature* brought) {
  const bool fits = brought && (column.type == ColumnType::texts || !brought->is_list);
  if (!fits) {
    column.push_null();
    return !brought;
  }
  const auto& values = brought->values;
  switch (column.type) {
    case ColumnType::text: column.push_text(values[0]); return true;
    case ColumnType::integer: return push_or_null(column, whole_number(values[0]), &Column::push_integer);
    case ColumnType::real: return push_or_null(column, real_number(values[0], column.precision), &Column::push_real);
    case ColumnType::decimal: {
      const auto number = Decimal::parse(values[0]);
      number ? column.push_text(number->text()) : column.push_null();
      return number.has_value();
    }
    case ColumnType::time: return push_or_null(column, parse_time_us(values[0]), &Column::push_integer);
    case ColumnType::boolean: return push_or_null(column, true_or_false(values[0]), &Column::push_integer);
    case ColumnType::texts:
      for (const auto& value : values) column.push_element(value);
      column.end_list();
      return true;
  }
  return false;
}

void push_item(Attributes& items, const ItemChange& item) {
  items.ids.add(item.item);
  for (auto& column : items.columns) {
    const auto at = std::ranges::find(item.attributes, column.name, &RequestFeature::name);
    push_brought(column, at == item.attributes.end() ? nullptr : &*at);
  }
}

Additions::Additions(std::shared_ptr<const Bundle> bundle, Layer below)
    : bundle_(std::move(bundle)), below_(std::move(below)), vectors_(0, bundle_->item_vectors().cols()),
      shown_(bundle_->item_ids().size() + (below_ ? below_->items_.rows() : 0), true) {
  for (const auto& column : bundle_->item_attributes().columns) items_.columns.push_back(column.without_rows());
}

void Additions::hide(std::string_view item) {
  if (const auto row = bundle_->item_ids().find(item); row != Interner::kNone) shown_.remove(row);
  if (!below_) return;
  if (const auto row = below_->items_.ids.find(item); row != Interner::kNone)
    shown_.remove(bundle_->item_ids().size() + row);
}

void Additions::take(const Additions& from, std::span<const uint32_t> rows, BackgroundThrottle* throttle) {
  const size_t before = vectors_.rows(), dim = bundle_->item_vectors().cols();
  Matrix<float> vectors(before + rows.size(), dim);
  for (size_t i = 0; i < before; ++i) {
    std::copy_n(vectors_[i], dim, vectors[i]);
    yield_every_64(throttle, i);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    yield_every_64(throttle, i);
    items_.ids.add(from.items_.ids[rows[i]]);
    for (size_t c = 0; c < items_.columns.size(); ++c) items_.columns[c].push_cell(from.items_.columns[c], rows[i]);
    std::copy_n(from.vectors_[rows[i]], dim, vectors[before + i]);
  }
  vectors_ = std::move(vectors);
}

// Filters have what they had of `like` (or nullptr): else the next search would wait until it is there.
void Additions::finish(const Indexing& index, const Additions* like, BackgroundThrottle* throttle) {
  for (uint32_t row = 0; row < items_.rows(); ++row) {
    yield_every_64(throttle, row);
    if (const auto below = bundle_->item_ids().find(items_.ids[row]); below != Interner::kNone)
      in_place_of_[below] = row;
  }
  std::vector<uint32_t> rows(items_.rows());
  std::iota(rows.begin(), rows.end(), 0u);
  filters_ = std::make_unique<const FilterIndex>(items_, rows, items_.rows());
  if (like) filters_->arrange(like->filters_->arranged(), throttle);
  index_ = index(vectors_);
}

Additions::Additions(std::shared_ptr<const Bundle> bundle, Layer below, const Additions* before,
                     const std::vector<ItemChange>& changes, const ItemEncoding& encode, BackgroundThrottle* throttle)
    : Additions(std::move(bundle), std::move(below)) {
  // The last change of an item is the one that counts.
  std::unordered_map<std::string_view, size_t> last;
  for (size_t c = 0; c < changes.size(); ++c) last[changes[c].item] = c;

  if (before) {
    shown_ = before->shown_;
    std::vector<uint32_t> kept;
    for (uint32_t row = 0; row < before->items_.rows(); ++row) {
      yield_every_64(throttle, row);
      if (!last.contains(before->items_.ids[row])) kept.push_back(row);
    }
    take(*before, kept, throttle);
  }
  Additions brought(bundle_, nullptr);
  for (size_t c = 0; c < changes.size(); ++c) {
    const auto& change = changes[c];
    yield_every_64(throttle, c);
    if (last[change.item] != c) continue;
    hide(change.item);
    if (!change.deleted) push_item(brought.items_, change);
  }
  if (brought.items_.rows() > 0) {
    brought.vectors_ = encode(brought.items_.ids, brought.items_);
    std::vector<uint32_t> rows(brought.items_.rows());
    std::iota(rows.begin(), rows.end(), 0u);
    take(brought, rows, throttle);
  }
  finish(make_exact_index, before, throttle);
}

Additions::Layer Additions::merged(const Additions* below, const Additions& above, const Indexing& index,
                                   BackgroundThrottle* throttle) {
  std::shared_ptr<Additions> both(new Additions(above.bundle_, nullptr));
  const auto bottom = above.bundle_->item_ids().size();
  both->shown_ = above.shown_.slice(0, bottom);
  if (below) {
    both->shown_ &= below->shown_;
    auto rows = above.shown_.slice(bottom, above.rows_below()).rows();
    both->take(*below, rows, throttle);
  }
  std::vector<uint32_t> rows(above.items_.rows());
  std::iota(rows.begin(), rows.end(), 0u);
  both->take(above, rows, throttle);
  both->finish(index, &above, throttle);
  return both;
}

Additions::Layer Additions::over(Layer below, const Additions& above, const std::unordered_set<std::string>& changed,
                                 BackgroundThrottle* throttle) {
  std::shared_ptr<Additions> out(new Additions(above.bundle_, std::move(below)));
  for (const auto& item : changed) {
    out->hide(item);
    yield_to_foreground(throttle);
  }
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < above.items_.rows(); ++row) {
    yield_every_64(throttle, row);
    if (changed.contains(std::string(above.items_.ids[row]))) rows.push_back(row);
  }
  out->take(above, rows, throttle);
  out->finish(make_exact_index, &above, throttle);
  return out;
}

}  // namespace pagoda
