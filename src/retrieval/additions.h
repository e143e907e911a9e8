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

namespace pagoda {

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
bool push_brought(Column& column, const RequestFeature* brought);

// Appends the row of a new item.
void push_item(Attributes& items, const ItemChange& item);

// The vectors of items by id and attributes, [ids, dim].
using ItemEncoding = std::function<Matrix<float>(const Interner& ids, const Attributes& attributes)>;

// The index of vectors that outlive it.
using Indexing = std::function<std::unique_ptr<const Index>(MatrixView<const float> vectors)>;

// A layer of items: over the bundle's, or over another layer that lies over those. Row i of these is the item row
// rows_below() + i. What a change replaces or deletes is hidden in all that lies below. Immutable.
//
// Two layers do. The fresh one is small, so that it can be made anew for each change, and is searched exactly; from time to
// time it is merged into the other, which has an index of its own.
class Additions {
 public:
  using Layer = std::shared_ptr<const Additions>;

  // `before` (or nullptr) with the changes made in their order, over `below` (nullptr: the bundle). Vectors of what stays are
  // kept, so that a change costs what it changes and a copy of the layer.
  Additions(std::shared_ptr<const Bundle> bundle, Layer below, const Additions* before,
            const std::vector<ItemChange>& changes, const ItemEncoding& encode, BackgroundThrottle* throttle = nullptr);

  // One layer over the bundle that says what `below` (or nullptr) and `above` say together.
  static Layer merged(const Additions* below, const Additions& above, const Indexing& index,
                      BackgroundThrottle* throttle = nullptr);

  // What `above` says of the `changed` items, over another layer below.
  static Layer over(Layer below, const Additions& above, const std::unordered_set<std::string>& changed,
                    BackgroundThrottle* throttle = nullptr);

  size_t rows_below() const { return shown_.items(); }
  const Attributes& items() const { return items_; }  // their ids, and the columns of the bundle's item table
  MatrixView<const float> vectors() const { return vectors_; }
  const ItemSet& shown() const { return shown_; }  // of what lies below
  const FilterIndex& filters() const { return *filters_; }
  const Index& index() const { return *index_; }
  // The row, among these, that stands in the place of a bundle's item; Interner::kNone when none does.
  uint32_t in_place_of(uint32_t bundle_row) const {
    const auto found = in_place_of_.find(bundle_row);
    return found == in_place_of_.end() ? Interner::kNone : found->second;
  }

 private:
  Additions(std::shared_ptr<const Bundle> bundle, Layer below);
  void hide(std::string_view item);  // in what lies below
  void take(const Additions& from, std::span<const uint32_t> rows, BackgroundThrottle* throttle);
  void finish(const Indexing& index, const Additions* like, BackgroundThrottle* throttle);

  std::shared_ptr<const Bundle> bundle_;
  Layer below_;
  Attributes items_;
  Matrix<float> vectors_;
  ItemSet shown_;
  std::unordered_map<uint32_t, uint32_t> in_place_of_;
  std::unique_ptr<const FilterIndex> filters_;
  std::unique_ptr<const Index> index_;
};

}  // namespace pagoda
