// E_ij = exp(z_ij - m_it), where m_it is the greatest z of row i in segment t. Each segment keeps m_it and
// S_it = sum_j E_ij. Then c_it = rho R_i exp(m_it - lse_i), where R_i is the row's total weight, and the gradient of a
// positive is rho R_i softmax - r_ip.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "loss/blocked_loss.h"
#include "math/kernels.h"

namespace pagoda::loss {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
class SampledSoftmax final : public BlockedLoss<T> {
 public:
  SampledSoftmax(const LossOptions& options, math::Precision precision)
      : BlockedLoss<T>(options.correction != Correction::none, precision), options_(options) {}

 private:
  std::optional<double> begin(const LossInput<T>& input) override {
    check(options_.correction != Correction::leave_one_out || input.negatives_drawn > 0,
          "leave_one_out knows its draws");
    log_n_ = std::log(input.negatives_drawn);
    return input.temperature;
  }

  double negative_bias(double log_count, double log_multiplicity) const override {
    switch (options_.correction) {
      case Correction::none: return log_multiplicity;
      case Correction::leave_one_out: return log_multiplicity - (log_count - log_n_);  // -log Q_j
      default: return log_multiplicity - options_.logq_weight * log_count;
    }
  }

  size_t sums_in_segment(size_t) const override { return 2; }

  void accumulate(const Row&, const Segment<T>& segment, double* sums) const override {
    if (segment.n == 0) {
      sums[0] = -kInfinity;
      sums[1] = 0;
      return;
    }
    const T shift = math::max_biased(segment.x, segment.bias, segment.n);
    sums[0] = shift;
    sums[1] = math::exp_shifted(segment.x, segment.bias, shift, segment.n);
  }

  double finalize(Row& row) const override {
    return options_.correction == Correction::leave_one_out ? finalize_leave_one_out(row) : finalize_softmax(row);
  }

  // The largest shift, and the sum of exp(z - shift) over the negatives: 0 if there is none.
  static double sum_negatives(const Row& row, double& max) {
    double sum = 0;
    for (size_t t = 0; t < row.segments; ++t) max = std::max(max, row.sums(t)[0]);
    for (size_t t = 0; t < row.segments; ++t)
      if (row.sums(t)[1] > 0) sum += row.sums(t)[1] * std::exp(row.sums(t)[0] - max);
    return sum;
  }

  // Sets c_it of each segment. A segment whose negatives are all masked has a shift that only bounds them, perhaps far
  // above lse: exp would overflow, and infinity times E_ij = 0 is NaN.
  static void set_factors(Row& row, double pull, double lse) {
    for (size_t t = 0; t < row.segments; ++t)
      row.factor(t) = row.sums(t)[1] > 0 ? pull * std::exp(row.sums(t)[0] - lse) : 0.0;
  }

  double finalize_softmax(Row& row) const {
    const auto own = row.positives;
    const bool raw = options_.correction == Correction::negatives;
    const auto z = [&](const Positive& p) {
      return raw ? p.logit : p.logit + negative_bias(p.log_count, p.log_multiplicity);
    };
    const auto first_of_column = [&](size_t k) { return k == 0 || own[k].column != own[k - 1].column; };

    double max = -kInfinity, weight = 0, numerator = 0;
    for (const auto& p : own) {
      max = std::max(max, z(p));
      weight += p.weight;
      numerator += p.weight * z(p);
    }
    if (weight == 0) return 0;
    double sum = sum_negatives(row, max);
    for (size_t k = 0; k < own.size(); ++k)
      if (first_of_column(k)) sum += std::exp(z(own[k]) - max);

    const double lse = max + std::log(sum), pull = options_.ratio() * weight;
    set_factors(row, pull, lse);
    for (size_t k = 0; k < own.size(); ++k) {
      const double softmax = first_of_column(k) ? std::exp(z(own[k]) - lse) : 0.0;
      own[k].gradient = pull * softmax - own[k].weight;
    }
    return pull * lse - numerator;
  }

  double finalize_leave_one_out(Row& row) const {
    check(row.positives.size() == 1, "leave_one_out has one positive a row");
    auto& positive = row.positives[0];
    double max = -kInfinity;
    const double sum = sum_negatives(row, max);
    if (sum == 0) return 0;  // no negative is left
    // Q_p stays below 1; otherwise a positive that every draw is expected to be would have no negatives.
    const double q_positive = std::min(std::exp(positive.log_count - log_n_), 1 - 1e-9);
    const double log_sum = max + std::log(sum), lse = log_sum + std::log1p(-q_positive);
    const double not_positive = 1 / (1 + std::exp(positive.logit - lse + log_n_));  // 1 - P, held constant
    const double pull = positive.weight * not_positive;
    set_factors(row, pull, log_sum);
    positive.gradient = -pull;
    return pull == 0 ? 0 : pull * (lse - positive.logit);
  }

  LossOptions options_;
  double log_n_ = 0;
};

}  // namespace

template <class T>
std::unique_ptr<Loss<T>> make_sampled_softmax(const LossOptions& options, math::Precision precision) {
  return std::make_unique<SampledSoftmax<T>>(options, precision);
}

template std::unique_ptr<Loss<float>> make_sampled_softmax(const LossOptions&, math::Precision);
template std::unique_ptr<Loss<double>> make_sampled_softmax(const LossOptions&, math::Precision);

}  // namespace pagoda::loss
