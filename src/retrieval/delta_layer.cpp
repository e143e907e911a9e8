#include "retrieval/delta_layer.h"

#include <algorithm>
#include <numeric>

namespace pagoda::retrieval {
namespace {

// The columns of the bundle's item table, without rows.
std::vector<columns::Column> columns_of_items(const model::Bundle& bundle) {
  std::vector<columns::Column> columns;
  for (const auto& column : bundle.item_attributes().columns) columns.push_back(column.without_rows());
  return columns;
}

std::vector<uint32_t> first_rows(uint32_t n) {
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

}  // namespace

DeltaLayer::DeltaLayer(std::shared_ptr<const model::Bundle> bundle, Ptr below)
    : bundle_(std::move(bundle)), below_(std::move(below)), vectors_(0, bundle_->item_vectors().cols()),
      visible_(bundle_->item_ids().size() + (below_ ? below_->items_.rows() : 0), true) {
  items_.columns = columns_of_items(*bundle_);
}

void DeltaLayer::hide(std::string_view item) {
  if (const auto row = bundle_->item_ids().find(item); row != columns::Interner::kNone) visible_.remove(row);
  if (!below_) return;
  if (const auto row = below_->items_.ids.find(item); row != columns::Interner::kNone)
    visible_.remove(bundle_->item_ids().size() + row);
}

void DeltaLayer::take(const data::Attributes& items, math::MatrixView<const float> vectors,
                      std::span<const uint32_t> rows, BackgroundThrottle* throttle) {
  const size_t before = vectors_.rows(), dim = bundle_->item_vectors().cols();
  math::Matrix<float> all(before + rows.size(), dim);
  for (size_t i = 0; i < before; ++i) {
    std::copy_n(vectors_[i], dim, all[i]);
    yield_every_64(throttle, i);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    yield_every_64(throttle, i);
    items_.ids.add(items.ids[rows[i]]);
    for (size_t c = 0; c < items_.columns.size(); ++c) items_.columns[c].push_cell(items.columns[c], rows[i]);
    std::copy_n(vectors.row(rows[i]).data(), dim, all[before + i]);
  }
  vectors_ = std::move(all);
}

// Prepares the filter columns that `like` (or nullptr) had, so that the next search need not wait for them.
void DeltaLayer::finish(const BuildIndexFn& index, const DeltaLayer* like, BackgroundThrottle* throttle) {
  for (uint32_t row = 0; row < items_.rows(); ++row) {
    yield_every_64(throttle, row);
    if (const auto below = bundle_->item_ids().find(items_.ids[row]); below != columns::Interner::kNone)
      replacement_of_[below] = row;
  }
  filters_ = std::make_unique<const filter::FilterIndex>(items_, first_rows(items_.rows()), items_.rows());
  if (like) filters_->arrange(like->filters_->arranged(), throttle);
  index_ = index(vectors_);
}

DeltaLayer::DeltaLayer(std::shared_ptr<const model::Bundle> bundle, Ptr below, const DeltaLayer* before,
                       const std::vector<ItemChange>& changes, const EncodeItemsFn& encode,
                       BackgroundThrottle* throttle)
    : DeltaLayer(std::move(bundle), std::move(below)) {
  // The last change of an item counts.
  std::unordered_map<std::string_view, size_t> last;
  for (size_t c = 0; c < changes.size(); ++c) last[changes[c].item] = c;

  if (before) {
    visible_ = before->visible_;
    std::vector<uint32_t> kept;
    for (uint32_t row = 0; row < before->items_.rows(); ++row) {
      yield_every_64(throttle, row);
      if (!last.contains(before->items_.ids[row])) kept.push_back(row);
    }
    take(before->items_, before->vectors_, kept, throttle);
  }
  BroughtItems brought(*bundle_);
  for (size_t c = 0; c < changes.size(); ++c) {
    const auto& change = changes[c];
    yield_every_64(throttle, c);
    if (last[change.item] != c) continue;
    hide(change.item);
    if (!change.deleted) brought.add(change);
  }
  const auto provided = brought.take();
  if (provided.rows() > 0) take(provided, encode(provided.ids, provided), first_rows(provided.rows()), throttle);
  finish(index::make_exact_index, before, throttle);
}

DeltaLayer::Ptr DeltaLayer::merged(const DeltaLayer* below, const DeltaLayer& above, const BuildIndexFn& index,
                                   BackgroundThrottle* throttle) {
  std::shared_ptr<DeltaLayer> both(new DeltaLayer(above.bundle_, nullptr));
  const auto bottom = above.bundle_->item_ids().size();
  both->visible_ = above.visible_.slice(0, bottom);
  if (below) {
    both->visible_ &= below->visible_;
    auto rows = above.visible_.slice(bottom, above.rows_below()).rows();
    both->take(below->items_, below->vectors_, rows, throttle);
  }
  both->take(above.items_, above.vectors_, first_rows(above.items_.rows()), throttle);
  both->finish(index, &above, throttle);
  return both;
}

DeltaLayer::Ptr DeltaLayer::over(Ptr below, const DeltaLayer& above, const std::unordered_set<std::string>& changed,
                                 BackgroundThrottle* throttle) {
  std::shared_ptr<DeltaLayer> out(new DeltaLayer(above.bundle_, std::move(below)));
  for (const auto& item : changed) {
    out->hide(item);
    yield_to_foreground(throttle);
  }
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < above.items_.rows(); ++row) {
    yield_every_64(throttle, row);
    if (changed.contains(std::string(above.items_.ids[row]))) rows.push_back(row);
  }
  out->take(above.items_, above.vectors_, rows, throttle);
  out->finish(index::make_exact_index, &above, throttle);
  return out;
}

}  // namespace pagoda::retrieval
