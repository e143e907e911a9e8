#include "model/carry_over.h"

#include <algorithm>

#include "core/error.h"

namespace pagoda::model {

CarryOver::CarryOver(const Model& before, const Model& now) : moves_(now.towers.tables().size()) {
  const auto item_bags = now.item_encoder.moves_from(before.item_encoder);
  const auto ids = now.item_encoder.id_vocabulary().move_from(before.item_encoder.id_vocabulary());
  const auto user_bags = now.user_encoder.moves_from(before.user_encoder, ids);
  for (size_t b = 0; b < item_bags.size(); ++b) moves_[now.towers.item().table_of(b)] = item_bags[b];
  for (size_t b = 0; b < user_bags.size(); ++b) moves_[now.towers.user().table_of(b)] = user_bags[b];
}

void CarryOver::weights(const TwoTowers<float>& before, TwoTowers<float>& now) const {
  const auto from = before.parameters();
  const auto to = now.parameters();
  check(from.size() == to.size(), "a model is extended with the parameters it has");
  for (size_t p = 0; p < to.size(); ++p) {
    check((from[p].floats == nullptr) == (to[p].floats == nullptr), "a table keeps its precision");
    if (to[p].floats)
      rows<float>(p, from[p].floats->view(), *to[p].floats, to[p].name);
    else
      rows<uint16_t>(p, from[p].bf16->view(), *to[p].bf16, to[p].name);
  }
}

template <class V>
void CarryOver::rows(size_t p, math::MatrixView<const V> from, math::Matrix<V>& to, const std::string& what) const {
  const bool table = p < moves_.size();
  const size_t rows = !table ? to.rows() : moves_[p].words_before + moves_[p].buckets;
  if (to.rows() == 0 && from.rows() == 0) return;  // state that this optimiser does not have
  if (from.rows() != rows || from.cols() != to.cols())
    fail(ErrorKind::failed, "'{}' is {} x {}, expected {} x {}", what, from.rows(), from.cols(), rows, to.cols());
  auto renewed = table ? moves_[p].renewed.begin() : std::vector<uint32_t>::const_iterator();
  for (uint32_t row = 0; row < rows; ++row) {
    if (table && renewed != moves_[p].renewed.end() && *renewed == row) {
      ++renewed;
      continue;
    }
    std::ranges::copy(from.row(row), to[table ? moves_[p].of(row) : row]);
  }
}

template void CarryOver::rows(size_t, math::MatrixView<const float>, math::Matrix<float>&, const std::string&) const;
template void CarryOver::rows(size_t, math::MatrixView<const uint16_t>, math::Matrix<uint16_t>&,
                              const std::string&) const;

}  // namespace pagoda::model
