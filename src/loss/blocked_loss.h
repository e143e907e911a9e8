// What losses over logits share: the walk over blocks of rows and tiles of columns, the masks, a row's own columns, dU
// and dV. A loss says what a negative's bias is, what its logit gives, and what a row comes to.
//
// A row's negatives come in stretches: one for each tile of the shared columns, and a last one of the row's own columns.
// With x_ij = <u_i, v_j> / divisor:
//
//   pass,   a row and stretch:  E_ij from x_ij, bias and weight, for the stretch's negatives; sums over them
//   finish, a row:              from the sums: the row's value L_i, the gradient of each positive, a factor c_it for
//                              each stretch t, so that dL_i / dx_ij = c_it E_ij for its negatives j
//
// A stretch has a factor of its own so that a softmax may shift each by its own maximum: logits are then written once
// and read once. A positive's gradient is added apart from E, where it is zero: it is a small difference when the
// positive is learned well, and suffers no cancellation.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "loss/loss.h"

namespace pagoda {

// The logit of a column that is no negative of the row: loses against any real one, and stays finite with a bias.
template <class T>
constexpr T kHidden = -std::numeric_limits<T>::max() / 4;

struct Positive {
  uint32_t column;
  double weight;            // r
  double logit;             // x
  double log_count;         // 0 where the input has none
  double log_multiplicity;  // 0 where the input has none
  double gradient;          // dL_i / dx: finish sets it
};

// Negatives of one row that lie together.
template <class T>
struct Stretch {
  T* x;                 // [n] logits, kHidden<T> where a column is no negative of the row
  const T* bias;        // [n] the loss's negative_bias
  const T* weight;      // [n] e^log_multiplicity
  size_t n;             // 0 where no column of the stretch is a negative
  double total_weight;  // of the negatives alone
};

// One row of a block. finish sets factor(t) for each stretch and the positives' gradients; they come as zeros.
class Row {
 public:
  std::span<Positive> positives;  // rising by column
  size_t stretches;

  double* sums(size_t stretch) const { return sums_ + stretch * sums_stride_; }  // what pass left
  double& factor(size_t stretch) const { return factors_[stretch * factors_stride_]; }

 private:
  template <class T>
  friend class BlockedLoss;
  double *sums_, *factors_;
  size_t sums_stride_, factors_stride_;
};

template <class T>
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): it is virtual in Loss<T>, which the check does not look into
class BlockedLoss : public Loss<T> {
 public:
  ~BlockedLoss() override;
  void run(ThreadPool& pool, const LossInput<T>& input, LossOutput<T>& output) final;

 protected:
  // needs_log_count: the input must have the log count of each column. powers: E = e^(x + bias - sums[0]) for any sums[0]
  // near the row's maximum, and sums[1] their sum: the walk over floats takes them itself, in this precision.
  BlockedLoss(bool needs_log_count, std::optional<Precision> powers);

  // Called at the start of a run; checks what the loss alone asks of the input. Returns the temperature, the divisor of
  // the products; none: the divisor is 1.
  virtual std::optional<double> begin(const LossInput<T>& input) = 0;
  virtual double negative_bias(double log_count, double log_multiplicity) const = 0;
  virtual size_t sums_in_stretch(size_t positives) const = 0;
  // Turns stretch.x into E, which the walk then sets to 0 at the hidden ones. sums: zeros.
  virtual void pass(const Row& row, const Stretch<T>& stretch, double* sums) const = 0;
  virtual double finish(Row& row) const = 0;

 private:
  struct Block;
  bool needs_log_count_;
  std::optional<Precision> powers_;
  std::unique_ptr<Block> block_;
};

extern template class BlockedLoss<float>;
extern template class BlockedLoss<double>;

}  // namespace pagoda
