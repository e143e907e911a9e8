#include "index/clustering.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"
#include "index/code_kernels.h"
#include "math/kernels.h"

namespace pagoda::index {
namespace {

constexpr float kSpan = 4.5f;  // components of a rotated unit vector are clamped to this many standard deviations
constexpr float kShort = 1e-15f, kLong = 1e15f;  // lengths between which squares stay within the range of floats
constexpr size_t kChunk = 512;                   // rows of a task
constexpr size_t kListChunk = 64;
constexpr size_t kGroupedChunk = 8192;  // large enough for many rows of a task to share a group
constexpr int64_t kGroupIterations = 6;

// Integer sums of each list's rows, [lists, 4 * groups].
math::Matrix<int32_t> sums_of(ThreadPool& pool, const Sq8Codes& rows, const RowsByList& grouped) {
  const size_t lists = grouped.starts.size() - 1, width = rows.groups * 4;
  math::Matrix<int32_t> sums(lists, width);
  sums.fill(0);
  pool.for_chunks(lists, kListChunk, [&](size_t begin, size_t end) {
    for (size_t l = begin; l < end; ++l)
      for (uint64_t i = grouped.starts[l]; i < grouped.starts[l + 1]; ++i) {
        const int8_t* row = rows[grouped.rows[i]];
        int32_t* sum = sums[l];
        for (size_t d = 0; d < width; ++d) sum[d] += row[d];
      }
  });
  return sums;
}

std::shared_ptr<const CentroidGroups> group(ThreadPool& pool, const Centroids& centroids, const Sq8Codes& codes,
                                            uint64_t seed) {
  auto g = std::make_shared<CentroidGroups>();
  const auto root = static_cast<size_t>(std::sqrt(static_cast<double>(centroids.lists)));
  g->heads =
      cluster(pool, codes, {.lists = blocks_of(root) * kBlockRows, .iterations = kGroupIterations, .seed = seed});
  auto by_head = group_by_list(nearest_centroids(pool, codes, g->heads), g->heads.lists);
  g->starts = std::move(by_head.starts);
  g->centroids = std::move(by_head.rows);
  size_t blocks = 0;
  for (size_t head = 0; head < g->heads.lists; ++head) {
    g->first_block.push_back(blocks);
    blocks += blocks_of(g->starts[head + 1] - g->starts[head]);
  }
  g->blocks.assign(blocks * block_bytes(codes.groups), 128);
  g->biases.assign(blocks * kBlockRows, 0);
  for (size_t head = 0; head < g->heads.lists; ++head)
    for (uint64_t i = g->starts[head]; i < g->starts[head + 1]; ++i) {
      const size_t at = g->first_block[head] * kBlockRows + (i - g->starts[head]);
      pack_codes(codes[g->centroids[i]], codes.groups, at, g->blocks.data());
      g->biases[at] = centroids.biases[g->centroids[i]];
    }
  return g;
}

// The unit vectors of these directions, as blocks with one common scale.
Centroids centroids_of(ThreadPool& pool, const math::Matrix<int32_t>& sums, float row_scale,
                       const ClusterOptions& options) {
  const size_t groups = sums.cols() / 4;
  math::Matrix<float> units(sums.rows(), sums.cols());
  float largest = 0;
  for (size_t l = 0; l < sums.rows(); ++l) {
    double length = 0;
    for (const int32_t x : sums.row(l)) length += static_cast<double>(x) * x;
    const double inverse = length > 0 ? 1 / std::sqrt(length) : 0;
    for (size_t d = 0; d < sums.cols(); ++d) {
      units[l][d] = static_cast<float>(sums[l][d] * inverse);
      largest = std::max(largest, std::abs(units[l][d]));
    }
  }
  Centroids centroids{sums.rows(), {}, {}, nullptr};
  centroids.blocks.assign(blocks_of(sums.rows()) * block_bytes(groups), 128);
  centroids.biases.assign(blocks_of(sums.rows()) * kBlockRows, 0);
  const double scale = largest / kLargestCode;
  Sq8Codes codes;
  codes.resize(sums.rows(), sums.cols());
  codes.scale = static_cast<float>(scale);
  for (size_t l = 0; l < sums.rows(); ++l) {
    quantize(units.row(l), scale > 0 ? static_cast<float>(1 / scale) : 0, codes.codes.data() + l * sums.cols());
    pack_codes(codes[l], groups, l, centroids.blocks.data());
    // |x - c|^2 = |x|^2 - 2 x c + |c|^2: the nearest has the largest x c - |c|^2 / 2, here in units of both steps.
    double length = 0;
    for (const int8_t c : std::span(codes[l], sums.cols())) length += static_cast<double>(c) * c;
    centroids.biases[l] = static_cast<int32_t>(std::lrint(-0.5 * length * scale / row_scale));
  }
  if (centroids.lists > options.few_centroids) centroids.groups = group(pool, centroids, codes, options.seed);
  return centroids;
}

// Splits lists that are too large, to either side of their mean; one half replaces a list that is too small. Goes
// through pairs of the largest and the smallest list.
void rebalance(math::Matrix<int32_t>& sums, const Sq8Codes& rows, const RowsByList& grouped, Rng& rng) {
  const size_t lists = sums.rows();
  std::vector<uint32_t> by_size(lists);
  std::iota(by_size.begin(), by_size.end(), 0u);
  const auto size_of = [&](uint32_t l) { return grouped.starts[l + 1] - grouped.starts[l]; };
  std::stable_sort(by_size.begin(), by_size.end(), [&](uint32_t a, uint32_t b) { return size_of(a) < size_of(b); });
  const double mean = static_cast<double>(rows.rows) / static_cast<double>(lists);

  for (size_t i = 0; i < lists / 2; ++i) {
    const uint32_t small = by_size[i], large = by_size[lists - 1 - i];
    const auto smallest = static_cast<double>(size_of(small)), largest = static_cast<double>(size_of(large));
    if ((largest <= 3 * mean && smallest >= mean / 8) || largest < 2 * smallest + 2 || size_of(large) < 2) break;
    const uint32_t row = grouped.rows[grouped.starts[large] + rng.below(size_of(large))];
    const auto quarter = static_cast<int32_t>((size_of(large) + 3) / 4);
    for (size_t d = 0; d < sums.cols(); ++d) {
      sums[small][d] = sums[large][d] + quarter * rows[row][d];
      sums[large][d] -= quarter * rows[row][d];
    }
  }
}

// The heads of the groups to compare a row with: those of the largest sums, on ties the lower head.
using Heads = std::array<uint32_t, CentroidGroups::kProbedGroups>;
size_t nearest_heads(const CentroidGroups& g, const int8_t* row, size_t code_groups, std::vector<int32_t>& sums,
                     Heads& nearest) {
  sums.resize(g.heads.biases.size());
  code_kernels().products(g.heads.blocks.data(), g.heads.lists, code_groups, row, 0, sums.data());
  std::array<int32_t, CentroidGroups::kProbedGroups> best{};
  size_t n = 0;
  for (uint32_t head = 0; head < g.heads.lists; ++head) {
    const int32_t sum = sums[head] + g.heads.biases[head];
    if (n == best.size() && sum <= best[n - 1]) continue;
    n += n < best.size();
    size_t at = n - 1;
    for (; at > 0 && best[at - 1] < sum; --at) {
      best[at] = best[at - 1];
      nearest[at] = nearest[at - 1];
    }
    best[at] = sum;
    nearest[at] = head;
  }
  return n;
}

// Sets nearest[row - begin] for rows [begin, end). Goes group by group, so that many rows share a read of its
// centroids.
void nearest_by_group(const CentroidGroups& g, const Sq8Codes& rows, size_t begin, size_t end, uint32_t* nearest) {
  const auto& kernels = code_kernels();
  const size_t width = rows.groups * 4;
  std::vector<std::vector<uint32_t>> visitors(g.heads.lists);
  std::vector<int32_t> sums;
  Heads heads;
  for (size_t row = begin; row < end; ++row) {
    const size_t n = nearest_heads(g, rows[row], rows.groups, sums, heads);
    for (size_t i = 0; i < n; ++i) visitors[heads[i]].push_back(static_cast<uint32_t>(row - begin));
  }
  std::vector<int32_t> best_sums(end - begin, std::numeric_limits<int32_t>::min());
  std::vector<int8_t> gathered;
  std::vector<uint32_t> found;
  for (size_t head = 0; head < g.heads.lists; ++head) {
    const size_t n = visitors[head].size(), centroids = g.starts[head + 1] - g.starts[head];
    if (n == 0 || centroids == 0) continue;
    gathered.resize(n * width);
    found.resize(n);
    sums.resize(n);
    for (size_t i = 0; i < n; ++i) std::copy_n(rows[begin + visitors[head][i]], width, gathered.data() + i * width);
    kernels.nearest(g.blocks.data() + g.first_block[head] * block_bytes(rows.groups),
                    g.biases.data() + g.first_block[head] * kBlockRows, centroids, rows.groups, gathered.data(), n,
                    found.data(), sums.data());
    for (size_t i = 0; i < n; ++i) {
      const uint32_t row = visitors[head][i], centroid = g.centroids[g.starts[head] + found[i]];
      if (sums[i] < best_sums[row] || (sums[i] == best_sums[row] && nearest[row] < centroid)) continue;
      best_sums[row] = sums[i];
      nearest[row] = centroid;
    }
  }
}

}  // namespace

void Sq8Codes::resize(size_t n, size_t dim) {
  rows = n;
  groups = code_groups(dim);
  codes.resize(n * groups * 4);
  const float root = std::sqrt(static_cast<float>(dim));
  scale = std::min(kSpan, root) / (root * kLargestCode);
}

void Sq8Codes::set(size_t row, std::span<const float> vector) {
  const float length = std::sqrt(math::dot(vector.data(), vector.data(), vector.size()));
  const float largest = std::abs(*std::ranges::max_element(vector, {}, [](float x) { return std::abs(x); }));
  if (largest > 0 && std::isfinite(largest) && !(length > kShort && length < kLong)) {
    // The squares overflow or underflow. Only the direction counts, and scaling by a power of two loses nothing.
    std::vector<float> near(vector.begin(), vector.end());
    for (float& x : near) x = std::ldexp(x, -std::ilogb(largest));
    return set(row, near);
  }
  quantize(vector, length > 0 ? 1 / (scale * length) : 0, codes.data() + row * groups * 4);
}

std::vector<uint32_t> nearest_centroids(ThreadPool& pool, const Sq8Codes& rows, const Centroids& centroids) {
  std::vector<uint32_t> nearest(rows.rows);
  if (centroids.groups) {
    pool.for_chunks(rows.rows, kGroupedChunk, [&](size_t begin, size_t end) {
      nearest_by_group(*centroids.groups, rows, begin, end, nearest.data() + begin);
    });
    return nearest;
  }
  const auto& kernels = code_kernels();
  pool.for_chunks(rows.rows, kChunk, [&](size_t begin, size_t end) {
    std::array<int32_t, kChunk> sums;
    kernels.nearest(centroids.blocks.data(), centroids.biases.data(), centroids.lists, rows.groups, rows[begin],
                    end - begin, nearest.data() + begin, sums.data());
  });
  return nearest;
}

RowsByList group_by_list(std::span<const uint32_t> list_of, size_t lists) {
  RowsByList grouped;
  grouped.starts.assign(lists + 1, 0);
  for (const uint32_t l : list_of) ++grouped.starts[l + 1];
  std::partial_sum(grouped.starts.begin(), grouped.starts.end(), grouped.starts.begin());
  grouped.rows.resize(list_of.size());
  auto next = grouped.starts;
  for (size_t row = 0; row < list_of.size(); ++row) grouped.rows[next[list_of[row]]++] = static_cast<uint32_t>(row);
  return grouped;
}

Centroids cluster(ThreadPool& pool, const Sq8Codes& rows, const ClusterOptions& options) {
  check(options.lists >= 1 && options.lists <= rows.rows, "there are at least as many rows as lists");
  Rng rng(options.seed, Stream::index, 1);
  math::Matrix<int32_t> sums(options.lists, rows.groups * 4);
  std::vector<uint32_t> order(rows.rows);
  std::iota(order.begin(), order.end(), 0u);
  for (size_t l = 0; l < options.lists; ++l) {
    std::swap(order[l], order[l + rng.below(rows.rows - l)]);
    std::copy_n(rows[order[l]], rows.groups * 4, sums[l]);
  }
  auto centroids = centroids_of(pool, sums, rows.scale, options);
  for (int64_t iteration = 0; iteration < options.iterations; ++iteration) {
    const auto grouped = group_by_list(nearest_centroids(pool, rows, centroids), options.lists);
    auto found = sums_of(pool, rows, grouped);
    for (size_t l = 0; l < options.lists; ++l)  // an empty list keeps its centroid
      if (grouped.starts[l] == grouped.starts[l + 1]) std::copy_n(sums[l], sums.cols(), found[l]);
    sums = std::move(found);
    if (iteration + 2 < options.iterations) rebalance(sums, rows, grouped, rng);
    centroids = centroids_of(pool, sums, rows.scale, options);
  }
  return centroids;
}

}  // namespace pagoda::index
