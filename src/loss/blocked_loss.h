// What losses over logits share: the walk over blocks of rows and tiles of columns, the masks, the columns of single
// rows, dU and dV. A loss defines the bias of a negative, the term of its logit, and the value of a row.
//
// The negatives of a row come in segments: one for each tile of the shared columns, and a last one for the columns of
// this row alone. With x_ij = <u_i, v_j> / divisor:
//
//   accumulate, per row and segment:  E_ij from x_ij, bias and weight, for the negatives of the segment; sums of them
//   finalize, per row:                from the sums: the value L_i, the gradient of each positive, and a factor c_it
//                                     for each segment t, so that dL_i / dx_ij = c_it E_ij for its negatives j
//
// Each segment has its own factor so that a softmax may shift it by its own maximum: a logit is then written once and
// read once. The gradient of a positive is added apart from E, which is zero there: when the positive is learned well
// the gradient is a small difference, which would suffer cancellation.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "loss/loss.h"

namespace pagoda::loss {

// The logit of a masked column: below any real one, and finite even with a bias.
template <class T>
constexpr T kMasked = -std::numeric_limits<T>::max() / 4;

struct Positive {
  uint32_t column;
  double weight;            // r
  double logit;             // x
  double log_count;         // 0 where the input has none
  double log_multiplicity;  // 0 where the input has none
  double gradient;          // dL_i / dx, set by finalize
};

// Negatives of one row that lie together in memory.
template <class T>
struct Segment {
  T* x;                 // [n] logits, kMasked<T> where the column is masked
  const T* bias;        // [n] the loss's negative_bias
  const T* weight;      // [n] e^log_multiplicity
  size_t n;             // 0 if no column of the segment is a negative
  double total_weight;  // of the negatives alone
};

// One row of a block. finalize sets factor(t) of each segment and the gradients of the positives, which start as zeros.
class Row {
 public:
  std::span<Positive> positives;  // rising by column
  size_t segments;

  double* sums(size_t segment) const { return sums_ + segment * sums_stride_; }  // as accumulate left them
  double& factor(size_t segment) const { return factors_[segment * factors_stride_]; }

 private:
  template <class T>
  friend class BlockedLoss;
  double *sums_, *factors_;
  size_t sums_stride_, factors_stride_;
};

template <class T>
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): it is virtual in Loss<T>, which the check does not look
// into
class BlockedLoss : public Loss<T> {
 public:
  ~BlockedLoss() override;
  void run(ThreadPool& pool, const LossInput<T>& input, LossOutput<T>& output) final;

 protected:
  // needs_log_count: the input must have the log count of each column. exp2_precision: set if E = e^(x + bias -
  // sums[0]) for any sums[0] near the row's maximum, and sums[1] is their sum: then the walk over floats computes them
  // itself, in this precision.
  BlockedLoss(bool needs_log_count, std::optional<math::Precision> exp2_precision);

  // Called at the start of a run; checks what this loss alone requires of the input. Returns the temperature, by which
  // the products are divided, or none.
  virtual std::optional<double> begin(const LossInput<T>& input) = 0;
  virtual double negative_bias(double log_count, double log_multiplicity) const = 0;
  virtual size_t sums_in_segment(size_t positives) const = 0;
  // Turns segment.x into E, which the walk then sets to 0 at the masked columns. `sums` starts as zeros.
  virtual void accumulate(const Row& row, const Segment<T>& segment, double* sums) const = 0;
  virtual double finalize(Row& row) const = 0;

 private:
  struct Block;
  bool needs_log_count_;
  std::optional<math::Precision> exp2_precision_;
  std::unique_ptr<Block> block_;
};

extern template class BlockedLoss<float>;
extern template class BlockedLoss<double>;

}  // namespace pagoda::loss
