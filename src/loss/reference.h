// The sampled softmax of loss.h to be read from top to bottom: one row and one logit at a time, as the formula stands,
// without tiles, shifts or gradients. The tests hold the fast form against it.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "loss/loss.h"

namespace pagoda::loss {

// The value of the loss. leave_one_out multiplies each row by 1 - P, SL@K each positive by its factor, and both hold
// them constant in the gradient: they are written to `held`, in the order in which they are met, if it is empty, and
// read from there otherwise, so that slopes can be taken.
template <class T>
double reference_softmax(const LossOptions& options, const LossInput<T>& in, std::vector<double>& held) {
  const bool leave_one_out = options.correction == Correction::leave_one_out, keep = held.empty();
  size_t next = 0;
  const auto constant = [&](double factor) {
    if (keep) held.push_back(factor);
    return held[next++];
  };
  const double beta = options.correction == Correction::none ? 0 : options.logq_weight;
  const auto contains = [](auto list, size_t j) { return std::ranges::find(list, j) != list.end(); };
  double total = 0;
  for (size_t i = 0; i < in.users.rows(); ++i) {
    const auto positives = (*in.positives)[i];
    // s_ij: the cosine of user i and the item of column j, over the temperature.
    const auto cosine = [&](size_t j) {
      double dot = 0;
      for (size_t d = 0; d < in.users.cols(); ++d) dot += double{in.users[i][d]} * double{in.items[j][d]};
      return dot;
    };
    const auto s = [&](size_t j) { return cosine(j) / in.temperature; };
    const auto weight = [&](size_t k) {  // r of the k-th positive
      const double r = in.positive_weights.empty() ? 1.0 : in.positive_weights[in.positives->offsets[i] + k];
      if (in.thresholds.empty()) return r;
      const double above = cosine(positives[k]) - double{in.thresholds[i]};
      return r * constant(1 / (1 + std::exp(-above / in.threshold_temperature)));
    };
    // z_ij: the logit, corrected by how often sampling brings the column (log q) and how many it stands for.
    const double q_positive = leave_one_out ? std::exp(in.log_count[positives[0]]) / in.negatives_drawn : 0;
    const auto z = [&](size_t j, double log_count, double log_multiplicity) {
      const double log_q =
          leave_one_out ? log_count - std::log(in.negatives_drawn) - std::log(1 - q_positive) : log_count;
      return s(j) + log_multiplicity - beta * log_q;
    };
    const auto log_count = [&](size_t j) { return beta == 0 ? 0.0 : in.log_count[j]; };
    const auto log_multiplicity = [&](size_t j) { return in.log_multiplicity.empty() ? 0.0 : in.log_multiplicity[j]; };
    const auto z_positive = [&](size_t p) {
      const bool raw = leave_one_out || options.correction == Correction::negatives;
      return raw ? s(p) : z(p, log_count(p), log_multiplicity(p));
    };

    // The denominator: the row's negatives, which are the shared columns but for its positives and masked ones, and the
    // columns of this row alone; and its positives, each column once.
    double sum = 0;
    for (size_t j = in.first_negative; j < std::min(in.shared_columns, in.items.rows()); ++j)
      if (!contains(positives, j) && !(in.masked && contains((*in.masked)[i], j)))
        sum += std::exp(z(j, log_count(j), log_multiplicity(j)));
    if (in.row_columns)
      for (size_t k = in.row_columns->offsets[i]; k < in.row_columns->offsets[i + 1]; ++k)
        sum += std::exp(z(in.row_columns->values[k], beta == 0 ? 0 : in.row_log_count[k], 0));
    for (size_t k = 0; k < positives.size() && !leave_one_out; ++k)
      if (!contains(positives.first(k), positives[k])) sum += std::exp(z_positive(positives[k]));

    const double lse = std::log(sum);
    if (leave_one_out) {
      const double p = 1 / (1 + sum / in.negatives_drawn * std::exp(-s(positives[0])));
      const double not_positive = constant(1 - p);
      if (sum > 0) total += weight(0) * not_positive * (lse - s(positives[0]));
    } else {
      for (size_t k = 0; k < positives.size(); ++k)
        total += weight(k) * (options.ratio() * lse - z_positive(positives[k]));
    }
  }
  return total / static_cast<double>(in.users.rows());
}

}  // namespace pagoda::loss
