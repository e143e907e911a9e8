#include "model/two_towers.h"

#include <cmath>
#include <cstring>

#include "math/kernels.h"

namespace pagoda {

namespace {
constexpr uint64_t kUserLane = 1000, kItemLane = 2000;  // of initialisation and dropout; tables take 0 ..
}

template <class T>
double TwoTowersGradients<T>::squared_norm() const {
  double sum = user.squared_norm() + item.squared_norm();
  for (const auto& table : tables) sum += table.squared_norm();
  return sum;
}

template <class T>
TwoTowers<T>::TwoTowers(const ModelOptions& model, const UserOptions& user, const ItemOptions& item,
                        const TowerLayout& user_layout, const TowerLayout& item_layout)
    : dim_(static_cast<size_t>(model.dim)) {
  const Precision stored = std::is_same_v<T, float> ? model.table_precision : Precision::f32;
  std::vector<size_t> item_tables, user_tables;
  size_t item_id_table = SIZE_MAX;
  for (const auto& bag : item_layout.bags) {
    if (bag.item_ids) item_id_table = tables_.size();
    item_tables.push_back(tables_.size());
    tables_.emplace_back(bag.name, bag.rows, bag.dim, stored);
  }
  auto shared_layout = user_layout;
  for (auto& bag : shared_layout.bags) {
    if (bag.item_ids) {
      check(item_id_table != SIZE_MAX, "a shared history needs the item tower's id table");
      check(bag.rows == tables_[item_id_table].rows(), "a shared history has the rows of the id table");
      bag.dim = tables_[item_id_table].dim();
      user_tables.push_back(item_id_table);
    } else {
      user_tables.push_back(tables_.size());
      tables_.emplace_back(bag.name, bag.rows, bag.dim, stored);
    }
  }
  user_ = Tower<T>(shared_layout, user_tables, user.hidden, dim_, model.normalise);
  item_ = Tower<T>(item_layout, item_tables, item.hidden, dim_, model.normalise);
}

template <class T>
void TwoTowers<T>::initialise(ThreadPool& pool, uint64_t seed) {
  // What training never saw reads a hash bucket that training may never have moved: it must not outshout what is known
  // of it, and it must not be zero, where a vector of unit length has no gradient.
  std::vector<size_t> small_from(tables_.size(), SIZE_MAX);
  for (const auto* tower : {&user_, &item_})
    for (size_t b = 0; b < tower->layout().bags.size(); ++b) {
      const auto& bag = tower->layout().bags[b];
      if (tower == &user_ && bag.item_ids) continue;  // the item tower's table, done with it
      small_from[tower->table_of(b)] = bag.rows - bag.buckets;
    }
  for (size_t t = 0; t < tables_.size(); ++t)
    tables_[t].initialise(pool, seed, t, 1.0 / std::sqrt(static_cast<double>(tables_[t].dim())), small_from[t]);
  user_.initialise(seed, kUserLane);
  item_.initialise(seed, kItemLane);
}

template <class T>
void TwoTowers<T>::backward(ThreadPool& pool, const EncodedBatch& users, Pass& user_pass, MatrixView<T> d_users,
                            const EncodedBatch& items, Pass& item_pass, MatrixView<T> d_items,
                            TwoTowersGradients<T>& gradients) const {
  user_.backward(pool, user_pass, d_users, gradients.user);
  item_.backward(pool, item_pass, d_items, gradients.item);
  const StepClock::Within combine(item_pass.clock, StepStage::combine);
  gradients.tables.resize(tables_.size());
  std::vector<std::vector<typename EmbeddingTable<T>::Reading>> readings(tables_.size());
  for (size_t b = 0; b < users.bags.size(); ++b)
    readings[user_.table_of(b)].push_back({&users.bags[b], user_.d_bag(user_pass, b)});
  for (size_t b = 0; b < items.bags.size(); ++b)
    readings[item_.table_of(b)].push_back({&items.bags[b], item_.d_bag(item_pass, b)});
  for (size_t t = 0; t < tables_.size(); ++t) tables_[t].backward(pool, readings[t], gradients.tables[t]);
}

template <class T>
std::vector<typename TwoTowers<T>::Named> TwoTowers<T>::parameters() {
  std::vector<Named> all;
  for (auto& table : tables_)
    all.push_back({table.name(), table.stored() == Precision::f32 ? &table.values() : nullptr,
                   table.stored() == Precision::f32 ? nullptr : &table.halves(), true});
  for (auto* tower : {&user_, &item_})
    for (size_t l = 0; l < tower->mlp().layers(); ++l) {
      const std::string name = (tower == &user_ ? "user.layer" : "item.layer") + std::to_string(l + 1);
      all.push_back({name + ".weights", &tower->mlp().weights(l), nullptr, false});
      all.push_back({name + ".biases", &tower->mlp().biases(l), nullptr, false});
    }
  return all;
}

template <class V>
void save_matrix(SectionWriter& out, const std::string& name, MatrixView<const V> matrix) {
  out.begin(name);
  const uint64_t shape[2] = {matrix.rows(), matrix.cols()};
  out.append(std::as_bytes(std::span(shape)));
  for (size_t row = 0; row < matrix.rows(); ++row) out.append(std::as_bytes(matrix.row(row)));
  out.end();
}

template <class V>
void load_matrix(const SectionFile& in, const std::string& name, Matrix<V>& matrix) {
  const auto bytes = in.bytes(name);
  uint64_t shape[2] = {0, 0};
  if (bytes.size() >= sizeof shape) std::memcpy(shape, bytes.data(), sizeof shape);
  if (shape[0] != matrix.rows() || shape[1] != matrix.cols() ||
      bytes.size() != sizeof shape + matrix.size() * sizeof(V))
    fail(ErrorKind::failed, "{}: section '{}' is {} x {}, and the config makes it {} x {}", in.path(), name, shape[0],
         shape[1], matrix.rows(), matrix.cols());
  if (matrix.size() > 0) std::memcpy(matrix.data(), bytes.data() + sizeof shape, matrix.size() * sizeof(V));
}

void save_weights(SectionWriter& out, TwoTowers<float>& model, const std::string& prefix) {
  for (const auto& p : model.parameters()) {
    if (p.matrix)
      save_matrix<float>(out, prefix + p.name, p.matrix->view());
    else
      save_matrix<uint16_t>(out, prefix + p.name, p.halves->view());
  }
}

void load_weights(const SectionFile& in, TwoTowers<float>& model, const std::string& prefix) {
  for (const auto& p : model.parameters()) {
    if (p.matrix)
      load_matrix(in, prefix + p.name, *p.matrix);
    else
      load_matrix(in, prefix + p.name, *p.halves);
  }
}

template void save_matrix(SectionWriter&, const std::string&, MatrixView<const float>);
template void load_matrix(const SectionFile&, const std::string&, Matrix<float>&);
template struct TwoTowersGradients<float>;
template struct TwoTowersGradients<double>;
template class TwoTowers<float>;
template class TwoTowers<double>;

}  // namespace pagoda
