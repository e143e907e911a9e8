#include "model/unknown_user.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pagoda::model {

namespace {

constexpr size_t kItems = 20000;
constexpr int kSteps = 50;
constexpr double kRidge = 1e-4;

// The items that stand for the catalogue: row, share of the log, and how many items each stands for.
struct Sample {
  std::vector<uint32_t> row;
  std::vector<double> share, stands_for;
};

Sample sample_of(std::span<const double> weights) {
  Sample sample;
  sample.row.resize(weights.size());
  std::iota(sample.row.begin(), sample.row.end(), 0);
  sample.stands_for.assign(weights.size(), 1);
  if (weights.size() > kItems) {
    std::ranges::stable_sort(sample.row, [&](uint32_t a, uint32_t b) { return weights[a] > weights[b]; });
    const size_t head = kItems / 2, tail = weights.size() - head;
    for (size_t i = 0; i < kItems - head; ++i) sample.row[head + i] = sample.row[head + i * tail / (kItems - head)];
    sample.row.resize(kItems);
    sample.stands_for.assign(kItems, 1);
    std::fill(sample.stands_for.begin() + static_cast<std::ptrdiff_t>(head), sample.stands_for.end(),
              static_cast<double>(tail) / static_cast<double>(kItems - head));
  }
  double total = 0;
  for (size_t i = 0; i < sample.row.size(); ++i) total += weights[sample.row[i]] * sample.stands_for[i];
  for (size_t i = 0; i < sample.row.size(); ++i)
    sample.share.push_back(weights[sample.row[i]] * sample.stands_for[i] / total);
  return sample;
}

// Solves A x = b for a positive definite A, [n, n] by rows, by Cholesky's factor, which replaces A.
std::vector<double> solve(std::vector<double>& a, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j * n + j];
    }
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return b;
}

// The log-likelihood of a row, with its ridge.
class Likelihood {
 public:
  Likelihood(math::MatrixView<const float> items, const Sample& sample) : items_(items), sample_(sample) {}

  // Also fills q(), the softmax of the items.
  double operator()(const std::vector<double>& w) {
    const size_t n = sample_.row.size();
    q_.resize(n);
    double most = -HUGE_VAL, mean = 0;
    for (size_t i = 0; i < n; ++i) {
      const auto* x = items_[sample_.row[i]];
      q_[i] = std::inner_product(w.begin(), w.end(), x, 0.0);
      mean += sample_.share[i] * q_[i];
      most = std::max(most, q_[i]);
    }
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += q_[i] = sample_.stands_for[i] * std::exp(q_[i] - most);
    for (auto& q : q_) q /= sum;
    return mean - most - std::log(sum) - 0.5 * kRidge * std::inner_product(w.begin(), w.end(), w.begin(), 0.0);
  }
  const std::vector<double>& q() const { return q_; }

  // Newton's step at w, for which operator() was called last.
  std::vector<double> step(const std::vector<double>& w) const {
    const size_t d = w.size();
    std::vector<double> gradient(d), hessian(d * d), mean(d), row(d);
    for (size_t i = 0; i < q_.size(); ++i) {
      const auto* x = items_[sample_.row[i]];
      std::copy_n(x, d, row.begin());
      for (size_t a = 0; a < d; ++a) {
        gradient[a] += (sample_.share[i] - q_[i]) * row[a];
        mean[a] += q_[i] * row[a];
        const double scaled = q_[i] * row[a];
        for (size_t b = 0; b <= a; ++b) hessian[a * d + b] += scaled * row[b];
      }
    }
    for (size_t a = 0; a < d; ++a) {
      gradient[a] -= kRidge * w[a];
      for (size_t b = 0; b <= a; ++b) hessian[a * d + b] -= mean[a] * mean[b];
      hessian[a * d + a] += kRidge;
    }
    return solve(hessian, gradient);
  }

 private:
  math::MatrixView<const float> items_;
  const Sample& sample_;
  std::vector<double> q_;
};

}  // namespace

bool nothing_known(const features::UserExample& example) {
  return example.user == columns::Interner::kNone && example.history.empty() &&
         std::ranges::all_of(example.event_histories, [](const auto& items) { return items.empty(); }) &&
         std::ranges::all_of(example.context, &std::string_view::empty);
}

std::vector<double> unknown_user_weights(std::span<const uint64_t> counts, std::span<const uint32_t> newest) {
  std::vector<double> weights(counts.begin(), counts.end());
  if (newest.empty()) return weights;
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double recent = std::accumulate(newest.begin(), newest.end(), 0.0);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = 0.1 * weights[i] / all + 0.9 * newest[i] / recent;
  return weights;
}

std::vector<float> fit_unknown_user(math::MatrixView<const float> items, std::span<const double> weights,
                                    bool unit_length) {
  const auto sample = sample_of(weights);
  Likelihood likelihood(items, sample);
  std::vector<double> w(items.cols());
  double value = likelihood(w);
  for (int step = 0; step < kSteps; ++step) {
    const auto direction = likelihood.step(w);
    std::vector<double> next(w.size());
    double gain = 0;
    for (double length = 1; length > 1e-3 && gain <= 0; length /= 2) {
      for (size_t a = 0; a < w.size(); ++a) next[a] = w[a] + length * direction[a];
      gain = likelihood(next) - value;
    }
    if (!(gain > 0)) break;
    w = next;
    value += gain;
    if (gain < 1e-9) break;
  }
  if (unit_length) {
    const double length = std::sqrt(std::inner_product(w.begin(), w.end(), w.begin(), 0.0));
    if (length > 0)
      for (auto& component : w) component /= length;
  }
  return {w.begin(), w.end()};
}

}  // namespace pagoda::model
