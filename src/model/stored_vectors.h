// Vectors in the form that a bundle stores them in.
#pragma once

#include <memory>
#include <string>

#include "core/thread_pool.h"
#include "math/rows_view.h"

namespace pagoda::model {

struct StorageFormat {
  math::RowPrecision precision = math::RowPrecision::f32;
  bool unit_length = false;  // rows of zeros stay so
};

// Vectors that have the form already are not copied. Otherwise the copy lies in a file of `folder` that disappears with
// this object, so it need not fit in memory.
class StoredVectors {
 public:
  // `from` outlives it. Error{input}: a component that is not finite, or too large for f16, with its row; `name` is
  // what the vectors are of.
  StoredVectors(ThreadPool& pool, const std::string& name, math::RowsView from, const StorageFormat& form,
                const std::string& folder);
  math::RowsView rows() const { return rows_; }

 private:
  std::unique_ptr<void, math::FreeMemory> memory_;
  math::RowsView rows_;
};

}  // namespace pagoda::model
