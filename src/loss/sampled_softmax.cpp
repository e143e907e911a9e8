// Rows are taken in blocks of up to 256 and columns in tiles that fit the second-level cache. For one block:
//
//   forward,  a task per tile:  X = U V^T / tau;  m_it = max_j z_ij,  E_ij = exp(z_ij - m_it),  S_it = sum_j E_ij
//   rows:                       lse_i and the loss from the S_it and the positives
//   backward, a task per tile:  dV_t += E^T diag(c_it) U,   E V_t  (the tile's part of dU, before the factor c_it)
//   rows:                       dU_i = sum_t c_it (E V_t)_i + the positives' part
//
// with c_it = rho R_i exp(m_it - lse_i) / (B tau), R_i the row's total weight. A tile is shifted by its own maximum, so
// the logits are written once and read once. Positives and masked columns are zero in E: a positive's gradient
// (rho R_i softmax - r_ip) / (B tau) is small when it is learned well, and is added apart, without cancellation.
// The cut into blocks and tiles depends on the shape alone and each task owns what it writes.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "loss/loss.h"
#include "math/gemm.h"
#include "math/kernels.h"

namespace pagoda {

namespace {

constexpr size_t kMaxRows = 256;
constexpr size_t kTileValues = 1 << 17;  // 512 KiB of float: half of a small second-level cache
constexpr size_t kRowChunk = 8;

// The logit of a hidden column: loses against any real one, and stays finite when a bias is added.
template <class T>
constexpr T kHidden = -std::numeric_limits<T>::max() / 4;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

struct Positive {
  uint32_t column;
  double weight;    // r
  double logit;     // s
  double gradient;  // dL / d<u, v>
};

}  // namespace

template <class T>
struct SampledSoftmax<T>::Block {
  // One call's view of the world.
  const LossOptions* options;
  const LossInput<T>* input;
  size_t columns, dim, tiles, width;
  double beta, log_n;
  std::vector<T> bias;  // [N], when the log count does not depend on the row

  // The block: rows [begin, begin + rows) of U.
  size_t begin, rows;
  Matrix<T> logits;                           // [tiles * rows, width]: tile t's rows lie together
  Matrix<T> partial, scaled;                  // [tiles * rows, D]
  Matrix<T> tile_bias;                        // [tiles, width]: one row's biases, when they depend on the row
  std::vector<double> tile_max, tile_sum;     // [tiles * rows] m_it, S_it
  std::vector<double> tile_factor;            // [tiles * rows] c_it
  std::vector<uint32_t> hidden;               // per row, rising: its masked columns and positives
  std::vector<size_t> hidden_at, hidden_end;  // [rows] where a row's part of `hidden` begins and ends
  std::vector<Positive> positives;            // per row, rising by column
  std::vector<size_t> positives_at;           // [rows + 1]
  std::vector<double> row_value, row_d_log_temperature;

  void prepare(const LossOptions& loss_options, const LossInput<T>& loss_input, size_t max_rows);
  void take_rows(size_t first, size_t count);
  void hide(size_t r);
  void forward(size_t t);
  void leave_out(size_t r);
  void finish_row(size_t r);
  void finish_row_leave_one_out(size_t r);
  void backward(size_t t, LossOutput<T>& output);
  void add_positives(size_t first, size_t last, LossOutput<T>& output);
  void gather_row(size_t r, std::span<double> sum, LossOutput<T>& output);

  size_t tile_begin(size_t t) const { return input->first_negative + t * width; }
  size_t tile_end(size_t t) const { return std::min(columns, tile_begin(t + 1)); }
  MatrixView<T> tile(size_t t) {
    return logits.view().slice_rows(t * rows, (t + 1) * rows).slice_cols(0, tile_end(t) - tile_begin(t));
  }
  double log_count(size_t r, size_t j) const {
    return input->log_count_rows.rows() ? input->log_count_rows[begin + r][j] : input->log_count[j];
  }
  double bias_of(size_t r, size_t j) const {
    const double multiplicity = input->log_multiplicity.empty() ? 0.0 : input->log_multiplicity[j];
    switch (options->correction) {
      case Correction::none: return multiplicity;
      case Correction::leave_one_out: return multiplicity - (log_count(r, j) - log_n);  // -log Q_j
      default: return multiplicity - beta * log_count(r, j);
    }
  }
  std::span<Positive> positives_of(size_t r) {
    return {positives.data() + positives_at[r], positives_at[r + 1] - positives_at[r]};
  }
  std::span<const uint32_t> hidden_in(size_t r, size_t first, size_t last) const {
    const auto from = hidden.begin() + hidden_at[r], to = hidden.begin() + hidden_end[r];
    const auto a = std::lower_bound(from, to, first), b = std::lower_bound(a, to, last);
    return {hidden.data() + (a - hidden.begin()), static_cast<size_t>(b - a)};
  }
  double gradient_scale() const {  // of d<u, v> = ds / tau, in a mean over B rows
    return 1.0 / (input->temperature * static_cast<double>(input->users.rows()));
  }
};

template <class T>
void SampledSoftmax<T>::Block::prepare(const LossOptions& loss_options, const LossInput<T>& loss_input,
                                       size_t max_rows) {
  options = &loss_options, input = &loss_input;
  columns = input->items.rows(), dim = input->items.cols();
  beta = options->popularity_dial;
  log_n = std::log(input->negatives_drawn);
  // At least eight tiles where there are columns for them, so that several threads share the work evenly.
  const size_t widest = std::max<size_t>(kTileValues / max_rows / 64 * 64, 128);
  check(input->first_negative <= columns, "the first negative is one of the columns");
  const size_t negatives = columns - input->first_negative;
  width = std::clamp<size_t>(ceil_div(negatives, 8 * 64) * 64, 128, widest);
  tiles = ceil_div(negatives, width);

  const bool corrected = options->correction != Correction::none;
  const bool by_row = input->log_count_rows.rows() > 0;
  check(input->users.cols() == dim && input->positives->size() == input->users.rows(), "shapes of a loss's input");
  check(!corrected || by_row || input->log_count.size() == columns,
        "a corrected loss has the log count of each column");
  check(!by_row || (input->log_count_rows.rows() == input->users.rows() && input->log_count_rows.cols() == columns),
        "log counts of each row and column");
  check(options->correction != Correction::leave_one_out || input->negatives_drawn > 0,
        "leave_one_out knows its draws");
  check(input->positive_weights.empty() || input->positive_weights.size() == input->positives->values.size(),
        "one weight for each positive");
  bias.clear();
  if (corrected && by_row) {
    tile_bias.resize(tiles, width);
    return;
  }
  bias.resize(columns);
  for (size_t j = 0; j < columns; ++j) {
    bias[j] = static_cast<T>(bias_of(0, j));
    check(std::isfinite(bias[j]), "the log count of a column is finite");
  }
}

template <class T>
void SampledSoftmax<T>::Block::take_rows(size_t first, size_t count) {
  begin = first, rows = count;
  logits.resize(tiles * rows, width);
  partial.resize(tiles * rows, dim), scaled.resize(tiles * rows, dim);
  tile_max.resize(tiles * rows), tile_sum.resize(tiles * rows), tile_factor.resize(tiles * rows);
  row_value.resize(rows), row_d_log_temperature.resize(rows);
  positives_at.assign(1, 0), hidden_at.assign(1, 0);
  for (size_t r = 0; r < rows; ++r) {
    const size_t own = (*input->positives)[begin + r].size();
    positives_at.push_back(positives_at.back() + own);
    hidden_at.push_back(hidden_at.back() + own + (input->masked ? (*input->masked)[begin + r].size() : 0));
  }
  positives.resize(positives_at.back());
  hidden.resize(hidden_at.back());
  hidden_end.resize(rows);
}

// Fills the row's lists of positives and of hidden columns.
template <class T>
void SampledSoftmax<T>::Block::hide(size_t r) {
  const auto columns_of_row = (*input->positives)[begin + r];
  const size_t weights_at = input->positives->offsets[begin + r];
  const auto own = positives_of(r);
  check(options->correction != Correction::leave_one_out || own.size() == 1, "leave_one_out has one positive a row");
  for (size_t k = 0; k < own.size(); ++k) {
    const uint32_t p = columns_of_row[k];
    check(p < columns, "a positive is one of the columns");
    own[k] = {p, input->positive_weights.empty() ? 1.0 : input->positive_weights[weights_at + k],
              static_cast<double>(dot(input->users[begin + r], input->items[p], dim)) / input->temperature, 0.0};
  }
  std::stable_sort(own.begin(), own.end(), [](const Positive& a, const Positive& b) { return a.column < b.column; });

  uint32_t* const first = hidden.data() + hidden_at[r];
  uint32_t* last = std::transform(own.begin(), own.end(), first, [](const Positive& p) { return p.column; });
  uint32_t* const middle = last;
  if (input->masked) last = std::ranges::copy((*input->masked)[begin + r], last).out;
  std::inplace_merge(first, middle, last);
  hidden_end[r] = static_cast<size_t>(std::unique(first, last) - hidden.data());
}

template <class T>
void SampledSoftmax<T>::Block::forward(size_t t) {
  const size_t first = tile_begin(t), last = tile_end(t), n = last - first;
  const auto x = tile(t);
  gemm(Op::none, Op::transpose, static_cast<T>(1.0 / input->temperature), input->users.slice_rows(begin, begin + rows),
       input->items.slice_rows(first, last), T(0), x);
  for (size_t r = 0; r < rows; ++r) {
    double& max = tile_max[t * rows + r];
    double& sum = tile_sum[t * rows + r];
    const auto out = hidden_in(r, first, last);
    if (out.size() == n) {
      std::fill_n(x[r], n, T(0));
      max = -kInfinity, sum = 0;
      continue;
    }
    const T* b = bias.data() + first;
    if (bias.empty()) {
      T* own = tile_bias[t];
      for (size_t j = 0; j < n; ++j) own[j] = static_cast<T>(bias_of(r, first + j));
      b = own;
    }
    for (const uint32_t j : out) x[r][j - first] = kHidden<T>;
    const T shift = max_biased(x[r], b, n);
    max = shift;
    sum = exp_shifted(x[r], b, shift, n);
    for (const uint32_t j : out) x[r][j - first] = T(0);
  }
}

// A row that has nothing to learn from: no loss, no gradient.
template <class T>
void SampledSoftmax<T>::Block::leave_out(size_t r) {
  row_value[r] = 0;
  for (size_t t = 0; t < tiles; ++t) tile_factor[t * rows + r] = 0;
  for (auto& p : positives_of(r)) p.gradient = 0;
}

template <class T>
void SampledSoftmax<T>::Block::finish_row(size_t r) {
  const auto own = positives_of(r);
  const bool raw = options->correction == Correction::negatives;
  const auto z = [&](const Positive& p) { return raw ? p.logit : p.logit + bias_of(r, p.column); };
  const auto first_of_column = [&](size_t k) { return k == 0 || own[k].column != own[k - 1].column; };

  double max = -kInfinity, sum = 0, weight = 0, numerator = 0;
  for (size_t t = 0; t < tiles; ++t) max = std::max(max, tile_max[t * rows + r]);
  for (const auto& p : own) {
    max = std::max(max, z(p));
    weight += p.weight;
    numerator += p.weight * z(p);
  }
  for (size_t t = 0; t < tiles; ++t) {
    const size_t at = t * rows + r;
    if (tile_sum[at] > 0) sum += tile_sum[at] * std::exp(tile_max[at] - max);
  }
  for (size_t k = 0; k < own.size(); ++k)
    if (first_of_column(k)) sum += std::exp(z(own[k]) - max);

  if (weight == 0) return leave_out(r);
  const double lse = max + std::log(sum), pull = options->temperature_ratio * weight;
  row_value[r] = pull * lse - numerator;
  for (size_t t = 0; t < tiles; ++t)
    tile_factor[t * rows + r] = pull * gradient_scale() * std::exp(tile_max[t * rows + r] - lse);
  for (size_t k = 0; k < own.size(); ++k) {
    const double softmax = first_of_column(k) ? std::exp(z(own[k]) - lse) : 0.0;
    own[k].gradient = gradient_scale() * (pull * softmax - own[k].weight);
  }
}

template <class T>
void SampledSoftmax<T>::Block::finish_row_leave_one_out(size_t r) {
  auto& positive = positives_of(r)[0];
  double max = -kInfinity, sum = 0;
  for (size_t t = 0; t < tiles; ++t) max = std::max(max, tile_max[t * rows + r]);
  for (size_t t = 0; t < tiles && max > -kInfinity; ++t)
    sum += tile_sum[t * rows + r] * std::exp(tile_max[t * rows + r] - max);
  if (sum == 0) return leave_out(r);  // no negative is left
  // Q_p stays below 1, or a positive that every draw is expected to be would have no negatives at all.
  const double q_positive = std::min(std::exp(log_count(r, positive.column) - log_n), 1 - 1e-9);
  const double log_sum = max + std::log(sum), lse = log_sum + std::log1p(-q_positive);
  const double not_positive = 1 / (1 + std::exp(positive.logit - lse + log_n));  // 1 - P, held constant
  const double pull = positive.weight * not_positive;
  row_value[r] = pull == 0 ? 0 : pull * (lse - positive.logit);
  for (size_t t = 0; t < tiles; ++t)
    tile_factor[t * rows + r] = pull * gradient_scale() * std::exp(tile_max[t * rows + r] - log_sum);
  positive.gradient = -pull * gradient_scale();
}

template <class T>
void SampledSoftmax<T>::Block::backward(size_t t, LossOutput<T>& output) {
  const size_t first = tile_begin(t), last = tile_end(t);
  const MatrixView<const T> e = tile(t);
  const auto d_items = output.d_items.slice_rows(first, last);
  const auto factored = scaled.view().slice_rows(t * rows, (t + 1) * rows);
  for (size_t r = 0; r < rows; ++r) {
    const T factor = static_cast<T>(tile_factor[t * rows + r]);
    const T* u = input->users[begin + r];
    for (size_t d = 0; d < dim; ++d) factored[r][d] = factor * u[d];
  }
  gemm(Op::transpose, Op::none, T(1), e, MatrixView<const T>(factored), begin == 0 ? T(0) : T(1), d_items);
  gemm(Op::none, Op::none, T(1), e, input->items.slice_rows(first, last), T(0),
       partial.view().slice_rows(t * rows, (t + 1) * rows));
  add_positives(first, last, output);
}

// The positives' part of dV, for columns [first, last).
template <class T>
void SampledSoftmax<T>::Block::add_positives(size_t first, size_t last, LossOutput<T>& output) {
  for (size_t r = 0; r < rows; ++r) {
    const auto own = positives_of(r);
    auto p = std::ranges::lower_bound(own, first, {}, &Positive::column);
    for (; p != own.end() && p->column < last; ++p)
      axpy(static_cast<T>(p->gradient), input->users[begin + r], output.d_items[p->column], dim);
  }
}

template <class T>
void SampledSoftmax<T>::Block::gather_row(size_t r, std::span<double> sum, LossOutput<T>& output) {
  std::ranges::fill(sum, 0.0);
  for (size_t t = 0; t < tiles; ++t) {
    const double factor = tile_factor[t * rows + r];
    const T* part = partial[t * rows + r];
    for (size_t d = 0; d < dim; ++d) sum[d] += factor * part[d];
  }
  for (const auto& p : positives_of(r)) {
    const T* v = input->items[p.column];
    for (size_t d = 0; d < dim; ++d) sum[d] += p.gradient * v[d];
  }
  // dL/d(log tau) = -sum_j g_ij s_ij = -<u_i, dU_i>, for s_ij = <u_i, v_j> / tau.
  const T* u = input->users[begin + r];
  T* d_user = output.d_users[begin + r];
  double along = 0;
  for (size_t d = 0; d < dim; ++d) along += sum[d] * u[d], d_user[d] = static_cast<T>(sum[d]);
  row_d_log_temperature[r] = -along;
}

template <class T>
SampledSoftmax<T>::SampledSoftmax(const LossOptions& options) : options_(options), block_(std::make_unique<Block>()) {}

template <class T>
SampledSoftmax<T>::~SampledSoftmax() = default;

template <class T>
void SampledSoftmax<T>::run(ThreadPool& pool, const LossInput<T>& input, LossOutput<T>& output) {
  const size_t batch = input.users.rows(), columns = input.items.rows(), dim = input.users.cols();
  check(output.d_users.rows() == batch && output.d_users.cols() == dim, "dU has the shape of U");
  check(output.d_items.rows() == columns && output.d_items.cols() == input.items.cols(), "dV has the shape of V");
  output.value = output.d_log_temperature = 0;
  if (batch == 0) {
    for (size_t j = 0; j < columns; ++j) std::ranges::fill(output.d_items.row(j), T(0));
    return;
  }
  const size_t block_rows = ceil_div(batch, ceil_div(batch, kMaxRows));
  auto& block = *block_;
  block.prepare(options_, input, block_rows);
  for (size_t begin = 0; begin < batch; begin += block_rows) {
    block.take_rows(begin, std::min(block_rows, batch - begin));
    const auto each_row = [&](auto f) {
      pool.for_chunks(block.rows, kRowChunk, [&](size_t first, size_t last) {
        for (size_t r = first; r < last; ++r) f(r);
      });
    };
    each_row([&](size_t r) { block.hide(r); });
    pool.run(block.tiles, [&](size_t t) { block.forward(t); });
    if (options_.correction == Correction::leave_one_out)
      each_row([&](size_t r) { block.finish_row_leave_one_out(r); });
    else
      each_row([&](size_t r) { block.finish_row(r); });
    pool.run(block.tiles, [&](size_t t) { block.backward(t, output); });
    pool.for_chunks(input.first_negative, kMaxRows, [&](size_t first, size_t last) {
      for (size_t j = first; j < last && begin == 0; ++j) std::ranges::fill(output.d_items.row(j), T(0));
      block.add_positives(first, last, output);
    });
    pool.for_chunks(block.rows, kRowChunk, [&](size_t first, size_t last) {
      std::vector<double> sum(dim);
      for (size_t r = first; r < last; ++r) block.gather_row(r, sum, output);
    });
    output.value += std::accumulate(block.row_value.begin(), block.row_value.end(), 0.0);
    output.d_log_temperature +=
        std::accumulate(block.row_d_log_temperature.begin(), block.row_d_log_temperature.end(), 0.0);
  }
  output.value /= static_cast<double>(batch);
}

template class SampledSoftmax<float>;
template class SampledSoftmax<double>;

}  // namespace pagoda
