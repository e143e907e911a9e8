// What has changed in a catalogue since its bundle was made: items that were added, replaced or deleted.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "index/filter_index.h"
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

// The vectors of items by id and attributes, [ids, dim].
using ItemEncoding = std::function<Matrix<float>(const Interner& ids, const Attributes& attributes)>;

// Laid over a bundle's items: row i of these is the item row bundle items + i. Immutable. What a change replaces is hidden.
class Additions {
 public:
  // `before` (or nullptr) with the changes made in their order. Vectors of what stays are kept, so that a change costs what
  // it changes.
  Additions(std::shared_ptr<const Bundle> bundle, const Additions* before, const std::vector<ItemChange>& changes,
            const ItemEncoding& encode);

  const Attributes& items() const { return items_; }  // their ids, and the columns of the bundle's item table
  MatrixView<const float> vectors() const { return vectors_; }
  const ItemSet& shown() const { return shown_; }  // of the bundle's items
  const FilterIndex& filters() const { return *filters_; }
  // The row, among these, that stands in the place of a bundle's item; Interner::kNone when none does.
  uint32_t in_place_of(uint32_t bundle_row) const {
    const auto found = in_place_of_.find(bundle_row);
    return found == in_place_of_.end() ? Interner::kNone : found->second;
  }

 private:
  std::shared_ptr<const Bundle> bundle_;
  Attributes items_;
  Matrix<float> vectors_;
  ItemSet shown_;
  std::unordered_map<uint32_t, uint32_t> in_place_of_;
  std::unique_ptr<const FilterIndex> filters_;
};

}  // namespace pagoda
