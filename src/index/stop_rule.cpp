#include "index/stop_rule.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace pagoda::index {

void GapHistogram::observe(float gap, uint64_t rows, uint64_t hits) {
  if (rows_.empty()) {
    rows_.assign(kBins, 0);
    hits_.assign(kBins, 0);
  }
  const float at = (gap - kLeast) * kPerUnit;
  if (!(at < kBins)) return;
  const size_t bin = at > 0 ? static_cast<size_t>(at) : 0;
  rows_[bin] += rows;
  hits_[bin] += hits;
}

void GapHistogram::fit() {
  if (rows_.empty()) return;
  float max_share = 0;  // of the bins to the right
  for (size_t bin = kBins; bin-- > 0;) {
    if (rows_[bin] > 0)
      max_share = std::max(max_share, static_cast<float>(hits_[bin]) / static_cast<float>(rows_[bin]));
    shares_[bin] = max_share;
  }
  find_end();
}

void GapHistogram::find_end() {
  size_t last = kBins;
  while (last > 0 && shares_[last - 1] == 0) --last;
  end_ = kLeast + static_cast<float>(last) / kPerUnit;
}

GapHistogram GapHistogram::load(ByteReader& in) {
  GapHistogram histogram;
  histogram.shares_ = in.array<float>();
  if (histogram.shares_.size() != kBins) in.damaged("its gap histogram has another number of bins");
  for (const float s : histogram.shares_)
    if (!(s >= 0 && s <= 1)) in.damaged("its gap histogram holds a number that is no share");
  histogram.find_end();
  return histogram;
}

namespace {

// Recall falls along the ascending slacks of one k. Returns where it crosses the wanted recall, as a fractional index
// into the slacks; negative when even the smallest slack misses it.
double place(const float* recalls, size_t n, double wanted) {
  if (recalls[0] < wanted) return -1;
  for (size_t i = 0; i + 1 < n; ++i)
    if (recalls[i + 1] < wanted)
      return static_cast<double>(i) + (recalls[i] - wanted) / std::max(1e-9, double{recalls[i]} - recalls[i + 1]);
  return static_cast<double>(n - 1);
}

double at_place(const float* values, size_t n, double place, bool logarithmic) {
  const auto i = std::min(n - 1, static_cast<size_t>(place));
  const size_t j = std::min(n - 1, i + 1);
  const double f = place - static_cast<double>(i);
  if (!logarithmic) return values[i] + f * (double{values[j]} - values[i]);
  return std::exp(std::log(values[i]) + f * (std::log(values[j]) - std::log(values[i])));
}

// The measured k on either side of k, and where k lies between them on a log scale, 0 to 1.
struct Between {
  size_t low, high;
  double f;
};
Between around(const std::vector<uint64_t>& ks, double k) {
  size_t high = 0;
  while (high < ks.size() && static_cast<double>(ks[high]) < k) ++high;
  if (high == 0 || (high < ks.size() && static_cast<double>(ks[high]) == k)) return {high, high, 0};
  if (high == ks.size()) return {high - 1, high - 1, 0};
  const double a = std::log(static_cast<double>(ks[high - 1])), b = std::log(static_cast<double>(ks[high]));
  return {high - 1, high, (std::log(k) - a) / (b - a)};
}

}  // namespace

const GapHistogram& RecallCurve::histogram(double k) const {
  check(!histograms.empty(), "a gap histogram was measured");
  const auto b = around(ks, k);
  return histograms[b.f < 0.5 ? b.low : b.high];
}

float RecallCurve::stop_slack(double k, double recall) const {
  if (ks.empty() || recall >= 1) return -1;
  const auto b = around(ks, k);
  const auto of = [&](size_t i) {
    const double p = place(&recalls[i * stop_slacks.size()], stop_slacks.size(), recall);
    return p < 0 ? -1 : at_place(stop_slacks.data(), stop_slacks.size(), p, true);
  };
  const double low = of(b.low), high = of(b.high);
  if (low < 0 || high < 0) return -1;
  return static_cast<float>(std::min(low, high));
}

double RecallCurve::rows_scored(double k, double recall) const {
  if (ks.empty() || recall >= 1) return 1;
  const auto b = around(ks, k);
  const auto of = [&](size_t i) {
    const double p = place(&recalls[i * stop_slacks.size()], stop_slacks.size(), recall);
    return p < 0 ? 1 : at_place(&rows[i * stop_slacks.size()], stop_slacks.size(), p, false);
  };
  const double share = of(b.low) + b.f * (of(b.high) - of(b.low));
  const auto last = static_cast<double>(ks.back());
  if (k <= last) return share;
  // Beyond the largest measured k, the rows grow by the power of k that holds between the last two: twice as many items
  // take less than twice as many rows.
  double power = 1;
  if (ks.size() > 1) {
    const size_t before = ks.size() - 2;
    power = std::clamp(std::log(std::max(share, 1e-12) / std::max(of(before), 1e-12)) /
                           std::log(last / static_cast<double>(ks[before])),
                       0.0, 1.0);
  }
  return std::min(1.0, share * std::pow(k / last, power));
}

void RecallCurve::save(ByteWriter& out) const {
  out.array(ks);
  out.array(stop_slacks);
  out.array(recalls);
  out.array(rows);
  for (const auto& histogram : histograms) histogram.save(out);
}

RecallCurve RecallCurve::load(ByteReader& in) {
  RecallCurve c;
  c.ks = in.array<uint64_t>();
  c.stop_slacks = in.array<float>();
  c.recalls = in.array<float>();
  c.rows = in.array<float>();
  const size_t cells = c.ks.size() * c.stop_slacks.size();
  if (c.recalls.size() != cells || c.rows.size() != cells || (!c.ks.empty() && c.stop_slacks.empty()))
    in.damaged("its recall curve does not have a value for each k and slack");
  for (size_t i = 0; i < c.ks.size(); ++i)
    if (c.ks[i] == 0 || (i > 0 && c.ks[i] <= c.ks[i - 1]))
      in.damaged("its recall curve is not in ascending order of k");
  for (size_t i = 0; i < c.stop_slacks.size(); ++i)
    if (!(c.stop_slacks[i] > 0) || !std::isfinite(c.stop_slacks[i]) ||
        (i > 0 && c.stop_slacks[i] <= c.stop_slacks[i - 1]))
      in.damaged("its recall curve is not in ascending order of the slack");
  for (size_t i = 0; i < cells; ++i)
    if (!(c.recalls[i] >= 0 && c.recalls[i] <= 1 && c.rows[i] >= 0 && c.rows[i] <= 1))
      in.damaged("its recall curve holds a number that is no share");
  for (size_t i = 0; i < c.ks.size(); ++i) c.histograms.push_back(GapHistogram::load(in));
  return c;
}

}  // namespace pagoda::index
