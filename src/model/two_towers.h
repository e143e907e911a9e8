// The model: a user tower and an item tower over one set of tables.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/section_file.h"
#include "features/options.h"
#include "model/options.h"
#include "model/tower.h"

namespace pagoda::model {

// The gradients of one step.
template <class T>
struct TwoTowersGradients {
  typename Tower<T>::Gradients user, item;
  std::vector<nn::RowGradients<T>> tables;
  double squared_norm() const;
};

template <class T>
class TwoTowers {
 public:
  TwoTowers() = default;
  // A history with table = "shared" reads the item tower's id table; every other bag has its own table.
  TwoTowers(const ModelOptions& model, const features::UserOptions& user, const features::ItemOptions& item,
            const features::TowerLayout& user_layout, const features::TowerLayout& item_layout);
  void initialise(ThreadPool& pool,
                  uint64_t seed);  // random by (seed, table or tower, row); small in rows of hash buckets

  using Pass = typename Tower<T>::Pass;
  void forward_users(ThreadPool& pool, const features::EncodedBatch& batch, const typename Tower<T>::Dropout& dropout,
                     Pass& pass) const {
    user_.forward(pool, tables_, batch, dropout, pass);
  }
  void forward_items(ThreadPool& pool, const features::EncodedBatch& batch, const typename Tower<T>::Dropout& dropout,
                     Pass& pass) const {
    item_.forward(pool, tables_, batch, dropout, pass);
  }
  // Computes the gradients of all weights and tables from dU and dV, which it overwrites.
  void backward(ThreadPool& pool, const features::EncodedBatch& users, Pass& user_pass, math::MatrixView<T> d_users,
                const features::EncodedBatch& items, Pass& item_pass, math::MatrixView<T> d_items,
                TwoTowersGradients<T>& gradients) const;

  std::vector<nn::EmbeddingTable<T>>& tables() { return tables_; }
  const std::vector<nn::EmbeddingTable<T>>& tables() const { return tables_; }
  Tower<T>& user() { return user_; }
  Tower<T>& item() { return item_; }
  const Tower<T>& user() const { return user_; }
  const Tower<T>& item() const { return item_; }
  size_t dim() const { return dim_; }

  // A matrix of the model and the name of its section in files. One of the pointers is set: `bf16` for a table with
  // bf16 rows, `floats` for everything else.
  template <class Floats, class Bf16>
  struct NamedParameter {
    std::string name;
    Floats* floats;
    Bf16* bf16;
    bool table;
    size_t rows() const { return floats ? floats->rows() : bf16->rows(); }
    size_t cols() const { return floats ? floats->cols() : bf16->cols(); }
  };
  using Parameter = NamedParameter<math::Matrix<T>, math::Matrix<uint16_t>>;
  using ConstParameter = NamedParameter<const math::Matrix<T>, const math::Matrix<uint16_t>>;

  // All parameters, in the order in which they are saved and update() takes the optimisers: the tables, then the user
  // tower's layers and what reads its history, then the item tower's layers.
  std::vector<Parameter> parameters();
  std::vector<ConstParameter> parameters() const;

  // Updates every parameter by its gradient; optimizers: one for each of parameters(), in their order.
  void update(ThreadPool& pool, const nn::StepRate& step, const TwoTowersGradients<T>& gradients,
              std::span<nn::OptimizerState<T>> optimizers);

 private:
  template <class Towers, class OnTable, class OnMatrix>
  static void for_each_parameter(Towers& towers, const OnTable& on_table, const OnMatrix& on_matrix);
  size_t dim_ = 0;
  std::vector<nn::EmbeddingTable<T>> tables_;
  Tower<T> user_, item_;
};

// Writes sections "weights/NAME": u64 rows, u64 cols, then floats, or 2 bytes each for a table with bf16 rows.
void save_weights(SectionWriter& out, const TwoTowers<float>& model, const std::string& prefix = "weights/");
// Error{failed}: a matrix is missing, or its shape does not match the config.
void load_weights(const SectionFile& in, TwoTowers<float>& model, const std::string& prefix = "weights/");
template <class V>
void save_matrix(SectionWriter& out, const std::string& name, math::MatrixView<const V> matrix);
template <class V>
void load_matrix(const SectionFile& in, const std::string& name,
                 math::Matrix<V>& matrix);  // `matrix` has the expected shape
template <class V>
math::Matrix<V> read_matrix(const SectionFile& in, const std::string& name);  // of whatever shape was saved

}  // namespace pagoda::model
