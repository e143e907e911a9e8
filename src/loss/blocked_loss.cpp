// Rows are processed in blocks of up to 84, or 512, shared columns in tiles that fit the second-level cache. For one
// block:
//
//   rows:                      positives and row columns: their logits; the masked columns
//   forward, a task per tile:  X = U V^T / divisor, from it E, and E V_t  (the tile's part of dU, before c_it)
//   rows:                      E of the row columns; the loss, the factors c_it;
//                              dU_i = sum_t c_it (E V_t)_i + the part of positives and row columns
//   backward, a task per tile: dV_t += E^T diag(c_it) U
//
// and after all blocks dV of the columns that rows name one by one (positives, row columns), with a task for each range
// of columns, in the order of the rows. The division into blocks, tiles and ranges depends on the shape alone, and each
// task owns what it writes.
//
// A softmax in float computes E = e^(x + bias - shift) while X is still in registers. The shift comes from a bound on
// the row, since its maximum is not known yet. If the bound is so far above a row that its terms would be lost, the
// block is computed with the maximum. In bf16, E is rounded as it is written, and the products with it are in bf16.
// On the tile registers of AMX, where products cost little beside memory, E is not kept: forward makes its sums alone,
// backward computes it again for E V_t and dV_t, and dU_i follows.
#include "loss/blocked_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "loss/amx_products.h"
#include "loss/bf16_products.h"
#include "loss/masked_cells.h"
#include "loss/named_columns.h"
#include "loss/tile_products.h"
#include "math/bf16.h"
#include "math/kernels.h"

namespace pagoda::loss {

namespace {

constexpr size_t kRowStep = 12;            // a multiple of the rows that any kernel takes at once
constexpr size_t kMaxRows = 7 * kRowStep;  // their part of U stays in the first-level cache
constexpr size_t kTileValues = 1 << 17;    // 512 KiB of float: half of a small second-level cache
constexpr size_t kRowChunk = 8;
constexpr size_t kColumnChunk = 256;

// The sum without `taken`. If that is most of the total, the difference would be noise, so the sum is computed again.
template <class Sum>
double rest(double total, double taken, Sum sum_again) {
  return taken < total / 2 ? total - taken : sum_again();
}

double sum_pairs(const uint32_t* pairs, size_t n) {
  double total = 0;
  for (size_t k = 0; k < n; ++k)
    total += double{math::from_bf16(static_cast<uint16_t>(pairs[k]))} +
             double{math::from_bf16(static_cast<uint16_t>(pairs[k] >> 16))};
  return total;
}

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

// How E of a block is computed: from logits by the loss; with the kernels of a softmax in float, in pairs of bf16, or
// on tile registers.
enum class Form { logits, floats, pairs, amx };

}  // namespace

template <class T>
struct BlockedLoss<T>::Block {
  // The input of one call.
  const BlockedLoss* loss;
  const LossInput<T>* input;
  size_t columns, shared, dim, tiles, width;
  double divisor;
  std::vector<T> bias, weight;      // [shared - first_negative]
  std::vector<double> tile_weight;  // [tiles] the sum over its columns

  // The block: rows [begin, begin + rows) of U.
  size_t begin, rows;
  Form form;
  TileProducts<T> products;
  bool products_prepared;   // in bf16, only for a block that falls back
  math::Matrix<T> logits;   // [tiles * rows, width + padding]: the rows of a tile are adjacent
  math::Matrix<T> partial;  // [tiles * partial_rows, D], or D rounded up for amx
  size_t partial_rows;      // rows, or rounded up for amx
  math::Matrix<T> scaled;   // [tiles * rows, D rounded up to a vector]
  AmxProducts amx;
  MaskedCells masked_cells;  // columns from first_negative on
  Bf16Products paired;
  math::Matrix<uint32_t> by_column;                 // [tiles * pairs of rows, width + padding]
  math::Matrix<uint32_t> by_row;                    // [tiles * rows rounded up to even, width / 2 + padding]
  math::Matrix<uint32_t> scaled_pairs;              // [tiles * pairs of rows, D rounded up to a vector]
  std::vector<double> sums;                         // [tiles + 1][sums_at[rows]]
  std::vector<size_t> sums_at;                      // [rows + 1]
  std::vector<double> factors;                      // [tiles + 1][rows] c_it
  std::vector<uint32_t> masked_columns;             // per row, ascending: its masked columns and positives
  std::vector<size_t> masked_at, masked_end;        // [rows] where a row's part of `masked_columns` begins and ends
  std::vector<Positive> positives;                  // per row, ascending by column
  std::vector<size_t> positives_at;                 // [rows + 1]
  std::vector<T> row_logits, row_bias, row_weight;  // parallel to row_columns->values from row_columns_first on
  size_t row_columns_first;
  std::vector<double> row_value, row_d_log_divisor;

  // All rows so far, row by row: positives, then row columns.
  NamedColumns<T> named;
  std::vector<size_t> named_at;  // [rows + 1] of the block

  void prepare(const BlockedLoss& the_loss, const LossInput<T>& loss_input, size_t widest);
  void prepare_products(ThreadPool& pool, Form of);
  void run_rows(ThreadPool& pool, size_t first, size_t count, Form as, LossOutput<T>& output);
  void take_rows(size_t first, size_t count);
  void make_room(ThreadPool& pool, Form as);
  void begin_row(size_t r);
  void forward(size_t t);
  void forward_exp2(size_t t);
  void forward_pairs(size_t t);
  void forward_amx(size_t t);
  bool exp2_is_accurate(size_t r) const;
  void finalize_row(size_t r);
  void backward(size_t t, LossOutput<T>& output);
  void gather_row(size_t r, std::span<double> sum, LossOutput<T>& output);
  void add_amx_items(ThreadPool& pool, LossOutput<T>& output);

  size_t tile_begin(size_t t) const { return input->first_negative + t * width; }
  size_t tile_end(size_t t) const { return std::min(shared, tile_begin(t + 1)); }
  math::MatrixView<T> tile(size_t t) {
    return logits.view().slice_rows(t * rows, (t + 1) * rows).slice_cols(0, tile_end(t) - tile_begin(t));
  }
  size_t row_pairs() const { return (rows + 1) / 2; }
  math::MatrixView<uint32_t> pairs_of(size_t t) {
    return by_column.view().slice_rows(t * row_pairs(), (t + 1) * row_pairs());
  }
  math::MatrixView<T> partial_of(size_t t) {
    return partial.view().slice_rows(t * partial_rows, t * partial_rows + rows);
  }
  bool frozen(size_t column) const { return column >= input->frozen_begin && column < input->frozen_end; }
  std::span<const uint32_t> row_columns_of(size_t r) const {
    return input->row_columns ? (*input->row_columns)[begin + r] : std::span<const uint32_t>();
  }
  size_t row_columns_at(size_t r) const {
    return input->row_columns ? input->row_columns->offsets[begin + r] - row_columns_first : 0;
  }
  Row row(size_t r) {
    Row row;
    row.positives = {positives.data() + positives_at[r], positives_at[r + 1] - positives_at[r]};
    row.segments = tiles + 1;
    row.sums_ = sums.data() + sums_at[r];
    row.sums_stride_ = sums_at[rows];
    row.factors_ = factors.data() + r;
    row.factors_stride_ = rows;
    return row;
  }
  std::span<const uint32_t> masked_in(size_t r, size_t first, size_t last) const {
    const auto from = masked_columns.begin() + masked_at[r], to = masked_columns.begin() + masked_end[r];
    const auto a = std::lower_bound(from, to, first), b = std::lower_bound(a, to, last);
    return {masked_columns.data() + (a - masked_columns.begin()), static_cast<size_t>(b - a)};
  }
  double gradient_scale() const {  // of d<u, v> = dx / divisor, in a mean over B rows
    return 1.0 / (divisor * static_cast<double>(input->users.rows()));
  }
};

template <class T>
void BlockedLoss<T>::Block::prepare(const BlockedLoss& the_loss, const LossInput<T>& loss_input, size_t widest) {
  loss = &the_loss;
  input = &loss_input;
  columns = input->items.rows();
  dim = input->items.cols();
  shared = std::min(columns, input->shared_columns);
  check(input->first_negative <= shared, "the first negative is one of the shared columns");
  // At least eight tiles if there are columns for them, so that several threads share the work evenly.
  const size_t negatives = shared - input->first_negative;
  width = std::clamp<size_t>(ceil_div(negatives, 8 * 64) * 64, 128, widest);
  tiles = ceil_div(negatives, width);

  const bool counted = loss->needs_log_count_;
  check(input->users.cols() == dim && input->positives->size() == input->users.rows(), "shapes of a loss's input");
  check(!counted || input->log_count.size() == columns, "a corrected loss has the log count of each column");
  check(input->positive_weights.empty() || input->positive_weights.size() == input->positives->values.size(),
        "one weight for each positive");
  check(input->thresholds.empty() || input->thresholds.size() == input->users.rows(), "one threshold for each row");
  check(input->log_multiplicity.empty() || input->log_multiplicity.size() == columns,
        "one multiplicity for each column");
  check(input->frozen_begin <= input->frozen_end && input->frozen_end <= columns, "frozen columns are columns");
  if (input->row_columns) {
    check(input->row_columns->size() == input->users.rows(), "each row has its row columns");
    check(!counted || input->row_log_count.size() == input->row_columns->values.size(),
          "a corrected loss has the log count of each row column");
  }
  named.list.clear();
  bias.resize(negatives);
  weight.resize(negatives);
  tile_weight.assign(tiles, 0.0);
  for (size_t k = 0; k < negatives; ++k) {
    const size_t j = input->first_negative + k;
    const double log_multiplicity = input->log_multiplicity.empty() ? 0.0 : input->log_multiplicity[j];
    bias[k] = static_cast<T>(loss->negative_bias(counted ? input->log_count[j] : 0.0, log_multiplicity));
    weight[k] = static_cast<T>(log_multiplicity == 0 ? 1.0 : std::exp(log_multiplicity));
    tile_weight[k / width] += weight[k];
    check(std::isfinite(bias[k]), "the log count of a column is finite");
  }
}

template <class T>
void BlockedLoss<T>::Block::take_rows(size_t first, size_t count) {
  begin = first;
  rows = count;
  row_value.resize(rows);
  row_d_log_divisor.resize(rows);
  positives_at.assign(1, 0);
  masked_at.assign(1, 0);
  sums_at.assign(1, 0);
  named_at.assign(1, named.list.size());
  for (size_t r = 0; r < rows; ++r) {
    const size_t own = (*input->positives)[begin + r].size();
    positives_at.push_back(positives_at.back() + own);
    masked_at.push_back(masked_at.back() + own + (input->masked ? (*input->masked)[begin + r].size() : 0));
    sums_at.push_back(sums_at.back() + loss->sums_in_segment(own));
    named_at.push_back(named_at.back() + own + row_columns_of(r).size());
  }
  positives.resize(positives_at.back());
  masked_columns.resize(masked_at.back());
  masked_end.resize(rows);
  named.list.resize(named_at.back());
  sums.assign((tiles + 1) * sums_at.back(), 0.0);
  factors.assign((tiles + 1) * rows, 0.0);
  if (!input->row_columns) return;
  row_columns_first = input->row_columns->offsets[begin];
  row_logits.resize(input->row_columns->offsets[begin + rows] - row_columns_first);
  row_bias.resize(row_logits.size());
  row_weight.assign(row_logits.size(), T(1));
}

template <class T>
void BlockedLoss<T>::Block::prepare_products(ThreadPool& pool, Form of) {
  const auto prepare = [&](auto& some) {
    some.prepare(pool, input->items, input->first_negative, shared, width, bias, divisor);
  };
  if constexpr (std::is_same_v<T, float>) {
    if (of == Form::pairs) return prepare(paired);
    if (of == Form::amx) return prepare(amx);
  }
  if (!std::exchange(products_prepared, true)) prepare(products);
}

template <class T>
void BlockedLoss<T>::Block::make_room(ThreadPool& pool, Form as) {
  constexpr size_t kPadding = TileProducts<T>::kPadding;
  const auto users = input->users.slice_rows(begin, begin + rows);
  form = as;
  partial_rows = form == Form::amx ? AmxProducts::padded(rows) : rows;
  partial.resize(tiles * partial_rows, form == Form::amx ? AmxProducts::padded(dim) : dim);
  if constexpr (std::is_same_v<T, float>) {
    if (form == Form::amx) {
      amx.take_rows(pool, users);
      constexpr size_t kStep = MaskedCells::kStep;
      masked_cells.resize(rows, shared - input->first_negative, masked_columns.size());
      pool.for_chunks(rows, kStep, [&](size_t first, size_t last) {
        masked_cells.take_group(first / kStep, last - first, masked_at[first], [&](size_t r) {
          return masked_in(first + r, input->first_negative, shared) |
                 std::views::transform([&](uint32_t j) { return static_cast<uint32_t>(j - input->first_negative); });
        });
      });
      return;
    }
    if (form == Form::pairs) paired.take_rows(users);
  }
  if (form != Form::pairs) {
    products.take_rows(users);
    logits.resize(tiles * rows, width + kPadding);
    scaled.resize(tiles * rows, (dim + 15) / 16 * 16);
    return;
  }
  by_column.resize(tiles * row_pairs(), width + kPadding);
  by_row.resize(2 * tiles * row_pairs(), width / 2 + kPadding);
  scaled_pairs.resize(tiles * row_pairs(), (dim + 15) / 16 * 16);
}

template <class T>
void BlockedLoss<T>::Block::begin_row(size_t r) {
  const T* u = input->users[begin + r];
  const auto of_row = (*input->positives)[begin + r];
  const size_t weights_at = input->positives->offsets[begin + r];
  const auto own = row(r).positives;
  for (size_t k = 0; k < own.size(); ++k) {
    const uint32_t p = of_row[k];
    check(p < columns, "a positive is one of the columns");
    const double product = static_cast<double>(math::dot(u, input->items[p], dim));
    double weight = input->positive_weights.empty() ? 1.0 : input->positive_weights[weights_at + k];
    if (!input->thresholds.empty())  // SL@K
      weight /= 1 + std::exp((double{input->thresholds[begin + r]} - product) / input->threshold_temperature);
    own[k] = {.column = p,
              .weight = weight,
              .logit = product / divisor,
              .log_count = loss->needs_log_count_ ? input->log_count[p] : 0.0,
              .log_multiplicity = input->log_multiplicity.empty() ? 0.0 : input->log_multiplicity[p],
              .gradient = 0};
    check(std::isfinite(own[k].log_count), "the log count of a positive is finite");
  }
  std::stable_sort(own.begin(), own.end(), [](const Positive& a, const Positive& b) { return a.column < b.column; });

  uint32_t* const first = masked_columns.data() + masked_at[r];
  uint32_t* last = std::transform(own.begin(), own.end(), first, [](const Positive& p) { return p.column; });
  uint32_t* const middle = last;
  if (input->masked) last = std::ranges::copy((*input->masked)[begin + r], last).out;
  std::inplace_merge(first, middle, last);
  masked_end[r] = static_cast<size_t>(std::unique(first, last) - masked_columns.data());

  const auto further = row_columns_of(r);
  const size_t at = row_columns_at(r);
  for (size_t k = 0; k < further.size(); ++k) {
    check(further[k] < columns, "a row column is one of the columns");
    check(!std::ranges::binary_search(own, further[k], {}, &Positive::column), "a positive is no negative of its row");
    row_logits[at + k] = static_cast<T>(static_cast<double>(math::dot(u, input->items[further[k]], dim)) / divisor);
    const double count = loss->needs_log_count_ ? input->row_log_count[row_columns_first + at + k] : 0.0;
    row_bias[at + k] = static_cast<T>(loss->negative_bias(count, 0.0));
    check(std::isfinite(row_bias[at + k]), "the log count of a row column is finite");
  }
}

template <class T>
void BlockedLoss<T>::Block::forward(size_t t) {
  const size_t first = tile_begin(t), last = tile_end(t), n = last - first;
  const auto x = tile(t);
  products.logits(t, x);
  const size_t at = first - input->first_negative;
  for (size_t r = 0; r < rows; ++r) {
    const Row of_row = row(r);
    const auto out = masked_in(r, first, last);
    double total = tile_weight[t];
    for (const uint32_t j : out) {
      x[r][j - first] = kMasked<T>;
      total -= weight[j - input->first_negative];
    }
    if (out.size() == n) total = 0;
    loss->accumulate(of_row, {x[r], bias.data() + at, weight.data() + at, out.size() == n ? 0 : n, total},
                     of_row.sums(t));
    for (const uint32_t j : out) x[r][j - first] = T(0);
  }
  products.product(t, x, partial_of(t));
}

template <class T>
void BlockedLoss<T>::Block::forward_exp2(size_t t) {
  if constexpr (std::is_same_v<T, float>) {
    const size_t first = tile_begin(t), last = tile_end(t);
    const auto e = tile(t);
    std::vector<double> shifts(rows), totals(rows);
    products.exp2_logits(t, e, shifts.data(), totals.data());
    for (size_t r = 0; r < rows; ++r) {
      double masked_sum = 0;
      for (const uint32_t j : masked_in(r, first, last)) {
        masked_sum += e[r][j - first];
        e[r][j - first] = 0;
      }
      double* kept = row(r).sums(t);
      kept[0] = shifts[r];
      kept[1] = rest(totals[r], masked_sum, [&] { return math::sum(e[r], last - first); });
    }
    products.product(t, e, partial_of(t));
  }
}

template <class T>
void BlockedLoss<T>::Block::forward_pairs(size_t t) {
  if constexpr (std::is_same_v<T, float>) {
    const size_t first = tile_begin(t), last = tile_end(t), n = last - first;
    const auto rows_of_e = by_row.view().slice_rows(2 * t * row_pairs(), 2 * (t + 1) * row_pairs());
    const auto columns_of_e = pairs_of(t);
    std::vector<double> shifts(rows), totals(rows);
    paired.exp2_logits(t, n, rows_of_e, columns_of_e, shifts.data(), totals.data());
    for (size_t r = 0; r < rows; ++r) {
      uint32_t* of_row = rows_of_e[r];
      double masked_sum = 0;
      for (const uint32_t j : masked_in(r, first, last)) {
        const size_t column = j - first;
        masked_sum += math::from_bf16(static_cast<uint16_t>(of_row[column / 2] >> 16 * (column % 2)));
        of_row[column / 2] &= column % 2 ? 0x0000ffff : 0xffff0000;
        columns_of_e[r / 2][column] &= r % 2 ? 0x0000ffff : 0xffff0000;
      }
      double* kept = row(r).sums(t);
      kept[0] = shifts[r];
      kept[1] = rest(totals[r], masked_sum, [&] { return sum_pairs(of_row, (n + 1) / 2); });
    }
    paired.product(t, rows_of_e.slice_rows(0, rows).slice_cols(0, (n + 1) / 2), partial_of(t));
  }
}

template <class T>
void BlockedLoss<T>::Block::forward_amx(size_t t) {
  if constexpr (std::is_same_v<T, float>) {
    std::vector<double> shifts(rows), totals(rows);
    amx.exp2_sums(t, masked_cells, shifts.data(), totals.data());
    for (size_t r = 0; r < rows; ++r) {
      double* kept = row(r).sums(t);
      kept[0] = shifts[r];
      kept[1] = totals[r];
    }
  }
}

// Whether the row's terms are far enough above those that were flushed to zero.
template <class T>
bool BlockedLoss<T>::Block::exp2_is_accurate(size_t r) const {
  constexpr double kLeast =
      -40;  // below the largest shift, so about e^-80 below the bound; terms below e^-109 are flushed
  static const double least = std::exp(kLeast);
  const auto kept = [&](size_t t) { return sums.data() + t * sums_at[rows] + sums_at[r]; };
  double most = -std::numeric_limits<double>::infinity(), total = 0;
  for (size_t t = 0; t < tiles; ++t) most = std::max(most, kept(t)[0]);
  for (size_t t = 0; t < tiles; ++t)  // nearly always enough
    if (kept(t)[0] == most && kept(t)[1] >= least) return true;
  for (size_t t = 0; t < tiles; ++t) total += kept(t)[1] * std::exp(kept(t)[0] - most);
  return total >= least || masked_in(r, input->first_negative, shared).size() == shared - input->first_negative;
}

template <class T>
void BlockedLoss<T>::Block::finalize_row(size_t r) {
  Row of_row = row(r);
  const auto further = row_columns_of(r);
  T* own = row_logits.data() + row_columns_at(r);
  loss->accumulate(of_row,
                   {own, row_bias.data() + row_columns_at(r), row_weight.data() + row_columns_at(r), further.size(),
                    static_cast<double>(further.size())},
                   of_row.sums(tiles));
  row_value[r] = loss->finalize(of_row);
  for (size_t t = 0; t <= tiles; ++t) of_row.factor(t) *= gradient_scale();
  NamedColumn<T>* name = named.list.data() + named_at[r];
  const auto batch_row = static_cast<uint32_t>(begin + r);
  for (auto& p : of_row.positives) {
    p.gradient *= gradient_scale();
    *name++ = {batch_row, p.column, static_cast<T>(p.gradient)};
  }
  for (size_t k = 0; k < further.size(); ++k)
    *name++ = {batch_row, further[k], static_cast<T>(of_row.factor(tiles) * own[k])};
}

template <class T>
void BlockedLoss<T>::Block::backward(size_t t, LossOutput<T>& output) {
  const std::span<const double> of_tile(factors.data() + t * rows, rows);
  if constexpr (std::is_same_v<T, float>) {
    if (form == Form::amx) {
      const auto from_first = [&](size_t j) { return std::max(j, input->first_negative) - input->first_negative; };
      amx.add_products(t, masked_cells, of_tile, from_first(input->frozen_begin), from_first(input->frozen_end),
                       partial_of(t).data());
      return;
    }
  }
  const auto pairs = scaled_pairs.view().slice_rows(t * row_pairs(), (t + 1) * row_pairs()).slice_cols(0, dim);
  const auto floats = scaled.view().slice_rows(t * rows, (t + 1) * rows).slice_cols(0, dim);
  if (form == Form::pairs) {
    paired.scale(of_tile, pairs);
  } else {
    for (size_t r = 0; r < rows; ++r) {
      const T factor = static_cast<T>(of_tile[r]);
      const T* u = input->users[begin + r];
      for (size_t d = 0; d < dim; ++d) floats[r][d] = factor * u[d];
    }
  }
  const size_t first = tile_begin(t), last = tile_end(t);
  const auto add_to_items = [&](size_t from, size_t to) {
    if (from >= to) return;
    if constexpr (std::is_same_v<T, float>) {
      if (form == Form::pairs) {
        const auto e = pairs_of(t);
        paired.add_transposed_product(e.slice_cols(from - first, to - first), pairs,
                                      output.d_items.slice_rows(from, to));
        return;
      }
    }
    const math::MatrixView<const T> e = tile(t);
    products.add_transposed_product(e.slice_cols(from - first, to - first), floats,
                                    output.d_items.slice_rows(from, to));
  };
  add_to_items(first, std::clamp(input->frozen_begin, first, last));
  add_to_items(std::clamp(input->frozen_end, first, last), last);
}

template <class T>
void BlockedLoss<T>::Block::gather_row(size_t r, std::span<double> sum, LossOutput<T>& output) {
  std::ranges::fill(sum, 0.0);
  const Row of_row = row(r);
  for (size_t t = 0; t < tiles; ++t) math::axpy(of_row.factor(t), partial_of(t)[r], sum.data(), dim);
  const auto add = [&](double gradient, uint32_t column) {
    math::axpy(gradient, input->items[column], sum.data(), dim);
  };
  for (const auto& p : of_row.positives) add(p.gradient, p.column);
  const auto further = row_columns_of(r);
  for (size_t k = 0; k < further.size(); ++k) add(of_row.factor(tiles) * row_logits[row_columns_at(r) + k], further[k]);
  // dL/d(log divisor) = -sum_j g_ij x_ij = -<u_i, dU_i>, for x_ij = <u_i, v_j> / divisor.
  const T* u = input->users[begin + r];
  T* d_user = output.d_users[begin + r];
  double along = 0;
  for (size_t d = 0; d < dim; ++d) {
    along += sum[d] * u[d];
    d_user[d] = static_cast<T>(sum[d]);
  }
  row_d_log_divisor[r] = -along;
}

template <class T>
void BlockedLoss<T>::Block::add_amx_items(ThreadPool& pool, LossOutput<T>& output) {
  if constexpr (std::is_same_v<T, float>)
    pool.for_chunks(shared - input->first_negative, kColumnChunk, [&](size_t first, size_t last) {
      for (size_t j = first; j < last; ++j)
        if (!frozen(input->first_negative + j)) amx.add_item(j, output.d_items.row(input->first_negative + j));
    });
}

template <class T>
void BlockedLoss<T>::Block::run_rows(ThreadPool& pool, size_t first, size_t count, Form as, LossOutput<T>& output) {
  const auto each_row = [&](auto f) {
    pool.for_chunks(count, kRowChunk, [&](size_t from, size_t to) {
      for (size_t r = from; r < to; ++r) f(r);
    });
  };
  take_rows(first, count);
  each_row([&](size_t r) { begin_row(r); });
  make_room(pool, as);
  pool.run(tiles, [&](size_t t) {
    switch (form) {
      case Form::logits: return forward(t);
      case Form::floats: return forward_exp2(t);
      case Form::pairs: return forward_pairs(t);
      case Form::amx: return forward_amx(t);
    }
  });
  bool accurate = true;
  for (size_t r = 0; r < rows && accurate && form != Form::logits; ++r) accurate = exp2_is_accurate(r);
  if (!accurate) {
    prepare_products(pool, Form::logits);
    named.list.resize(named_at.front());
    for (size_t from = first; from < first + count; from += kMaxRows)
      run_rows(pool, from, std::min(kMaxRows, first + count - from), Form::logits, output);
    return;
  }
  const auto gather = [&](size_t from, size_t to) {
    std::vector<double> sum(dim);
    for (size_t r = from; r < to; ++r) gather_row(r, sum, output);
  };
  const bool products_come_last = form == Form::amx;
  pool.for_chunks(rows, kRowChunk, [&](size_t from, size_t to) {
    for (size_t r = from; r < to; ++r) finalize_row(r);
    if (!products_come_last) gather(from, to);
  });
  pool.run(tiles, [&](size_t t) { backward(t, output); });
  if (products_come_last) pool.for_chunks(rows, kRowChunk, gather);
  output.value += std::accumulate(row_value.begin(), row_value.end(), 0.0);
  output.d_log_temperature += std::accumulate(row_d_log_divisor.begin(), row_d_log_divisor.end(), 0.0);
}

template <class T>
BlockedLoss<T>::BlockedLoss(bool needs_log_count, std::optional<math::Precision> exp2_precision)
    : needs_log_count_(needs_log_count), exp2_precision_(std::is_same_v<T, float> ? exp2_precision : std::nullopt),
      block_(std::make_unique<Block>()) {}

template <class T>
BlockedLoss<T>::~BlockedLoss() = default;

template <class T>
void BlockedLoss<T>::run(ThreadPool& pool, const LossInput<T>& input, LossOutput<T>& output) {
  const size_t batch = input.users.rows(), columns = input.items.rows(), dim = input.items.cols();
  check(output.d_users.rows() == batch && output.d_users.cols() == input.users.cols(), "dU has the shape of U");
  check(output.d_items.rows() == columns && output.d_items.cols() == dim, "dV has the shape of V");
  output.value = output.d_log_temperature = 0;
  pool.for_chunks(columns, kColumnChunk, [&](size_t first, size_t last) {
    for (size_t j = first; j < last; ++j)
      if (j < input.frozen_begin || j >= input.frozen_end) std::ranges::fill(output.d_items.row(j), T(0));
  });
  if (batch == 0) return;
  auto& block = *block_;
  const bool bf16 = exp2_precision_ == math::Precision::bf16;
  const Form form = !exp2_precision_     ? Form::logits
                    : !bf16              ? Form::floats
                    : block.amx.usable() ? Form::amx
                                         : Form::pairs;
  const size_t most = form == Form::amx ? AmxProducts::kMostRows : kMaxRows;
  const size_t step = form == Form::amx ? math::kAmxStep : kRowStep;
  const size_t block_rows = ceil_div(ceil_div(batch, ceil_div(batch, most)), step) * step;
  const auto temperature = begin(input);
  block.divisor = temperature.value_or(1.0);
  block.products_prepared = false;
  block.prepare(*this, input,
                form == Form::amx ? AmxProducts::kWidest : std::max<size_t>(kTileValues / block_rows / 64 * 64, 128));
  block.prepare_products(pool, form);
  for (size_t first = 0; first < batch; first += block_rows)
    block.run_rows(pool, first, std::min(block_rows, batch - first), form, output);
  if (form == Form::amx) block.add_amx_items(pool, output);
  block.named.add_to(pool, input.users, input.frozen_begin, input.frozen_end, output.d_items);
  output.value /= static_cast<double>(batch);
  if (!temperature) output.d_log_temperature = 0;
}

template class BlockedLoss<float>;
template class BlockedLoss<double>;

}  // namespace pagoda::loss
