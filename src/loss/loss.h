// Losses over a batch of user vectors and columns of item vectors: the value and the gradients dU, dV.
//
// Shapes, used throughout this room:
//   U [B, D]   user vectors, one a row          V [N, D]   item vectors, one a column of the logits
//   s [B, N]   logits s_ij = <u_i, v_j> / tau   (never held whole: rows are taken in blocks)
//
// A new loss is one file: a class derived from BlockedLoss (blocked_loss.h), which walks over the logits, or from Loss
// where that walk does not suit; a word in LossKind and a line in make_loss (loss.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/option_visitor.h"
#include "core/thread_pool.h"
#include "math/matrix.h"
#include "math/precision.h"
#include "math/ragged.h"

namespace pagoda::loss {

enum class LossKind { sampled_softmax, bce, triplet, cosine_contrastive };
// Whether a loss reads temperature, correction, beta and the log expected counts; others read cosines alone.
constexpr bool reads_temperature(LossKind kind) { return kind == LossKind::sampled_softmax || kind == LossKind::bce; }

// Which logits are corrected by log expected count (Yi et al. 2019 eq. 4; Yang et al. 2020; Khrylchenko et al. 2025).
enum class Correction { none, standard, negatives, leave_one_out };

struct LossOptions {
  LossKind kind = LossKind::sampled_softmax;
  std::optional<double> temperature = 0.1;  // none: learned, starting at 0.1
  Correction correction = Correction::standard;
  double logq_weight = 1.0;  // beta
  // t2 / t1 of the two-temperature loss (BSL); sampled_softmax alone. None: a training chooses it on validation, and it
  // is 1 wherever nobody chooses.
  std::optional<double> temperature_ratio = 1.0;
  double ratio() const { return temperature_ratio.value_or(1.0); }
  double margin = 0.1;             // of the cosine; triplet and cosine_contrastive
  double negative_weight = 150;    // w of cosine_contrastive
  int64_t top_k = 0;               // K of SL@K, 0: off
  double top_k_temperature = 0.2;  // tau_w of SL@K, of the cosine
  double top_k_start = 0.6;        // share of training before it begins
  int64_t top_k_refresh = 5;       // epochs between two searches for its thresholds
};

void describe(OptionVisitor& visitor, LossOptions& options);
// Error{usage}: temperature <= 0, beta < 0, ratio <= 0, margin <= 0, negative_weight <= 0; leave_one_out with a beta or
// a ratio, which its formula lacks, or with bce, which has no such form; a learned temperature with a loss that has
// none; top_k < 0, top_k_temperature <= 0, top_k_start not in 0 .. 1, top_k_refresh < 1.
void validate(const LossOptions& options);

// What a loss reads. All views are borrowed for the call.
template <class T>
struct LossInput {
  math::MatrixView<const T> users, items;    // U, V
  const math::Ragged<uint32_t>* positives;   // per row: the columns of its positives (one or more, in any order)
  std::span<const double> positive_weights;  // r, parallel to positives->values; empty: all 1
  // SL@K: [B] gamma, the cosine of the K-th best item of the whole catalogue for the row's user, and tau_w. Empty: r
  // stays as it is.
  std::span<const float> thresholds;
  double threshold_temperature = 0.2;
  // Per row, ascending: columns that are not negatives of the row (accidental hits); never its positives. nullptr:
  // none.
  const math::Ragged<uint32_t>* masked = nullptr;
  // Shared columns, which are negatives of every row: [first_negative, shared_columns). Any other column is a positive
  // of a row, one of row_columns, or unused.
  size_t first_negative = 0;
  size_t shared_columns = SIZE_MAX;
  // Per row, in any order: further negatives of this row alone; any columns except its positives. A column that is
  // named twice counts twice; they are not masked.
  const math::Ragged<uint32_t>* row_columns = nullptr;
  std::span<const double> row_log_count;    // parallel to row_columns->values
  size_t frozen_begin = 0, frozen_end = 0;  // columns whose vectors are constants: their rows of dV stay untouched
  // [N] log lambda_j, the log expected count of column j's item; finite for shared columns and positives, not read for
  // others.
  std::span<const double> log_count;
  std::span<const double> log_multiplicity;  // [N] or empty: column j stands for e^this equal columns; 0 in row_columns
  double negatives_drawn = 0;                // n of leave_one_out: the draws behind log_count, so Q = lambda / n
  double temperature = 0.1;
};

template <class T>
struct LossOutput {
  double value = 0;
  double d_log_temperature = 0;          // dL / d(log tau)
  math::MatrixView<T> d_users, d_items;  // [B, D], [N, D]: the caller's memory, overwritten but for frozen rows
};

// A loss keeps its workspace between calls, so it runs once at a time.
template <class T>
class Loss {
 public:
  virtual ~Loss() = default;
  virtual void run(ThreadPool& pool, const LossInput<T>& input, LossOutput<T>& output) = 0;
};

// The one visible list of losses. T is float, or double for gradient checks. With bf16, sampled_softmax in float rounds
// the factors of its products to bf16 if use_bf16_loss() (math/simd_level.h), and takes AMX where best_simd_level() has
// it; other losses, and double, ignore it.
template <class T>
std::unique_ptr<Loss<T>> make_loss(const LossOptions& options, math::Precision precision = math::Precision::f32);

// SL@K (Yang et al., KDD 2025: softmax loss at K) is a weight of the positives, and goes with each of the losses. With
// thresholds gamma_i,
//   r_ip <- r_ip sigmoid((<u_i, v_p> - gamma_i) / tau_w),   held constant in the gradient:
// training works on what may enter the first K places, and lets go of what is far below them, such as noise.
//
// The losses, one file each (reference.h has the softmax in 60 lines). All are safe for any finite logits, sum in
// double, and give the same bits on any number of threads. Memory: O((B + N) D + block N), block <= 84 rows;
// with AMX O((B + N) D + 512 N D / 1024).

// Sampled softmax with sampling-bias correction: Yi et al. (RecSys 2019), eq. 4; Yang et al. (WWW 2020), mixed
// negatives; Khrylchenko et al. (RecSys 2025), leave one out; BSL, two temperatures.
//
//   bias_j = log_multiplicity_j - beta log_count_j   (standard, negatives)       log_multiplicity_j   (none)
//   z_ij   = s_ij + bias_j                           (`negatives`: a positive's own z is its raw s)
//   standard, negatives, none:
//     L = (1/B) sum_i sum_{p in P_i} r_ip ( rho lse_i - z_ip ),   lse_i over the negatives of i and its positives
//   leave_one_out (one positive a row): log Q'(j|p) = log Q_j - log(1 - Q_p),
//     z_ij = s_ij + log_multiplicity_j - log Q'(j|p), lse over the negatives alone,
//     P = sigmoid(s_ip - lse_i + log n),  L = (1/B) sum_i r_i sg(1 - P) (lse_i - s_ip)
//
// In row_columns, log_count_j is the row's own row_log_count.
// rho = temperature_ratio (t2/t1). With several positives a row, each stays in the denominator of the others
// (a multinomial likelihood); a column named twice adds up its weights. A row whose negatives are all masked gives
// 0 with a zero gradient in leave_one_out, and is an ordinary softmax over its positives otherwise.
template <class T>
std::unique_ptr<Loss<T>> make_sampled_softmax(const LossOptions& options, math::Precision precision);

// Binary cross-entropy of each pair against the row's negatives. z and beta as above (`negatives`: a positive's z is
// its raw s; no leave_one_out), but log_multiplicity is no part of z: with w_j = e^log_multiplicity_j (1 in
// row_columns), n_i the sum of w_j over the row's negatives, R_i of r_ip over its positives:
//
//   L = (1/B) sum_i [ sum_{p in P_i} r_ip log(1 + e^-z_ip)  +  (R_i / n_i) sum_j w_j log(1 + e^z_ij) ]
//
// It takes the mean of the negatives, not their sum: the two terms balance, and the learning rate need not follow the
// number of columns.
// `none`, beta = 0: word2vec's negative sampling (Mikolov et al., NIPS 2013, eq. 4); its sum over k negatives gives the
// same optimum up to the constant log k: s = log p(j|i) / q_j. `standard`, beta = 1: noise-contrastive estimation
// (Gutmann and Hyvarinen, AISTATS 2010) of log p(j|i) + log n, where lambda = n q: popularity stays in the score. A row
// without a negative keeps its positives' term.
template <class T>
std::unique_ptr<Loss<T>> make_binary_cross_entropy(const LossOptions& options);

// Triplet hinge with margin m (Huang et al., EBR, KDD 2020, section 2.2), w_j and n_i as above:
//
//   L = (1/B) sum_i sum_{p in P_i} r_ip (1 / n_i) sum_j w_j max(0, m - <u_i, v_p> + <u_i, v_j>)
//
// It takes the mean of the negatives, not their sum: the learning rate need not follow the number of columns. The
// distance is 1 - cos if U and V are normalised. Temperature, correction, beta and ratio are not read:
// d_log_temperature is 0. A row without a negative gives 0 with a zero gradient. At the kink the slope is 0.
template <class T>
std::unique_ptr<Loss<T>> make_triplet(const LossOptions& options);

// Cosine contrastive loss (Mao et al., SimpleX, CIKM 2021, eq. 1), w_j, n_i and R_i as above, m and w of the options:
//
//   L = (1/B) sum_i [ sum_{p in P_i} r_ip max(0, 1 - <u_i, v_p>)  +  (w R_i / n_i) sum_j w_j max(0, <u_i, v_j> - m) ]
//
// A positive is pulled up to a cosine of 1, a negative pushed below m and no further: easy ones leave no trace. m may
// be high (0.4 to 0.9) and w large (tens to hundreds), since few of many negatives are above m. What is not read, and
// where there is no negative or a kink: as for the triplet, but the positives' term stays.
template <class T>
std::unique_ptr<Loss<T>> make_cosine_contrastive(const LossOptions& options);

}  // namespace pagoda::loss
