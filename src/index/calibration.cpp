#include <algorithm>
#include <cmath>

#include "index/code_kernels.h"
#include "index/partitioned_search.h"

namespace pagoda::index {
namespace {

constexpr uint64_t kLengths[] = {1, 3, 10, 30, 100, 300, 1000, 2000, 5000, 10000};
// Once a slack reaches this recall, smaller ones are not tried: they cost the most and find next to nothing.
constexpr float kAllFound = 0.9999f;
constexpr float kStopSlacks[] = {0.0005f, 0.002f, 0.005f, 0.01f, 0.02f, 0.04f, 0.08f,
                                 0.15f,   0.3f,   0.6f,   1.2f,  2.5f,  5.0f};

std::vector<uint64_t> lengths_for(uint64_t k, uint64_t items) {
  std::vector<uint64_t> ks(std::begin(kLengths), std::end(kLengths));
  ks.push_back(k);
  std::sort(ks.begin(), ks.end());
  ks.erase(std::unique(ks.begin(), ks.end()), ks.end());
  std::erase_if(ks, [&](uint64_t length) { return length > items / 4; });  // a larger k is close to the whole catalogue
  return ks;
}

// Scales each query by a power of two to about length 1. That changes no ranking; but a query of extreme length would
// leave the range of floats and be answered by another plan than the one measured here.
math::Matrix<float> normalised(math::MatrixView<const float> queries) {
  math::Matrix<float> calibration_queries(queries.rows(), queries.cols());
  for (size_t q = 0; q < queries.rows(); ++q) {
    float largest = 0;
    for (const float x : queries.row(q)) largest = std::max(largest, std::abs(x));
    const int exponent = largest > 0 && std::isfinite(largest) ? std::ilogb(largest) : 0;
    std::ranges::transform(queries.row(q), calibration_queries[q], [&](float x) { return std::ldexp(x, -exponent); });
  }
  return calibration_queries;
}

std::vector<uint32_t> lists_of_items(const Partitions& p) {
  std::vector<uint32_t> list_of(p.items);
  for (uint32_t l = 0; l < p.lists; ++l)
    for (size_t i = 0; i < p.counts[l]; ++i) list_of[p.rows[p.first_block[l] * kBlockRows + i]] = l;
  return list_of;
}

// For each k: the share of a list's rows that score at least the k-th best score, by the list's gap (stop_rule.h).
std::vector<GapHistogram> measure_histograms(ThreadPool& pool, const Partitions& p,
                                             math::MatrixView<const float> calibration_queries,
                                             const SearchResult& exact, std::span<const uint64_t> ks) {
  const auto list_of = lists_of_items(p);
  std::vector<GapHistogram> histograms(ks.size());
  std::vector<uint32_t> hits(p.lists);
  ProbeState state;
  for (size_t q = 0; q < calibration_queries.rows(); ++q) {
    const auto centroid_scores = state.centroid_scores(pool, p, calibration_queries.row(q));
    double squared = 0;
    for (const float x : calibration_queries.row(q)) squared += double{x} * x;
    const auto norm = static_cast<float>(std::sqrt(squared));
    const auto items = exact.items[q];
    size_t counted = 0;
    std::fill(hits.begin(), hits.end(), 0);
    for (size_t i = 0; i < ks.size(); ++i) {
      if (items.size() < ks[i]) break;  // a query with a NaN
      for (; counted < ks[i]; ++counted) ++hits[list_of[items[counted]]];
      const float score = exact.scores[exact.items.offsets[q] + ks[i] - 1];
      for (size_t l = 0; l < p.lists; ++l)
        if (p.counts[l] > 0 && p.stddevs[l] * norm > 0)
          histograms[i].observe((score - centroid_scores[l]) / (p.stddevs[l] * norm), p.counts[l], hits[l]);
    }
  }
  for (auto& histogram : histograms) histogram.fit();
  return histograms;
}

double recall_of(const SearchResult& found, const SearchResult& exact, uint64_t k, math::ItemSet& marks) {
  double sum = 0;
  for (size_t q = 0; q < found.items.size(); ++q) {
    const auto truth = exact.items[q].first(std::min<size_t>(k, exact.items[q].size()));
    for (const uint32_t row : truth) marks.add(row);
    size_t both = 0;
    for (const uint32_t row : found.items[q]) both += marks.has(row);
    for (const uint32_t row : truth) marks.remove(row);
    sum += truth.empty() ? 1 : static_cast<double>(both) / static_cast<double>(truth.size());
  }
  return sum / static_cast<double>(found.items.size());
}

}  // namespace

void calibrate(ThreadPool& pool, Partitions& p, math::RowsView vectors, math::MatrixView<const float> queries) {
  p.curve = {};
  const auto ks = lengths_for(p.k, p.items);
  if (ks.empty() || queries.rows() == 0) return;  // with so few items every search probes every list
  const auto calibration_queries = normalised(queries);
  const auto exact = make_exact_index(vectors)->search(pool, calibration_queries, {.k = ks.back()});
  RecallCurve curve;
  curve.ks = ks;
  curve.stop_slacks.assign(std::begin(kStopSlacks), std::end(kStopSlacks));
  curve.histograms = measure_histograms(pool, p, calibration_queries, exact, ks);
  const PartitionedIndex index(p, vectors);
  math::ItemSet marks(p.items);
  curve.recalls.resize(ks.size() * curve.stop_slacks.size());
  curve.rows.resize(curve.recalls.size());
  for (size_t i = 0; i < ks.size(); ++i)
    for (size_t s = curve.stop_slacks.size(); s-- > 0;) {
      const size_t at = i * curve.stop_slacks.size() + s;
      if (s + 1 < curve.stop_slacks.size() && curve.recalls[at + 1] >= kAllFound) {
        curve.recalls[at] = curve.recalls[at + 1];
        curve.rows[at] = curve.rows[at + 1];
        continue;
      }
      SearchExplain explain;
      const auto found =
          index.search_lists(pool, calibration_queries, {.k = ks[i], .explain = &explain},
                             {.stop_slack = curve.stop_slacks[s], .histogram = &curve.histograms[i], .rerank = false});
      double rows = 0;
      for (const auto& q : explain.queries) rows += static_cast<double>(q.vectors_scored);
      curve.recalls[at] = static_cast<float>(recall_of(found, exact, ks[i], marks));
      curve.rows[at] = static_cast<float>(rows / static_cast<double>(calibration_queries.rows() * p.items));
    }
  p.curve = std::move(curve);
}

}  // namespace pagoda::index
