// The delta layer of a catalogue: items added, replaced or deleted since its bundle was made.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "filter/filter_index.h"
#include "model/bundle.h"
#include "retrieval/brought_items.h"

namespace pagoda::retrieval {

// Computes the vectors of items from their ids and attributes, [ids, dim].
using EncodeItemsFn =
    std::function<math::Matrix<float>(const columns::Interner& ids, const data::Attributes& attributes)>;

// Builds an index over vectors that outlive it.
using BuildIndexFn = std::function<std::unique_ptr<const index::Index>(math::MatrixView<const float> vectors)>;

// A layer of items over those of the bundle, or over another layer. Its row i is the item row rows_below() + i. Items
// that a change replaces or deletes are hidden in all layers below. Immutable, so thread-safe.
//
// There are at most two layers, as in an LSM tree. The fresh one is small, so that each change can copy it, and is
// searched exactly; from time to time it is merged into the other one, which has an index of its own.
class DeltaLayer {
 public:
  using Ptr = std::shared_ptr<const DeltaLayer>;

  // `before` (or nullptr) with the changes applied in order, over `below` (nullptr: the bundle). Vectors of unchanged
  // items are copied, so a change costs the encoding of its items and a copy of the layer.
  DeltaLayer(std::shared_ptr<const model::Bundle> bundle, Ptr below, const DeltaLayer* before,
             const std::vector<ItemChange>& changes, const EncodeItemsFn& encode,
             BackgroundThrottle* throttle = nullptr);

  // One layer over the bundle with the items of `above` over those of `below` (or nullptr).
  static Ptr merged(const DeltaLayer* below, const DeltaLayer& above, const BuildIndexFn& index,
                    BackgroundThrottle* throttle = nullptr);

  // The `changed` items of `above`, as a layer over another one.
  static Ptr over(Ptr below, const DeltaLayer& above, const std::unordered_set<std::string>& changed,
                  BackgroundThrottle* throttle = nullptr);

  size_t rows_below() const { return visible_.items(); }
  const data::Attributes& items() const { return items_; }  // ids, and the columns of the bundle's item table
  math::MatrixView<const float> vectors() const { return vectors_; }
  const math::ItemSet& visible() const { return visible_; }  // of the rows below
  const filter::FilterIndex& filters() const { return *filters_; }
  const index::Index& index() const { return *index_; }
  // The row of this layer that replaces a bundle's item; Interner::kNone when none does.
  uint32_t replacement_of(uint32_t bundle_row) const {
    const auto found = replacement_of_.find(bundle_row);
    return found == replacement_of_.end() ? columns::Interner::kNone : found->second;
  }

 private:
  DeltaLayer(std::shared_ptr<const model::Bundle> bundle, Ptr below);
  void hide(std::string_view item);  // in the layers below
  // Appends those rows of the items and their vectors.
  void take(const data::Attributes& items, math::MatrixView<const float> vectors, std::span<const uint32_t> rows,
            BackgroundThrottle* throttle);
  void finish(const BuildIndexFn& index, const DeltaLayer* like, BackgroundThrottle* throttle);

  std::shared_ptr<const model::Bundle> bundle_;
  Ptr below_;
  data::Attributes items_;
  math::Matrix<float> vectors_;
  math::ItemSet visible_;
  std::unordered_map<uint32_t, uint32_t> replacement_of_;
  std::unique_ptr<const filter::FilterIndex> filters_;
  std::unique_ptr<const index::Index> index_;
};

}  // namespace pagoda::retrieval
