// Optimisers: apply a gradient to a parameter, to all dense weights but only to the table rows that were touched.
#pragma once

#include <cstdint>
#include <span>

#include "core/bytes.h"
#include "core/option_visitor.h"
#include "core/thread_pool.h"
#include "math/matrix.h"

namespace pagoda::nn {

enum class OptimizerKind {
  adagrad,      // one accumulator per element
  row_adagrad,  // tables: one accumulator per row, 4 bytes; dense weights as adagrad
  adam,         // tables: lazy, a row's moments are updated only when the row is touched
  sgd,
};

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adagrad;
  double learning_rate = 0.1;
  double weight_decay = 0.0;                          // decoupled: value -= rate * decay * value, for touched rows
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // adam
  double initial_accumulator = 1e-3;                  // adagrad: start of each squared-gradient sum
  double clip_norm = 0.0;                             // global norm of a step's gradient; 0: no clipping
  int64_t warmup_steps = 0;                           // the rate rises linearly over so many steps
  double final_rate = 1.0;  // the rate falls linearly from the end of warm-up to this share of it at the last step
};

void describe(OptionVisitor& fields, OptimizerOptions& options);
void validate(const OptimizerOptions& options);

// The share of learning_rate at `step` of `steps`: warm-up, then decay.
double rate_schedule(const OptimizerOptions& options, uint64_t step, uint64_t steps);

// The parameters of one step, beside the gradient.
struct StepRate {
  double rate = 0.1;            // learning rate of this step, with the schedule applied
  double gradient_scale = 1.0;  // factor from clipping
  uint64_t step = 1;            // from 1, for adam's bias correction
};

// The optimiser's state for one parameter [rows, cols], and the update. T: float, or double for gradient checks.
template <class T>
class OptimizerState {
 public:
  OptimizerState() = default;
  OptimizerState(ThreadPool& pool, const OptimizerOptions& options, size_t rows, size_t cols, bool table);

  // value[row] -= step of gradient[row], for every row.
  void update(ThreadPool& pool, const StepRate& step, math::MatrixView<const T> gradient, math::MatrixView<T> value);
  // The same for rows[i] with gradient row i; the rows differ from each other.
  void update_rows(ThreadPool& pool, const StepRate& step, std::span<const uint32_t> rows,
                   math::MatrixView<const T> gradient, math::MatrixView<T> value);
  // The same for values in bf16, only with T = float. Stochastic rounding by step, row and column: values are right on
  // average, and a step smaller than a unit is not lost.
  void update_rows_of_bf16(ThreadPool& pool, const StepRate& step, std::span<const uint32_t> rows,
                           math::MatrixView<const T> gradient, math::MatrixView<uint16_t> value);

  math::Matrix<T>& first() { return first_; }    // adagrad's sums, adam's mean
  math::Matrix<T>& second() { return second_; }  // adam's mean square
  const math::Matrix<T>& first() const { return first_; }
  const math::Matrix<T>& second() const { return second_; }

 private:
  struct Factors;
  template <class Stored>
  struct Range;
  Factors factors(const StepRate& step) const;
  template <class Stored>
  void move(const Range<Stored>& range, const Factors& f) const;
  template <class Stored>
  void move_all(ThreadPool& pool, const StepRate& step, std::span<const uint32_t> rows,
                math::MatrixView<const T> gradient, math::MatrixView<Stored> value);
  OptimizerOptions options_;
  bool by_row_ = false;
  math::Matrix<T> first_, second_;
};

}  // namespace pagoda::nn
