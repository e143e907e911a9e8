#include "index/probe_state.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "index/code_kernels.h"
#include "math/kernels.h"

namespace pagoda::index {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kFirstRows = 2;   // times k: rows of the first round
constexpr float kUsualErrors = 3;  // standard deviations of the codes' error that the rerank pool allows for
constexpr size_t kOrderBins = 2048;
constexpr size_t kCentroidsPerChunk = 1 << 13;  // of one task, in whole blocks
// The prior of r in the stop rule: it weighs as much as so many observed rows.
constexpr double kPriorRows = 16;

}  // namespace

// Rotates and codes the query, and computes its products with the centroids.
void ProbeState::code_query(ThreadPool& pool, std::span<const float> query) {
  const size_t dim = p_->dim, groups = code_groups(dim);
  rotated_.resize(dim);
  codes_.resize(4 * groups);
  float largest = 0;
  for (size_t d = 0; d < dim; ++d) {
    rotated_[d] = math::dot(query.data(), p_->rotation.data() + d * dim, dim);
    largest = std::max(largest, std::abs(rotated_[d]));
  }
  norm_ = std::sqrt(math::dot(query.data(), query.data(), dim));
  per_norm_ = norm_ > 0 ? 1 / norm_ : 0;
  scale_ = largest / kLargestCode;
  quantize(rotated_, scale_ > 0 ? 1 / scale_ : 0, codes_.data());
  start_ = code_start(codes_.data(), groups);
  products_.resize(blocks_of(p_->lists) * kBlockRows);
  pool.for_chunks(p_->lists, kCentroidsPerChunk, [&](size_t begin, size_t end) {
    code_kernels().products(p_->centroids.data() + begin / kBlockRows * block_bytes(groups), end - begin, groups,
                            codes_.data(), start_, products_.data() + begin);
  });
}

std::vector<float> ProbeState::centroid_scores(ThreadPool& pool, const Partitions& p, std::span<const float> query) {
  p_ = &p;
  code_query(pool, query);
  std::vector<float> scores(p.lists);
  for (size_t l = 0; l < p.lists; ++l) scores[l] = static_cast<float>(products_[l]) * (scale_ * p.centroid_scale);
  return scores;
}

void ProbeState::begin(ThreadPool& pool, const Partitions& p, std::span<const float> query, const ProbeTarget& target) {
  p_ = &p;
  target_ = target;
  const size_t dim = p.dim;
  code_query(pool, query);
  double squared = 0;
  for (size_t d = 0; d < dim; ++d) {
    const double e = rotated_[d] - double{scale_} * codes_[d];
    squared += e * e;
  }
  const auto query_error = static_cast<float>(std::sqrt(squared));

  // |<q, v> - score by codes| is at most each side's coding error times the other side's length. Errors point in random
  // directions, so it is usually smaller by a factor of sqrt(D). In the worst case the k-th score is off by as much as
  // the row's own, hence the factor 2.
  float margin = 0;
  if (target.stop_slack < 0) {
    const float rounding = static_cast<float>(dim + 16) * 0x1p-22f * norm_ * p.largest_length;
    margin = 2 * (norm_ * p.largest_error + query_error * (p.largest_length + p.largest_error) + rounding);
  } else {
    const double a = double{norm_} * p.usual_error, b = double{query_error} * p.usual_length;
    margin = static_cast<float>(kUsualErrors * std::sqrt((a * a + b * b) / static_cast<double>(dim)));
  }
  pool_.reset(target.k, margin, target.min_score - margin);

  order_lists();
  begin_ = next_ = end_ = 0;
  scored_ = matched_ = 0;
  gave_up_ = false;
  if (target.stop_slack < 0 || !target.histogram) {
    end_ = p.lists;
  } else {
    const double wanted = kFirstRows * static_cast<double>(target.k) * static_cast<double>(p.items) /
                          static_cast<double>(std::max<uint64_t>(target.matching, 1));
    for (double rows = 0; end_ < p.lists && rows < wanted; ++end_) rows += p.counts[order_[end_]];
  }
  std::sort(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(end_));
}

// Orders the lists by descending centroid score with a counting sort; scores of one bin differ by at most 1/2048 of the
// range.
void ProbeState::order_lists() {
  const size_t lists = p_->lists;
  const int32_t* products = products_.data();
  int32_t min_product = products[0], max_product = products[0];
  for (size_t l = 0; l < lists; ++l) {
    min_product = std::min(min_product, products[l]);
    max_product = std::max(max_product, products[l]);
  }
  const auto range = static_cast<float>(int64_t{max_product} - min_product);
  bin_width_ = range / kOrderBins * scale_ * p_->centroid_scale;
  const float to_bin = (kOrderBins - 1) / std::max(1.0f, range);
  bins_.resize(lists);
  for (size_t l = 0; l < lists; ++l)  // short loops, which the compiler vectorises
    bins_[l] = static_cast<uint16_t>(static_cast<int32_t>(
        static_cast<float>(static_cast<uint32_t>(max_product) - static_cast<uint32_t>(products[l])) * to_bin));
  std::array<uint32_t, kOrderBins + 1> starts{};
  for (size_t l = 0; l < lists; ++l) ++starts[size_t{bins_[l]} + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  order_.resize(lists);
  centroid_scores_.resize(lists);
  for (size_t l = 0; l < lists; ++l) order_[starts[bins_[l]]++] = static_cast<uint32_t>(l);
  const float scale = scale_ * p_->centroid_scale;
  for (size_t i = 0; i < lists; ++i) centroid_scores_[i] = static_cast<float>(products[order_[i]]) * scale;
}

void ProbeState::prepare(uint32_t list, const RerankPool& rerank_pool, CodeScan& scan) const {
  scan.codes = codes_.data();
  scan.start = start_;
  scan.scale = scale_ * p_->scales[list];
  // Rounded down, so that this integer test loses no row whose score as a float passes.
  const double threshold = scan.scale > 0 ? std::floor(double{rerank_pool.threshold()} / scan.scale) - 1 : -kInfinity;
  scan.threshold = static_cast<int32_t>(std::clamp(threshold, -0x1p31, 0x1p31 - 1));
}

// The expected number of rows of the list at that place that score at least `score`: rows_l * p(z_l).
float ProbeState::expected_hits(size_t place, float score) const {
  const uint32_t l = order_[place];
  return target_.histogram->share((score - centroid_scores_[place]) * per_norm_ * p_->inverse_stddev[l]) *
         static_cast<float>(p_->counts[l]);
}

// The first place in the order from which on the lists are expected to hold at most `tolerance` rows with such a score
// per row scored before: where the stop rule ends the search.
size_t ProbeState::stop_place(float score, double tolerance) {
  const auto matching = static_cast<double>(target_.matching), items = static_cast<double>(p_->items);
  if (score == -kInfinity) return p_->lists;
  double expected = 0;
  for (size_t i = begin_; i < next_; ++i) expected += double{expected_hits(i, score)};
  const double left = items - static_cast<double>(scored_);
  const double usual = std::max(matching / items, left > 0 ? (matching - static_cast<double>(matched_)) / left : 0);
  const double ratio = (static_cast<double>(pool_.count_fresh(score)) + kPriorRows * usual) / (expected + kPriorRows);
  // Lists whose centroid scores below this hold nothing, even if their standard deviation is the largest.
  const float out_of_reach = score - target_.histogram->end() * p_->largest_stddev * norm_ - bin_width_;
  const auto end =
      std::partition_point(centroid_scores_.begin() + static_cast<std::ptrdiff_t>(next_), centroid_scores_.end(),
                           [&](float centroid) { return centroid >= out_of_reach; });
  const auto last = static_cast<size_t>(end - centroid_scores_.begin());
  double missing = 0, rows = static_cast<double>(scored_);
  for (size_t i = next_; i < last; ++i) rows += p_->counts[order_[i]];
  size_t place = last;
  for (; place > next_; --place) {
    missing += ratio * double{expected_hits(place - 1, score)};
    rows -= p_->counts[order_[place - 1]];
    if (missing > tolerance * std::min(rows, target_.max_rows)) break;  // this list must be probed
  }
  return place;
}

void ProbeState::end_round(uint64_t rows_scored, uint64_t rows_matched) {
  scored_ += rows_scored;
  matched_ += rows_matched;
  begin_ = next_;
  next_ = end_;
  pool_.prune();
  if (next_ < p_->lists) plan_round();
  pool_.mark();
}

void ProbeState::plan_round() {
  // The k-th best score so far is below the final one, so the search will need fewer lists than this estimate says; a
  // round therefore takes at most half of them.
  const float score = std::max(pool_.kth(), target_.min_score);
  size_t found = target_.k;
  if (pool_.kth() < score || pool_.size() < found)
    found = static_cast<size_t>(
        std::count_if(pool_.scores(), pool_.scores() + pool_.size(), [&](float s) { return s >= score; }));
  const auto matching = static_cast<double>(std::max<uint64_t>(target_.matching, 1));
  const double usual_rows = static_cast<double>(p_->items) * std::sqrt(static_cast<double>(target_.k) / matching);
  const double tolerance = double{target_.stop_slack} * static_cast<double>(std::max<size_t>(found, 1)) / usual_rows;
  const size_t place = stop_place(score, tolerance), left = place - next_;
  double rows = 0;
  for (size_t i = next_; i < place; ++i) rows += p_->counts[order_[i]];
  if (rows > target_.max_rows_left) {
    gave_up_ = true;  // done(), as next_ == end_
    return;
  }
  end_ = left > next_ / 4 + 1 ? next_ + left / 2 : place;
  std::sort(order_.begin() + static_cast<std::ptrdiff_t>(next_), order_.begin() + static_cast<std::ptrdiff_t>(end_));
}

}  // namespace pagoda::index
