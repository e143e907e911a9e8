#include "model/cascade.h"

#include "data/id_overlap.h"

namespace pagoda::model {

std::unique_ptr<index::Index> make_cascade(const Bundle& first, const Bundle& second, size_t from) {
  first.members();
  second.members();  // both must know users
  std::vector<uint32_t> second_row(first.item_ids().size());
  for (uint32_t item = 0; item < second_row.size(); ++item)
    second_row[item] = second.item_ids().find(first.item_ids()[item]);
  data::report_overlap(
      data::count_overlap({&first.item_ids()}, {&second.item_ids()}),
      {second.file().path(), "items of " + first.file().path(), "give a second bundle of the same items"});
  return index::make_cascade_index(first.index(), second.item_vectors(), std::move(second_row), from);
}

void check_cascade_length(size_t k, size_t from) {
  if (k > from)
    fail(ErrorKind::usage, "lists of k = {} cannot be cut from rescore-from = {} candidates: let it be at least k", k,
         from);
}

math::Matrix<float> cascade_queries(math::MatrixView<const float> first, math::MatrixView<const float> second) {
  check(first.rows() == second.rows(), "both models encode the same users");
  math::Matrix<float> out(first.rows(), first.cols() + second.cols());
  for (size_t i = 0; i < out.rows(); ++i) {
    std::copy_n(first[i], first.cols(), out[i]);
    std::copy_n(second[i], second.cols(), out[i] + first.cols());
  }
  return out;
}

}  // namespace pagoda::model
