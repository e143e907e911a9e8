// E_ij = w_j sum_p r_ip [m - x_ip + x_ij > 0]. Each segment keeps sum_j w_j and, for each positive p,
// H_p = sum_j w_j max(0, m - x_ip + x_ij) and A_p = sum_j w_j [m - x_ip + x_ij > 0].
#include <algorithm>

#include "loss/blocked_loss.h"
#include "math/kernels.h"

namespace pagoda::loss {

namespace {

template <class T>
class Triplet final : public BlockedLoss<T> {
 public:
  explicit Triplet(const LossOptions& options) : BlockedLoss<T>(false, std::nullopt), margin_(options.margin) {}

 private:
  std::optional<double> begin(const LossInput<T>&) override { return std::nullopt; }
  double negative_bias(double, double) const override { return 0; }
  size_t sums_in_segment(size_t positives) const override { return 1 + 2 * positives; }

  void accumulate(const Row& row, const Segment<T>& segment, double* sums) const override {
    constexpr size_t kChunk = 256;
    sums[0] = segment.total_weight;
    T x[kChunk];
    for (size_t begin = 0; begin < segment.n; begin += kChunk) {
      const size_t n = std::min(kChunk, segment.n - begin);
      std::copy_n(segment.x + begin, n, x);
      std::fill_n(segment.x + begin, n, T(0));
      for (size_t k = 0; k < row.positives.size(); ++k) {
        const auto& p = row.positives[k];
        const auto hinge = math::hinge_weighted(x, static_cast<T>(margin_ - p.logit), segment.weight + begin,
                                                static_cast<T>(p.weight), segment.x + begin, n);
        sums[1 + 2 * k] += hinge.sum;
        sums[2 + 2 * k] += hinge.active;
      }
    }
  }

  double finalize(Row& row) const override {
    double negatives = 0, value = 0;
    for (size_t t = 0; t < row.segments; ++t) negatives += row.sums(t)[0];
    if (negatives == 0) return 0;
    for (size_t t = 0; t < row.segments; ++t) {
      row.factor(t) = 1 / negatives;
      for (size_t k = 0; k < row.positives.size(); ++k) {
        auto& p = row.positives[k];
        value += p.weight / negatives * row.sums(t)[1 + 2 * k];
        p.gradient -= p.weight / negatives * row.sums(t)[2 + 2 * k];
      }
    }
    return value;
  }

  double margin_;
};

}  // namespace

template <class T>
std::unique_ptr<Loss<T>> make_triplet(const LossOptions& options) {
  return std::make_unique<Triplet<T>>(options);
}

template std::unique_ptr<Loss<float>> make_triplet(const LossOptions&);
template std::unique_ptr<Loss<double>> make_triplet(const LossOptions&);

}  // namespace pagoda::loss
