// Losses over a batch of user vectors and columns of item vectors: the value and the gradients dU, dV.
//
// Shapes, used throughout this room:
//   U [B, D]   user vectors, one a row          V [N, D]   item vectors, one a column of the logits
//   s [B, N]   logits s_ij = <u_i, v_j> / tau   (never held whole: rows are taken in blocks)
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/fields.h"
#include "core/thread_pool.h"
#include "math/matrix.h"
#include "math/ragged.h"

namespace pagoda {

// Which logits are corrected by log expected count (ALGORITHMS: Yi 2019 eq. 4; Yang 2020; Khrylchenko 2025).
enum class Correction { none, standard, negatives, leave_one_out };

struct LossOptions {
  std::optional<double> temperature = 0.1;  // none: learned, starting at 0.1
  Correction correction = Correction::standard;
  double popularity_dial = 1.0;    // beta
  double temperature_ratio = 1.0;  // t2 / t1 of the two-temperature loss (BSL)
};

void describe(Fields& fields, LossOptions& options);
void validate(const LossOptions& options);  // Error{usage}: temperature <= 0, beta < 0, ratio <= 0

// What a loss reads. All views are borrowed for the call.
template <class T>
struct LossInput {
  MatrixView<const T> users, items;           // U, V
  const Ragged<uint32_t>* positives;          // per row: the columns of its positives (one or more)
  std::span<const double> positive_weights;   // r, parallel to positives->values; empty: all 1
  const Ragged<uint32_t>* masked;             // per row, rising: columns that are no negative of it (accidental hits);
                                              // never a positive of the row
  std::span<const double> log_count;          // [N] log lambda_j, the log expected count of column j's item
  MatrixView<const double> log_count_rows;    // [B, N] instead of log_count, when the count depends on the row
  std::span<const double> log_multiplicity;   // [N] or empty: column j stands for e^this equal columns
  double negatives_drawn = 0;                 // n of leave_one_out: the draws behind log_count, so Q = lambda / n
  double temperature = 0.1;
};

template <class T>
struct LossOutput {
  double value = 0;
  double d_log_temperature = 0;   // dL / d(log tau)
  MatrixView<T> d_users, d_items;  // overwritten
};

// Sampled softmax with sampling-bias correction, ALGORITHMS.md sections 1, 2 and 6.
//
//   bias_j = log_multiplicity_j - beta log_count_j          (standard, negatives; the positive of `negatives` has none)
//   z_ij   = s_ij + bias_j
//   standard, negatives, none:
//     L = (1/B) sum_i sum_{p in P_i} r_ip ( rho lse_i - z_ip ),   lse_i over the negatives of i and its positives
//   leave_one_out (one positive a row): log Q'(j|p) = log Q_j - log(1 - Q_p),  z_ij = s_ij - log Q'(j|p), lse over the
//     negatives alone,  P = sigmoid(s_ip - lse_i + log n),  L = (1/B) sum_i r_i sg(1 - P) (lse_i - s_ip)
//
// rho = temperature_ratio (t2/t1). With several positives a row, each stays in the denominator of the others
// (a multinomial likelihood). A row whose negatives are all masked contributes 0 with a zero gradient in
// leave_one_out, and is an ordinary softmax over its positives otherwise.
// Safe for any finite logits (the row's maximum is subtracted). Sums in double. Same bits on any number of threads.
// Memory: O((B + N) D + block N), block = 64..256 rows. T is float, or double for gradient checks.
template <class T>
class SampledSoftmax {
 public:
  explicit SampledSoftmax(const LossOptions& options) : options_(options) {}
  void run(ThreadPool& pool, const LossInput<T>& input, LossOutput<T>& output);

 private:
  LossOptions options_;
  Matrix<T> logits_;        // one block of rows [block, N], kept between calls
  Matrix<T> scaled_users_;  // the block's rows times each row's gradient factor
};

}  // namespace pagoda
