#include "nn/optimizer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "math/clones.h"
#include "math/kernels.h"

namespace pagoda {

void describe(Fields& f, OptimizerOptions& o) {
  f.choice("optimizer", o.kind,
           {{"adagrad", OptimizerKind::adagrad},
            {"row_adagrad", OptimizerKind::row_adagrad},
            {"adam", OptimizerKind::adam},
            {"sgd", OptimizerKind::sgd}},
           "adagrad; row_adagrad (4 bytes of state a table row); adam (lazy on table rows); sgd");
  f.field("learning_rate", o.learning_rate, "step size; adagrad 0.05 .. 0.5, adam 0.0005 .. 0.01");
  f.field("weight_decay", o.weight_decay, "shrinks weights, and table rows when they are touched");
  f.field("beta1", o.beta1, "adam: memory of the gradient's mean");
  f.field("beta2", o.beta2, "adam: memory of its square");
  f.field("epsilon", o.epsilon, "adam: added to the root of the square");
  f.field("initial_accumulator", o.initial_accumulator,
          "adagrad: start of each squared-gradient sum; lower starts faster");
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

// g: the gradient's row; c: clipping's scale; v: the value's row.
//   sgd          v -= rate c g
//   adagrad      h += (c g)^2;            v -= rate c g / sqrt(h)
//   row_adagrad  h += mean_k (c g_k)^2;   v -= rate c g / sqrt(h)
//   adam         m = b1 m + (1 - b1) c g;  s = b2 s + (1 - b2) (c g)^2;  v -= rate mhat / (sqrt(shat) + eps)
namespace {

template <class T>
constexpr T kTiny = static_cast<T>(1e-30);  // an accumulator that started at 0 and saw a zero gradient

template <class T>
[[gnu::always_inline]] inline void adagrad_loop(T rate, T c, const T* g, T* h, T* v, size_t n) {
  for (size_t k = 0; k < n; ++k) {
    const T gk = c * g[k];
    h[k] += gk * gk;
    v[k] -= rate * gk / std::sqrt(h[k] + kTiny<T>);
  }
}

// rate1 = rate / (1 - b1^t), root2 = 1 / sqrt(1 - b2^t)
template <class T>
[[gnu::always_inline]] inline void adam_loop(T rate1, T root2, T b1, T b2, T eps, T c, const T* g, T* m, T* s, T* v,
                                             size_t n) {
  for (size_t k = 0; k < n; ++k) {
    const T gk = c * g[k];
    m[k] = b1 * m[k] + (1 - b1) * gk;
    s[k] = b2 * s[k] + (1 - b2) * gk * gk;
    v[k] -= rate1 * m[k] / (std::sqrt(s[k]) * root2 + eps);
  }
}

PAGODA_CLONES
void adagrad(float rate, float c, const float* g, float* h, float* v, size_t n) { adagrad_loop(rate, c, g, h, v, n); }
void adagrad(double rate, double c, const double* g, double* h, double* v, size_t n) {
  adagrad_loop(rate, c, g, h, v, n);
}
PAGODA_CLONES
void adam(float rate1, float root2, float b1, float b2, float eps, float c, const float* g, float* m, float* s,
          float* v, size_t n) {
  adam_loop(rate1, root2, b1, b2, eps, c, g, m, s, v, n);
}
void adam(double rate1, double root2, double b1, double b2, double eps, double c, const double* g, double* m, double* s,
          double* v, size_t n) {
  adam_loop(rate1, root2, b1, b2, eps, c, g, m, s, v, n);
}

}  // namespace

template <class T>
struct OptimizerState<T>::Factors {
  T rate, clip, keep;              // keep: of a value, after weight decay
  T adam_rate = 0, adam_root = 0;  // with the bias correction
};

template <class T>
typename OptimizerState<T>::Factors OptimizerState<T>::factors(const StepRate& step) const {
  Factors f{static_cast<T>(step.rate), static_cast<T>(step.gradient_scale),
            static_cast<T>(1 - step.rate * options_.weight_decay)};
  if (options_.kind == OptimizerKind::adam) {
    const auto t = static_cast<double>(step.step);
    f.adam_rate = static_cast<T>(step.rate / (1 - std::pow(options_.beta1, t)));
    f.adam_root = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  }
  return f;
}

template <class T>
void OptimizerState<T>::update_row(const Factors& f, const T* g, size_t row, T* v, size_t cols) {
  if (options_.weight_decay > 0) scale(f.keep, v, cols);
  switch (options_.kind) {
    case OptimizerKind::sgd: axpy(-f.rate * f.clip, g, v, cols); return;
    case OptimizerKind::adam:
      adam(f.adam_rate, f.adam_root, static_cast<T>(options_.beta1), static_cast<T>(options_.beta2),
           static_cast<T>(options_.epsilon), f.clip, g, first_[row], second_[row], v, cols);
      return;
    case OptimizerKind::adagrad:
    case OptimizerKind::row_adagrad: break;
  }
  if (!by_row_) return adagrad(f.rate, f.clip, g, first_[row], v, cols);
  T& h = first_[row][0];
  h += f.clip * f.clip * dot(g, g, cols) / static_cast<T>(cols);
  axpy(-f.rate * f.clip / std::sqrt(h + kTiny<T>), g, v, cols);
}

// The lines of a row of the table and of what belongs to it.
template <class T>
void OptimizerState<T>::ask_for(size_t row, MatrixView<T> value) const {
  constexpr size_t kLine = 64 / sizeof(T);
  const auto lines = [&](const T* at, size_t n) {
    for (size_t k = 0; k < n; k += kLine) __builtin_prefetch(at + k, 1);
  };
  lines(value[row], value.cols());
  if (first_.rows() > 0) lines(first_[row], first_.cols());
  if (second_.rows() > 0) lines(second_[row], second_.cols());
}

template <class T>
void OptimizerState<T>::update(ThreadPool& pool, const StepRate& step, MatrixView<const T> gradient,
                               MatrixView<T> value) {
  const auto f = factors(step);
  pool.for_chunks(value.rows(), 64, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) update_row(f, gradient[row], row, value[row], value.cols());
  });
}

template <class T>
void OptimizerState<T>::update_rows(ThreadPool& pool, const StepRate& step, std::span<const uint32_t> rows,
                                    MatrixView<const T> gradient, MatrixView<T> value) {
  constexpr size_t kAhead = 16;  // rows of a big table are far apart: ask for them before they are needed
  const auto f = factors(step);
  pool.for_chunks(rows.size(), 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (i + kAhead < rows.size()) ask_for(rows[i + kAhead], value);
      update_row(f, gradient[i], rows[i], value[rows[i]], value.cols());
    }
  });
}

template class OptimizerState<float>;
template class OptimizerState<double>;

}  // namespace pagoda
