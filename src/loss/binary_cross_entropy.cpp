// E_ij = w_j sigmoid(z_ij). Each segment keeps sum_j w_j and sum_j w_j softplus(z_ij).
#include <algorithm>
#include <cmath>

#include "loss/blocked_loss.h"
#include "math/kernels.h"

namespace pagoda::loss {

namespace {

template <class T>
class BinaryCrossEntropy final : public BlockedLoss<T> {
 public:
  explicit BinaryCrossEntropy(const LossOptions& options)
      : BlockedLoss<T>(options.correction != Correction::none, std::nullopt), options_(options) {}

 private:
  std::optional<double> begin(const LossInput<T>& input) override { return input.temperature; }

  // The multiplicity is the weight of the column's term, not a part of its logit.
  double negative_bias(double log_count, double) const override {
    return options_.correction == Correction::none ? 0 : -options_.logq_weight * log_count;
  }

  size_t sums_in_segment(size_t) const override { return 2; }

  void accumulate(const Row&, const Segment<T>& segment, double* sums) const override {
    sums[0] = segment.total_weight;
    sums[1] = math::sigmoid_weighted(segment.x, segment.bias, segment.weight, segment.n);
  }

  double finalize(Row& row) const override {
    double value = 0, weight = 0;
    for (auto& p : row.positives) {
      const double bias = options_.correction == Correction::standard ? negative_bias(p.log_count, 0) : 0;
      const double z = p.logit + bias, small = std::exp(-std::abs(z));
      value += p.weight * (std::max(-z, 0.0) + std::log1p(small));
      p.gradient = -p.weight * (z < 0 ? 1 : small) / (1 + small);
      weight += p.weight;
    }
    double negatives = 0, sum = 0;
    for (size_t t = 0; t < row.segments; ++t) {
      negatives += row.sums(t)[0];
      sum += row.sums(t)[1];
    }
    if (negatives == 0) return value;
    for (size_t t = 0; t < row.segments; ++t) row.factor(t) = weight / negatives;
    return value + weight / negatives * sum;
  }

  LossOptions options_;
};

}  // namespace

template <class T>
std::unique_ptr<Loss<T>> make_binary_cross_entropy(const LossOptions& options) {
  return std::make_unique<BinaryCrossEntropy<T>>(options);
}

template std::unique_ptr<Loss<float>> make_binary_cross_entropy(const LossOptions&);
template std::unique_ptr<Loss<double>> make_binary_cross_entropy(const LossOptions&);

}  // namespace pagoda::loss
