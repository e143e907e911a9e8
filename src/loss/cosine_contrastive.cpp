// E_ij = w_j [x_ij > m]. Each segment keeps sum_j w_j and sum_j w_j max(0, x_ij - m).
#include <algorithm>

#include "loss/blocked_loss.h"
#include "math/kernels.h"

namespace pagoda::loss {

namespace {

template <class T>
class CosineContrastive final : public BlockedLoss<T> {
 public:
  explicit CosineContrastive(const LossOptions& options)
      : BlockedLoss<T>(false, std::nullopt), margin_(options.margin), negative_weight_(options.negative_weight) {}

 private:
  std::optional<double> begin(const LossInput<T>&) override { return std::nullopt; }
  double negative_bias(double, double) const override { return 0; }
  size_t sums_in_segment(size_t) const override { return 2; }

  void accumulate(const Row&, const Segment<T>& segment, double* sums) const override {
    constexpr size_t kChunk = 256;
    sums[0] = segment.total_weight;
    T x[kChunk];
    for (size_t begin = 0; begin < segment.n; begin += kChunk) {
      const size_t n = std::min(kChunk, segment.n - begin);
      std::copy_n(segment.x + begin, n, x);
      std::fill_n(segment.x + begin, n, T(0));
      sums[1] +=
          math::hinge_weighted(x, static_cast<T>(-margin_), segment.weight + begin, T(1), segment.x + begin, n).sum;
    }
  }

  double finalize(Row& row) const override {
    double value = 0, weight = 0, negatives = 0, above = 0;
    for (auto& p : row.positives) {
      if (p.logit < 1) {
        value += p.weight * (1 - p.logit);
        p.gradient = -p.weight;
      }
      weight += p.weight;
    }
    for (size_t t = 0; t < row.segments; ++t) {
      negatives += row.sums(t)[0];
      above += row.sums(t)[1];
    }
    if (negatives == 0) return value;
    const double factor = negative_weight_ * weight / negatives;
    for (size_t t = 0; t < row.segments; ++t) row.factor(t) = factor;
    return value + factor * above;
  }

  double margin_, negative_weight_;
};

}  // namespace

template <class T>
std::unique_ptr<Loss<T>> make_cosine_contrastive(const LossOptions& options) {
  return std::make_unique<CosineContrastive<T>>(options);
}

template std::unique_ptr<Loss<float>> make_cosine_contrastive(const LossOptions&);
template std::unique_ptr<Loss<double>> make_cosine_contrastive(const LossOptions&);

}  // namespace pagoda::loss
