#include "nn/row_grouping.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace pagoda::nn {

namespace {
constexpr size_t kPieceUses = 16384;
constexpr uint32_t kShardBits = 8;
constexpr size_t kCountersAUse =
    8;  // more rows in a shard than that for each of its uses: sorting them is cheaper than counters
}  // namespace

void RowGrouping::group(ThreadPool& pool, std::span<const math::Bag* const> bags) {
  cut(bags);
  spread(pool, bags);
  const size_t uses = shard_begin_.back();
  readings.resize(uses);
  examples.resize(uses);
  weights.resize(uses);
  sorted_rows_.resize(uses);
  pool.run(shards_, [&](size_t shard) { sort_shard(shard); });
  collect(pool);
}

// Cuts pieces by the number of uses, never by the number of threads.
void RowGrouping::cut(std::span<const math::Bag* const> bags) {
  check(bags.size() <= 256, "a table has at most 256 readings");
  pieces_.clear();
  for (uint32_t r = 0; r < bags.size(); ++r) {
    const auto& offsets = bags[r]->rows.offsets;
    const auto n = static_cast<uint32_t>(bags[r]->size());
    for (uint32_t begin = 0, end = 0; begin < n; begin = end) {
      while (end < n && (end == begin || offsets[end + 1] - offsets[begin] <= kPieceUses)) ++end;
      pieces_.push_back({r, begin, end});
    }
  }
}

// First pass: counts the uses of each (piece, shard); then each piece writes its uses to their places.
void RowGrouping::spread(ThreadPool& pool, std::span<const math::Bag* const> bags) {
  std::vector<uint32_t> largest(pieces_.size());
  const auto rows_of = [&](const Piece& p) {
    const auto& rows = bags[p.reading]->rows;
    return std::span(rows.values).subspan(rows.offsets[p.begin], rows.offsets[p.end] - rows.offsets[p.begin]);
  };
  pool.run(pieces_.size(), [&](size_t p) {
    for (const uint32_t row : rows_of(pieces_[p])) largest[p] = std::max(largest[p], row);
  });
  const uint32_t most = largest.empty() ? 0 : std::ranges::max(largest);
  shift_ = static_cast<uint32_t>(std::max(0, static_cast<int>(std::bit_width(most)) - static_cast<int>(kShardBits)));
  shards_ = (most >> shift_) + size_t{1};
  starts_.assign(pieces_.size() * shards_, 0);
  pool.run(pieces_.size(), [&](size_t p) {
    for (const uint32_t row : rows_of(pieces_[p])) ++starts_[p * shards_ + (row >> shift_)];
  });
  shard_begin_.assign(1, 0);
  size_t at = 0;
  for (size_t shard = 0; shard < shards_; ++shard) {
    for (size_t p = 0; p < pieces_.size(); ++p) at += std::exchange(starts_[p * shards_ + shard], at);
    shard_begin_.push_back(at);
  }
  unsorted_rows_.resize(at);
  unsorted_readings_.resize(at);
  unsorted_examples_.resize(at);
  unsorted_weights_.resize(at);
  pool.run(pieces_.size(), [&](size_t p) {
    const Piece& piece = pieces_[p];
    const math::Bag& bag = *bags[piece.reading];
    size_t* next = starts_.data() + p * shards_;
    for (uint32_t i = piece.begin; i < piece.end; ++i)
      for (size_t n = bag.rows.offsets[i]; n < bag.rows.offsets[i + 1]; ++n) {
        const uint32_t row = bag.rows.values[n];
        const size_t to = next[row >> shift_]++;
        unsorted_rows_[to] = row;
        unsorted_readings_[to] = static_cast<uint8_t>(piece.reading);
        unsorted_examples_[to] = i;
        unsorted_weights_[to] = bag.weights[n];
      }
  });
}

// Second pass: a stable sort, by counting if the shard's rows are not many more than its uses.
void RowGrouping::sort_shard(size_t shard) {
  const size_t begin = shard_begin_[shard], end = shard_begin_[shard + 1];
  const auto put = [&](size_t to, size_t from) {
    sorted_rows_[to] = unsorted_rows_[from];
    readings[to] = unsorted_readings_[from];
    examples[to] = unsorted_examples_[from];
    weights[to] = unsorted_weights_[from];
  };
  const size_t rows_of_shard = size_t{1} << shift_;
  if (rows_of_shard <= kCountersAUse * (end - begin)) {
    const uint32_t low = static_cast<uint32_t>(rows_of_shard - 1);
    std::vector<uint32_t> next(rows_of_shard);
    for (size_t n = begin; n < end; ++n) ++next[unsorted_rows_[n] & low];
    std::exclusive_scan(next.begin(), next.end(), next.begin(), 0u);
    for (size_t n = begin; n < end; ++n) put(begin + next[unsorted_rows_[n] & low]++, n);
    return;
  }
  std::vector<size_t> order(end - begin);
  std::iota(order.begin(), order.end(), begin);
  std::ranges::stable_sort(order, {}, [&](size_t n) { return unsorted_rows_[n]; });
  for (size_t n = 0; n < order.size(); ++n) put(begin + n, order[n]);
}

void RowGrouping::collect(ThreadPool& pool) {
  const auto starts_row = [&](size_t n, size_t begin) { return n == begin || sorted_rows_[n] != sorted_rows_[n - 1]; };
  shard_rows_.assign(shards_ + 1, 0);
  pool.run(shards_, [&](size_t s) {
    uint32_t distinct = 0;
    for (size_t n = shard_begin_[s]; n < shard_begin_[s + 1]; ++n) distinct += starts_row(n, shard_begin_[s]);
    shard_rows_[s] = distinct;
  });
  std::exclusive_scan(shard_rows_.begin(), shard_rows_.end(), shard_rows_.begin(), 0u);
  rows.resize(shard_rows_.back());
  first.resize(rows.size() + 1);
  pool.run(shards_, [&](size_t s) {
    size_t at = shard_rows_[s];
    for (size_t n = shard_begin_[s]; n < shard_begin_[s + 1]; ++n)
      if (starts_row(n, shard_begin_[s])) {
        rows[at] = sorted_rows_[n];
        first[at++] = n;
      }
  });
  first.back() = shard_begin_.back();
}

}  // namespace pagoda::nn
