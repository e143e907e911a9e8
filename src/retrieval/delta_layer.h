// What has changed in a catalogue since its bundle was made: items that were added, replaced or deleted.
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

namespace pagoda::retrieval {

// An attribute as a request brings it: one value, or a list for a multi-valued column.
struct RequestFeature {
  std::string name;
  std::vector<std::string> values;
  bool is_list = false;
};

struct ItemChange {
  std::string item;
  std::vector<RequestFeature> attributes;  // a whole row: what is not in it is null
  bool deleted = false;
};

// The cell of a column that a request brings; a null for nullptr and for what does not fit the column's type: then false.
bool append_provided(columns::Column& column, const RequestFeature* brought);

// Appends the row of a new item.
void append_item(data::Attributes& items, const ItemChange& item);

// The vectors of items by id and attributes, [ids, dim].
using EncodeItemsFn =
    std::function<math::Matrix<float>(const columns::Interner& ids, const data::Attributes& attributes)>;

// The index of vectors that outlive it.
using BuildIndexFn = std::function<std::unique_ptr<const index::Index>(math::MatrixView<const float> vectors)>;

// A layer of items: over the bundle's, or over another layer that lies over those. Row i of these is the item row
// rows_below() + i. What a change replaces or deletes is hidden in all that lies below. Immutable.
//
// Two layers do. The fresh one is small, so that it can be made anew for each change, and is searched exactly; from time to
// time it is merged into the other, which has an index of its own.
class DeltaLayer {
 public:
  using Ptr = std::shared_ptr<const DeltaLayer>;

  // `before` (or nullptr) with the changes made in their order, over `below` (nullptr: the bundle). Vectors of what stays are
  // kept, so that a change costs what it changes and a copy of the layer.
  DeltaLayer(std::shared_ptr<const model::Bundle> bundle, Ptr below, const DeltaLayer* before,
             const std::vector<ItemChange>& changes, const EncodeItemsFn& encode,
             BackgroundThrottle* throttle = nullptr);

  // One layer over the bundle that says what `below` (or nullptr) and `above` say together.
  static Ptr merged(const DeltaLayer* below, const DeltaLayer& above, const BuildIndexFn& index,
                    BackgroundThrottle* throttle = nullptr);

  // What `above` says of the `changed` items, over another layer below.
  static Ptr over(Ptr below, const DeltaLayer& above, const std::unordered_set<std::string>& changed,
                  BackgroundThrottle* throttle = nullptr);

  size_t rows_below() const { return visible_.items(); }
  const data::Attributes& items() const { return items_; }  // their ids, and the columns of the bundle's item table
  math::MatrixView<const float> vectors() const { return vectors_; }
  const math::ItemSet& visible() const { return visible_; }  // of what lies below
  const filter::FilterIndex& filters() const { return *filters_; }
  const index::Index& index() const { return *index_; }
  // The row, among these, that stands in the place of a bundle's item; Interner::kNone when none does.
  uint32_t replacement_of(uint32_t bundle_row) const {
    const auto found = replacement_of_.find(bundle_row);
    return found == replacement_of_.end() ? columns::Interner::kNone : found->second;
  }

 private:
  DeltaLayer(std::shared_ptr<const model::Bundle> bundle, Ptr below);
  void hide(std::string_view item);  // in what lies below
  void take(const DeltaLayer& from, std::span<const uint32_t> rows, BackgroundThrottle* throttle);
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
