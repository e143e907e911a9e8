#include "nn/optimizer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace pagoda {

void describe(Fields& f, OptimizerOptions& o) {
  f.choice("optimizer", o.kind,
           {{"adagrad", OptimizerKind::adagrad}, {"row_adagrad", OptimizerKind::row_adagrad},
            {"adam", OptimizerKind::adam}, {"sgd", OptimizerKind::sgd}},
           "adagrad; row_adagrad (4 bytes of state a table row); adam (lazy on table rows); sgd");
  f.field("learning_rate", o.learning_rate, "step size; adagrad 0.05 .. 0.5, adam 0.0005 .. 0.01");
  f.field("weight_decay", o.weight_decay, "shrinks weights, and table rows when they are touched");
  f.field("beta1", o.beta1, "adam: memory of the gradient's mean");
  f.field("beta2", o.beta2, "adam: memory of its square");
  f.field("epsilon", o.epsilon, "adam: added to the root of the square");
  f.field("initial_accumulator", o.initial_accumulator, "adagrad: start of each squared-gradient sum; lower starts faster");
  f.field("clip_norm", o.clip_norm, "largest norm of a step's gradient; 0: no limit");
  f.field("warmup_steps", o.warmup_steps, "steps over which the rate rises to learning_rate");
  f.field("final_rate", o.final_rate, "share of learning_rate left at the last step; 1: constant");
}

void validate(const OptimizerOptions& o) {
  const auto positive = [](const char* key, double v) {
    if (!(v > 0) || !std::isfinite(v)) fail(ErrorKind::usage, "train.{} = {} must be above 0", key, v);
  };
  const auto not_negative = [](const char* key, double v) {
    if (!(v >= 0) || !std::isfinite(v)) fail(ErrorKind::usage, "train.{} = {} must not be negative", key, v);
  };
  positive("learning_rate", o.learning_rate);
  positive("epsilon", o.epsilon);
  not_negative("weight_decay", o.weight_decay);
  not_negative("initial_accumulator", o.initial_accumulator);
  not_negative("clip_norm", o.clip_norm);
  not_negative("final_rate", o.final_rate);
  for (double beta : {o.beta1, o.beta2})
    if (!(beta >= 0 && beta < 1)) fail(ErrorKind::usage, "train.beta1 and train.beta2 must be in [0, 1), not {}", beta);
  if (o.warmup_steps < 0) fail(ErrorKind::usage, "train.warmup_steps = {} is negative", o.warmup_steps);
}

double rate_schedule(const OptimizerOptions& o, uint64_t step, uint64_t steps) {
  const auto warmup = static_cast<uint64_t>(o.warmup_steps);
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (steps <= warmup + 1) return 1.0;
  const double done = static_cast<double>(step - warmup) / static_cast<double>(steps - 1 - warmup);
  return 1.0 + (o.final_rate - 1.0) * std::min(1.0, done);
}

template <class T>
OptimizerState<T>::OptimizerState(const OptimizerOptions& options, size_t rows, size_t cols, bool table)
    : options_(options), by_row_(table && options.kind == OptimizerKind::row_adagrad) {
  if (options.kind == OptimizerKind::sgd) return;
  first_.resize(rows, by_row_ ? 1 : cols);
  if (options.kind == OptimizerKind::adam)
    second_.resize(rows, cols), first_.fill(0), second_.fill(0);
  else
    first_.fill(static_cast<T>(options.initial_accumulator));
}

// g: the gradient's row, clipped; v: the value's row.
//   sgd          v -= rate g
//   adagrad      h += g^2;            v -= rate g / sqrt(h)
//   row_adagrad  h += mean_k g_k^2;   v -= rate g / sqrt(h)
//   adam         m = b1 m + (1 - b1) g;  s = b2 s + (1 - b2) g^2;  v -= rate mhat / (sqrt(shat) + eps)
template <class T>
void OptimizerState<T>::update_row(const StepRate& step, const T* g, size_t row, T* v, size_t cols) {
  const T rate = static_cast<T>(step.rate), scale = static_cast<T>(step.gradient_scale);
  const T keep = static_cast<T>(1 - step.rate * options_.weight_decay);
  if (options_.weight_decay > 0)
    for (size_t k = 0; k < cols; ++k) v[k] *= keep;
  switch (options_.kind) {
    case OptimizerKind::sgd:
      for (size_t k = 0; k < cols; ++k) v[k] -= rate * scale * g[k];
      return;
    case OptimizerKind::adam: {
      const T b1 = static_cast<T>(options_.beta1), b2 = static_cast<T>(options_.beta2);
      const T eps = static_cast<T>(options_.epsilon);
      const T rate1 = static_cast<T>(step.rate / (1 - std::pow(options_.beta1, static_cast<double>(step.step))));
      const T root2 = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(step.step))));
      T* m = first_[row];
      T* s = second_[row];
      for (size_t k = 0; k < cols; ++k) {
        const T gk = scale * g[k];
        m[k] = b1 * m[k] + (1 - b1) * gk;
        s[k] = b2 * s[k] + (1 - b2) * gk * gk;
        v[k] -= rate1 * m[k] / (std::sqrt(s[k]) * root2 + eps);
      }
      return;
    }
    case OptimizerKind::adagrad:
    case OptimizerKind::row_adagrad: break;
  }
  constexpr T kTiny = static_cast<T>(1e-30);  // an accumulator that started at 0 and saw a zero gradient
  if (by_row_) {
    T sum = 0;
    for (size_t k = 0; k < cols; ++k) sum += g[k] * g[k];
    T& h = first_[row][0];
    h += scale * scale * sum / static_cast<T>(cols);
    const T factor = rate * scale / std::sqrt(h + kTiny);
    for (size_t k = 0; k < cols; ++k) v[k] -= factor * g[k];
    return;
  }
  T* h = first_[row];
  for (size_t k = 0; k < cols; ++k) {
    const T gk = scale * g[k];
    h[k] += gk * gk;
    v[k] -= rate * gk / std::sqrt(h[k] + kTiny);
  }
}

template <class T>
void OptimizerState<T>::update(ThreadPool& pool, const StepRate& step, MatrixView<const T> gradient,
                               MatrixView<T> value) {
  pool.for_chunks(value.rows(), 64, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) update_row(step, gradient[row], row, value[row], value.cols());
  });
}

template <class T>
void OptimizerState<T>::update_rows(ThreadPool& pool, const StepRate& step, std::span<const uint32_t> rows,
                                    MatrixView<const T> gradient, MatrixView<T> value) {
  constexpr size_t kAhead = 16;  // rows of a big table are far apart: ask for them before they are needed
  pool.for_chunks(rows.size(), 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (i + kAhead < end) __builtin_prefetch(value[rows[i + kAhead]], 1);
      update_row(step, gradient[i], rows[i], value[rows[i]], value.cols());
    }
  });
}

template class OptimizerState<float>;
template class OptimizerState<double>;

}  // namespace pagoda
