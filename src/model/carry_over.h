// Carries what a model has learnt over into one that was extended from it (ItemEncoder::extended()): every word keeps
// its row, hash buckets follow the last word, and rows of new words are left as they are.
#pragma once

#include <cstddef>
#include <vector>

#include "features/vocabulary.h"
#include "math/matrix.h"
#include "model/inference.h"

namespace pagoda::model {

class CarryOver {
 public:
  // `now`: its encoders were extended from those of `before`, its towers made by their layouts. Borrows nothing.
  CarryOver(const Model& before, const Model& now);

  void weights(const TwoTowers<float>& before, TwoTowers<float>& now) const;
  // Rows of a matrix that goes with parameter `p` of TwoTowers::parameters(), such as an optimiser's. Error{failed},
  // naming `what`: `from` does not have the rows of that parameter, or not the columns of `to`.
  template <class V>
  void rows(size_t p, math::MatrixView<const V> from, math::Matrix<V>& to, const std::string& what) const;

 private:
  std::vector<features::RowMove> moves_;  // of each table; the layers' matrices are carried whole
};

}  // namespace pagoda::model
