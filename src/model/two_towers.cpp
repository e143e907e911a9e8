#include "model/two_towers.h"

#include <cmath>
#include <cstring>

#include "math/kernels.h"

namespace pagoda::model {

namespace {
constexpr uint64_t kUserSubstream = 1000, kItemSubstream = 2000;  // of random numbers; tables take 0 ..
constexpr std::string_view kHistoryPrefix = "user.history.";      // of the names of what reads a history
// Its share of the learning rate. A matrix between embeddings acts on all of them at once, so it must move slowly
// beside them (Yang et al. 2022, "Tensor Programs V", table 8: by one over the width where an embedding's rate is 1).
// At 1 the loss settles higher than that of a plain mean.
constexpr double kHistoryRate = 0.1;
}  // namespace

template <class T>
double TwoTowersGradients<T>::squared_norm() const {
  double sum = user.squared_norm() + item.squared_norm();
  for (const auto& table : tables) sum += table.squared_norm();
  return sum;
}

template <class T>
TwoTowers<T>::TwoTowers(const ModelOptions& model, const features::UserOptions& user, const features::ItemOptions& item,
                        const features::TowerLayout& user_layout, const features::TowerLayout& item_layout)
    : dim_(static_cast<size_t>(model.dim)) {
  const math::Precision stored = std::is_same_v<T, float> ? model.table_precision : math::Precision::f32;
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
  user_ = Tower<T>(shared_layout, user_tables, user.hidden, dim_, model, user.history);
  item_ = Tower<T>(item_layout, item_tables, item.hidden, dim_, model);
}

template <class T>
void TwoTowers<T>::initialise(ThreadPool& pool, uint64_t seed) {
  // A value that training never saw may read a hash bucket that training never updated. The bucket must be small, so
  // that it does not outweigh what is known, but not zero, where normalisation has no gradient.
  std::vector<size_t> small_from(tables_.size(), SIZE_MAX);
  for (const auto* tower : {&user_, &item_})
    for (size_t b = 0; b < tower->layout().bags.size(); ++b) {
      const auto& bag = tower->layout().bags[b];
      if (tower == &user_ && bag.item_ids) continue;  // initialised with the item tower
      // What other events say is learnt beside what the history says, and must not disturb it before.
      small_from[tower->table_of(b)] = bag.reads == features::BagReads::event_history ? 0 : bag.rows - bag.buckets;
    }
  for (size_t t = 0; t < tables_.size(); ++t)
    tables_[t].initialise(pool, seed, t, 1.0 / std::sqrt(static_cast<double>(tables_[t].dim())), small_from[t]);
  user_.initialise(seed, kUserSubstream);
  item_.initialise(seed, kItemSubstream);
}

template <class T>
void TwoTowers<T>::backward(ThreadPool& pool, const features::EncodedBatch& users, Pass& user_pass,
                            math::MatrixView<T> d_users, const features::EncodedBatch& items, Pass& item_pass,
                            math::MatrixView<T> d_items, TwoTowersGradients<T>& gradients) const {
  user_.backward(pool, user_pass, d_users, gradients.user);
  item_.backward(pool, item_pass, d_items, gradients.item);
  const StepClock::Within combine(item_pass.clock, StepStage::combine);
  gradients.tables.resize(tables_.size());
  std::vector<std::vector<typename nn::EmbeddingTable<T>::Reading>> readings(tables_.size());
  const auto gather = [&](const Tower<T>& tower, const features::EncodedBatch& batch, Pass& pass, auto& of_tower) {
    for (size_t b = 0; b < batch.bags.size(); ++b)
      for (const auto& reading : tower.backward_bag(pool, tables_, batch, b, pass, of_tower))
        readings[tower.table_of(b)].push_back(reading);
  };
  gather(user_, users, user_pass, gradients.user);
  gather(item_, items, item_pass, gradients.item);
  for (size_t t = 0; t < tables_.size(); ++t) tables_[t].backward(pool, readings[t], gradients.tables[t]);
}

// Defines the order of the parameters. on_table(table, t) for each table; on_matrix(name, matrix, gradient_of) for each
// matrix of a layer, whose gradient is gradient_of(gradients).
template <class T>
template <class Towers, class OnTable, class OnMatrix>
void TwoTowers<T>::for_each_parameter(Towers& towers, const OnTable& on_table, const OnMatrix& on_matrix) {
  for (size_t t = 0; t < towers.tables_.size(); ++t) on_table(towers.tables_[t], t);
  for (const bool user : {true, false}) {
    auto& mlp = user ? towers.user_.mlp() : towers.item_.mlp();
    for (size_t l = 0; l < mlp.layers(); ++l) {
      const auto name = (user ? "user.layer" : "item.layer") + std::to_string(l + 1);
      const auto side = [user](const TwoTowersGradients<T>& g) -> auto& { return user ? g.user : g.item; };
      on_matrix(name + ".weights", mlp.weights(l), [side, l](const TwoTowersGradients<T>& g) -> const math::Matrix<T>& {
        return side(g).layers.weights[l];
      });
      on_matrix(name + ".biases", mlp.biases(l), [side, l](const TwoTowersGradients<T>& g) -> const math::Matrix<T>& {
        return side(g).layers.biases[l];
      });
    }
    if (auto* transformer = user ? towers.user_.transformer() : nullptr)
      nn::HistoryTransformer<T>::for_each_parameter(
          *transformer, [&](const std::string& name, auto& matrix, const auto& gradient_of) {
            on_matrix(std::string(kHistoryPrefix) + name, matrix,
                      [gradient_of](const TwoTowersGradients<T>& g) -> const math::Matrix<T>& {
                        return gradient_of(g.user.transformer);
                      });
          });
    if (auto* attention = user ? towers.user_.attention() : nullptr)
      nn::HistoryAttention<T>::for_each_parameter(*attention, [&](const char* name, auto& matrix, auto of) {
        on_matrix(std::string(kHistoryPrefix) + name, matrix,
                  [of](const TwoTowersGradients<T>& g) -> const math::Matrix<T>& { return g.user.attention.*of; });
      });
  }
}

template <class T>
std::vector<typename TwoTowers<T>::Parameter> TwoTowers<T>::parameters() {
  std::vector<Parameter> all;
  for_each_parameter(
      *this,
      [&](nn::EmbeddingTable<T>& table, size_t) {
        const bool floats = table.stored() == math::Precision::f32;
        all.push_back({table.name(), floats ? &table.values() : nullptr, floats ? nullptr : &table.bf16(), true});
      },
      [&](const std::string& name, math::Matrix<T>& matrix, const auto&) {
        all.push_back({name, &matrix, nullptr, false});
      });
  return all;
}

template <class T>
std::vector<typename TwoTowers<T>::ConstParameter> TwoTowers<T>::parameters() const {
  std::vector<ConstParameter> all;
  for_each_parameter(
      *this,
      [&](const nn::EmbeddingTable<T>& table, size_t) {
        const bool floats = table.stored() == math::Precision::f32;
        all.push_back({table.name(), floats ? &table.values() : nullptr, floats ? nullptr : &table.bf16(), true});
      },
      [&](const std::string& name, const math::Matrix<T>& matrix, const auto&) {
        all.push_back({name, &matrix, nullptr, false});
      });
  return all;
}

template <class T>
void TwoTowers<T>::update(ThreadPool& pool, const nn::StepRate& step, const TwoTowersGradients<T>& gradients,
                          std::span<nn::OptimizerState<T>> optimizers) {
  size_t next = 0;
  for_each_parameter(
      *this,
      [&](nn::EmbeddingTable<T>& table, size_t t) {
        table.update(pool, step, gradients.tables[t], optimizers[next++]);
      },
      [&](const std::string& name, math::Matrix<T>& matrix, const auto& gradient_of) {
        auto own = step;
        if (name.starts_with(kHistoryPrefix)) own.rate *= kHistoryRate;
        optimizers[next++].update(pool, own, gradient_of(gradients), matrix);
      });
  check(next == optimizers.size(), "an optimiser for each parameter");
}

template <class V>
void save_matrix(SectionWriter& out, const std::string& name, math::MatrixView<const V> matrix) {
  out.begin(name);
  const uint64_t shape[2] = {matrix.rows(), matrix.cols()};
  out.append(std::as_bytes(std::span(shape)));
  for (size_t row = 0; row < matrix.rows(); ++row) out.append(std::as_bytes(matrix.row(row)));
  out.end();
}

template <class V>
void load_matrix(const SectionFile& in, const std::string& name, math::Matrix<V>& matrix) {
  const auto bytes = in.bytes(name);
  uint64_t shape[2] = {0, 0};
  if (bytes.size() >= sizeof shape) std::memcpy(shape, bytes.data(), sizeof shape);
  if (shape[0] != matrix.rows() || shape[1] != matrix.cols() ||
      bytes.size() != sizeof shape + matrix.size() * sizeof(V))
    fail(ErrorKind::failed, "{}: section '{}' is {} x {}, and the config makes it {} x {}", in.path(), name, shape[0],
         shape[1], matrix.rows(), matrix.cols());
  if (matrix.size() > 0) std::memcpy(matrix.data(), bytes.data() + sizeof shape, matrix.size() * sizeof(V));
}

template <class V>
math::Matrix<V> read_matrix(const SectionFile& in, const std::string& name) {
  const auto bytes = in.bytes(name);
  uint64_t shape[2] = {0, 0};
  if (bytes.size() >= sizeof shape) std::memcpy(shape, bytes.data(), sizeof shape);
  const auto values = bytes.size() - std::min(bytes.size(), sizeof shape);
  if (shape[0] > 0 ? shape[1] != values / sizeof(V) / shape[0] || values % (shape[0] * sizeof(V)) != 0 : values != 0)
    fail(ErrorKind::failed, "{}: section '{}' is not a matrix of {} x {}", in.path(), name, shape[0], shape[1]);
  math::Matrix<V> matrix(shape[0], shape[1]);
  if (matrix.size() > 0) std::memcpy(matrix.data(), bytes.data() + sizeof shape, matrix.size() * sizeof(V));
  return matrix;
}

void save_weights(SectionWriter& out, const TwoTowers<float>& model, const std::string& prefix) {
  for (const auto& p : model.parameters()) {
    if (p.floats)
      save_matrix<float>(out, prefix + p.name, p.floats->view());
    else
      save_matrix<uint16_t>(out, prefix + p.name, p.bf16->view());
  }
}

void load_weights(const SectionFile& in, TwoTowers<float>& model, const std::string& prefix) {
  for (const auto& p : model.parameters()) {
    if (p.floats)
      load_matrix(in, prefix + p.name, *p.floats);
    else
      load_matrix(in, prefix + p.name, *p.bf16);
  }
}

template void save_matrix(SectionWriter&, const std::string&, math::MatrixView<const float>);
template void load_matrix(const SectionFile&, const std::string&, math::Matrix<float>&);
template math::Matrix<float> read_matrix(const SectionFile&, const std::string&);
template struct TwoTowersGradients<float>;
template struct TwoTowersGradients<double>;
template class TwoTowers<float>;
template class TwoTowers<double>;

}  // namespace pagoda::model
