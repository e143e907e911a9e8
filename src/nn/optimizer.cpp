#include "nn/optimizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include "core/error.h"
#include "core/rng.h"
#include "math/bf16.h"
#include "math/simd_dispatch.h"
#include "math/kernels.h"

namespace pagoda::nn {

void describe(OptionVisitor& f, OptimizerOptions& o) {
  f.choice("optimizer", o.kind,
           {{"adagrad", OptimizerKind::adagrad},
            {"row_adagrad", OptimizerKind::row_adagrad},
            {"adam", OptimizerKind::adam},
            {"sgd", OptimizerKind::sgd}},
           "adagrad; row_adagrad (4 bytes of state per table row); adam (lazy on table rows); sgd");
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
static void fill(ThreadPool& pool, math::Matrix<T>& matrix, T value) {
  pool.for_chunks(matrix.size(), size_t{1} << 20,
                  [&](size_t begin, size_t end) { std::fill(matrix.begin() + begin, matrix.begin() + end, value); });
}

template <class T>
OptimizerState<T>::OptimizerState(ThreadPool& pool, const OptimizerOptions& options, size_t rows, size_t cols,
                                  bool table)
    : options_(options), by_row_(table && options.kind == OptimizerKind::row_adagrad) {
  if (options.kind == OptimizerKind::sgd) return;
  const auto allocate = table ? math::allocate_table : math::allocate_zeroed;
  first_.resize(rows, by_row_ ? 1 : cols, allocate);
  // Filled even with zeros: the first touch of a page is expensive and should not happen in a step.
  if (options.kind == OptimizerKind::adam) {
    second_.resize(rows, cols, allocate);
    fill(pool, first_, T{0});
    fill(pool, second_, T{0});
  } else {
    fill(pool, first_, static_cast<T>(options.initial_accumulator));
  }
}

// The factors of one step, the same for every row.
template <class T>
struct OptimizerState<T>::Factors {
  T rate, clip, keep;              // keep: the share of a value left by weight decay
  T b1 = 0, b2 = 0, epsilon = 0;   // adam
  T adam_rate = 0, adam_root = 0;  // rate / (1 - b1^t), 1 / sqrt(1 - b2^t)
};

// Rows [begin, end) of a gradient [n, D] and their target: row rows[i] of the parameter, or row i if `rows` is empty.
template <class T>
template <class Stored>
struct OptimizerState<T>::Range {
  math::MatrixView<const T> gradient;
  const uint32_t* rows;
  size_t begin, end;
  math::MatrixView<T> first, second;
  math::MatrixView<Stored> value;
  uint64_t noise;  // of the step: decides the rounding to bf16
};

// g: the gradient's row; c: clipping's scale; v: the value's row.
//   sgd          v -= rate c g
//   adagrad      h += (c g)^2;            v -= rate c g / sqrt(h)
//   row_adagrad  h += mean_k (c g_k)^2;   v -= rate c g / sqrt(h)
//   adam         m = b1 m + (1 - b1) c g;  s = b2 s + (1 - b2) (c g)^2;  v -= rate mhat / (sqrt(shat) + eps)
//
// Each optimiser has a loop over all rows and not a call per row: the rows of a big table are far apart, and what a
// call writes to the stack would wait behind the stores to them.
namespace {

template <class T>
constexpr T kTiny = static_cast<T>(1e-30);  // an accumulator that started at 0 and saw a zero gradient

template <class T>
PAGODA_INLINE void ask_for(const T* at, size_t n) {
  for (size_t k = 0; k < n; k += 64 / sizeof(T)) __builtin_prefetch(at + k, 1);
}

// Calls f(i, row) for the rows of a range, and prefetches the rows to come.
template <class Range, class F>
PAGODA_INLINE void each_row(const Range& r, F f) {
  constexpr size_t kAhead = 16;
  const size_t readable = r.gradient.rows();
  for (size_t i = r.begin; i < r.end; ++i) {
    if (r.rows && i + kAhead < readable) {
      const size_t next = r.rows[i + kAhead];
      ask_for(r.value[next], r.value.cols());
      if (r.first.rows() > 0) ask_for(r.first[next], r.first.cols());
      if (r.second.rows() > 0) ask_for(r.second[next], r.second.cols());
    }
    f(i, r.rows ? size_t{r.rows[i]} : i);
  }
}

template <class T>
struct FloatValues {
  T* at;
  T operator[](size_t k) const { return at[k]; }
  void set(size_t k, T x) const { at[k] = x; }
};

// Rounds up with the probability of the part that is cut off, so that steps below half a unit are not lost but taken
// now and then.
struct Bf16Values {
  uint16_t* at;
  uint32_t noise;  // of the row and step
  float operator[](size_t k) const { return math::from_bf16(at[k]); }
  void set(size_t k, float x) const {
    uint32_t random = (noise + static_cast<uint32_t>(k)) * 0x9e3779b9u;
    random = (random ^ (random >> 15)) * 0x85ebca6bu;
    random = (random ^ (random >> 13)) * 0xc2b2ae35u;
    at[k] = static_cast<uint16_t>((std::bit_cast<uint32_t>(x) + (random >> 16)) >> 16);
  }
};

template <class Range>
PAGODA_INLINE auto values_of(const Range& r, size_t row) {
  using Stored = std::remove_pointer_t<decltype(r.value.data())>;
  if constexpr (std::is_same_v<Stored, uint16_t>)
    return Bf16Values{r.value[row], static_cast<uint32_t>(mix64(r.noise ^ row))};
  else
    return FloatValues<Stored>{r.value[row]};
}

template <class Range, class Factors>
PAGODA_INLINE void sgd_rows(const Range& r, const Factors& f) {
  const auto rate = f.rate * f.clip, keep = f.keep;
  const size_t cols = r.value.cols();
  each_row(r, [&](size_t i, size_t row) {
    const auto* g = r.gradient[i];
    const auto v = values_of(r, row);
    PAGODA_INDEPENDENT
    for (size_t k = 0; k < cols; ++k) v.set(k, keep * v[k] - rate * g[k]);
  });
}

template <class Range, class Factors>
PAGODA_INLINE void adagrad_rows(const Range& r, const Factors& f) {
  using T = decltype(f.rate + 0);
  const T rate = f.rate, c = f.clip, keep = f.keep;
  const size_t cols = r.value.cols();
  each_row(r, [&](size_t i, size_t row) {
    const T* g = r.gradient[i];
    T* h = r.first[row];
    const auto v = values_of(r, row);
    PAGODA_INDEPENDENT
    for (size_t k = 0; k < cols; ++k) {
      const T gk = c * g[k];
      h[k] += gk * gk;
      v.set(k, keep * v[k] - rate * gk / std::sqrt(h[k] + kTiny<T>));
    }
  });
}

template <class Range, class Factors>
PAGODA_INLINE void row_adagrad_rows(const Range& r, const Factors& f) {
  using T = decltype(f.rate + 0);
  const size_t cols = r.value.cols();
  each_row(r, [&](size_t i, size_t row) {
    const T* g = r.gradient[i];
    T& h = r.first[row][0];
    const auto v = values_of(r, row);
    h += f.clip * f.clip * math::dot(g, g, cols) / static_cast<T>(cols);
    const T rate = f.rate * f.clip / std::sqrt(h + kTiny<T>), keep = f.keep;
    PAGODA_INDEPENDENT
    for (size_t k = 0; k < cols; ++k) v.set(k, keep * v[k] - rate * g[k]);
  });
}

template <class Range, class Factors>
PAGODA_INLINE void adam_rows(const Range& r, const Factors& f) {
  using T = decltype(f.rate + 0);
  const size_t cols = r.value.cols();
  const T rate = f.adam_rate, root = f.adam_root, b1 = f.b1, b2 = f.b2, epsilon = f.epsilon, c = f.clip, keep = f.keep;
  each_row(r, [&](size_t i, size_t row) {
    const T* g = r.gradient[i];
    T *m = r.first[row], *s = r.second[row];
    const auto v = values_of(r, row);
    PAGODA_INDEPENDENT
    for (size_t k = 0; k < cols; ++k) {
      const T gk = c * g[k];
      m[k] = b1 * m[k] + (1 - b1) * gk;
      s[k] = b2 * s[k] + (1 - b2) * gk * gk;
      v.set(k, keep * v[k] - rate * m[k] / (std::sqrt(s[k]) * root + epsilon));
    }
  });
}

template <class Range, class Factors>
PAGODA_INLINE void move_rows(OptimizerKind kind, bool by_row, const Range& r, const Factors& f) {
  switch (kind) {
    case OptimizerKind::sgd: return sgd_rows(r, f);
    case OptimizerKind::adam: return adam_rows(r, f);
    case OptimizerKind::adagrad:
    case OptimizerKind::row_adagrad: break;
  }
  by_row ? row_adagrad_rows(r, f) : adagrad_rows(r, f);
}

}  // namespace

template <class T>
typename OptimizerState<T>::Factors OptimizerState<T>::factors(const StepRate& step) const {
  Factors f{static_cast<T>(step.rate), static_cast<T>(step.gradient_scale),
            static_cast<T>(1 - step.rate * options_.weight_decay)};
  if (options_.kind == OptimizerKind::adam) {
    const auto t = static_cast<double>(step.step);
    f.b1 = static_cast<T>(options_.beta1);
    f.b2 = static_cast<T>(options_.beta2);
    f.epsilon = static_cast<T>(options_.epsilon);
    f.adam_rate = static_cast<T>(step.rate / (1 - std::pow(options_.beta1, t)));
    f.adam_root = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  }
  return f;
}

template <>
template <>
void OptimizerState<float>::move(const Range<float>& range, const Factors& f) const {
  math::simd_call<move_rows<Range<float>, Factors>>(options_.kind, by_row_, range, f);
}
template <>
template <>
void OptimizerState<float>::move(const Range<uint16_t>& range, const Factors& f) const {
  math::simd_call<move_rows<Range<uint16_t>, Factors>>(options_.kind, by_row_, range, f);
}
template <>
template <>
void OptimizerState<double>::move(const Range<double>& range, const Factors& f) const {
  move_rows(options_.kind, by_row_, range, f);
}

template <class T>
void OptimizerState<T>::update(ThreadPool& pool, const StepRate& step, math::MatrixView<const T> gradient,
                               math::MatrixView<T> value) {
  const auto f = factors(step);
  pool.for_chunks(value.rows(), 64, [&](size_t begin, size_t end) {
    move(Range<T>{gradient, nullptr, begin, end, first_.view(), second_.view(), value, 0}, f);
  });
}

template <class T>
template <class Stored>
void OptimizerState<T>::move_all(ThreadPool& pool, const StepRate& step, std::span<const uint32_t> rows,
                                 math::MatrixView<const T> gradient, math::MatrixView<Stored> value) {
  check(gradient.rows() == rows.size(), "each row has a gradient");
  const auto f = factors(step);
  pool.for_chunks(rows.size(), 256, [&](size_t begin, size_t end) {
    move(Range<Stored>{gradient, rows.data(), begin, end, first_.view(), second_.view(), value, mix64(step.step)}, f);
  });
}

template <class T>
void OptimizerState<T>::update_rows(ThreadPool& pool, const StepRate& step, std::span<const uint32_t> rows,
                                    math::MatrixView<const T> gradient, math::MatrixView<T> value) {
  move_all(pool, step, rows, gradient, value);
}

template <>
void OptimizerState<float>::update_rows_of_bf16(ThreadPool& pool, const StepRate& step, std::span<const uint32_t> rows,
                                                math::MatrixView<const float> gradient,
                                                math::MatrixView<uint16_t> value) {
  move_all(pool, step, rows, gradient, value);
}

template <>
void OptimizerState<double>::update_rows_of_bf16(ThreadPool&, const StepRate&, std::span<const uint32_t>,
                                                 math::MatrixView<const double>, math::MatrixView<uint16_t>) {
  check(false, "only floats are stored as bf16");
}

template class OptimizerState<float>;
template class OptimizerState<double>;

}  // namespace pagoda::nn
