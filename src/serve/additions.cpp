#include "serve/additions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pagoda {
namespace {

// A column of the same name and type, without rows.
Column like(const Column& column) {
  Column out;
  out.name = column.name, out.type = column.type;
  return out;
}

std::optional<int64_t> whole_number(const std::string& text) {
  const auto number = parse_number(text);
  constexpr double kExact = 9007199254740992;  // 2^53
  if (!number || *number != std::floor(*number) || std::abs(*number) > kExact) return std::nullopt;
  return static_cast<int64_t>(*number);
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
    case ColumnType::real: return push_or_null(column, parse_number(values[0]), &Column::push_real);
    case ColumnType::time: return push_or_null(column, parse_time_us(values[0]), &Column::push_integer);
    case ColumnType::boolean: {
      const auto value = values[0] == "true"    ? std::optional<int64_t>(1)
                         : values[0] == "false" ? std::optional<int64_t>(0)
                                                : std::nullopt;
      return push_or_null(column, value, &Column::push_integer);
    }
    case ColumnType::texts:
      for (const auto& value : values) column.push_element(value);
      column.end_list();
      return true;
  }
  return false;
}

Additions::Additions(std::shared_ptr<const Bundle> bundle, const Additions* before,
                     const std::vector<ItemChange>& changes, const ItemEncoding& encode)
    : bundle_(std::move(bundle)), shown_(before ? before->shown_ : ItemSet(bundle_->item_ids().size(), true)) {
  // The last change of an item is the one that counts.
  std::unordered_map<std::string_view, size_t> last;
  for (size_t c = 0; c < changes.size(); ++c) last[changes[c].item] = c;

  for (const auto& column : bundle_->item_attributes().columns) items_.columns.push_back(like(column));
  std::vector<uint32_t> kept;
  for (uint32_t row = 0; before && row < before->items_.rows(); ++row)
    if (!last.contains(before->items_.ids[row])) kept.push_back(row);
  for (const uint32_t row : kept) {
    items_.ids.add(before->items_.ids[row]);
    for (size_t c = 0; c < items_.columns.size(); ++c) items_.columns[c].push_cell(before->items_.columns[c], row);
  }

  Attributes brought;
  brought.columns.resize(items_.columns.size());
  std::ranges::transform(items_.columns, brought.columns.begin(), like);
  for (size_t c = 0; c < changes.size(); ++c) {
    const auto& change = changes[c];
    if (last[change.item] != c) continue;
    if (const auto hidden = bundle_->item_ids().find(change.item); hidden != Interner::kNone) shown_.remove(hidden);
    if (change.deleted) continue;
    items_.ids.add(change.item);
    brought.ids.add(change.item);
    for (size_t i = 0; i < items_.columns.size(); ++i) {
      const auto at = std::ranges::find(change.attributes, items_.columns[i].name, &RequestFeature::name);
      const auto* cell = at == change.attributes.end() ? nullptr : &*at;
      push_brought(items_.columns[i], cell);
      push_brought(brought.columns[i], cell);
    }
  }

  const size_t dim = bundle_->item_vectors().cols();
  vectors_.resize(items_.rows(), dim);
  for (size_t i = 0; i < kept.size(); ++i) std::copy_n(before->vectors_[kept[i]], dim, vectors_[i]);
  if (brought.rows() > 0) {
    const auto encoded = encode(brought.ids, brought);
    for (size_t i = 0; i < encoded.rows(); ++i) std::copy_n(encoded[i], dim, vectors_[kept.size() + i]);
  }
  for (uint32_t row = 0; row < items_.rows(); ++row)
    if (const auto below = bundle_->item_ids().find(items_.ids[row]); below != Interner::kNone)
      in_place_of_[below] = row;
  std::vector<uint32_t> rows(items_.rows());
  std::iota(rows.begin(), rows.end(), 0u);
  filters_ = std::make_unique<const FilterIndex>(items_, rows, items_.rows());
}

}  // namespace pagoda
