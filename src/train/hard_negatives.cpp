#include "train/hard_negatives.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/log.h"
#include "core/rng.h"
#include "math/gemm.h"
#include "sampling/substreams.h"

namespace pagoda::train {

namespace {

constexpr size_t kBlockRows = 64;     // of the logits held at once by a task
constexpr size_t kBlockUsers = 4096;  // whose lists are held at once
constexpr size_t kKept = 32;          // of a user's ranks

}  // namespace

math::Ragged<uint32_t> hardest_in_batch(ThreadPool& pool, const InBatch& batch, size_t count) {
  const size_t rows = batch.users.rows(), n = batch.candidates;
  constexpr float kOut = -std::numeric_limits<float>::infinity();
  std::vector<std::vector<uint32_t>> chosen(rows);
  pool.for_chunks(rows, kBlockRows, [&](size_t first, size_t last) {
    math::Matrix<float> logits(last - first, n);
    math::gemm(math::Op::none, math::Op::transpose, static_cast<float>(1 / batch.temperature),
               batch.users.slice_rows(first, last), batch.items.slice_rows(0, n), 0.0f, logits.view());
    std::vector<uint32_t> order(n);
    for (size_t row = first; row < last; ++row) {
      float* z = logits[row - first];
      for (size_t j = 0; j < n && !batch.bias.empty(); ++j) z[j] += batch.bias[j];
      const auto positives = (*batch.positives)[row];
      for (const uint32_t j : positives)
        if (j < n) z[j] = kOut;
      for (const uint32_t j : (*batch.masked)[row])
        if (j < n) z[j] = kOut;
      std::iota(order.begin(), order.end(), 0u);
      const auto wanted = static_cast<ptrdiff_t>(std::min(n, count * positives.size()));
      std::partial_sort(order.begin(), order.begin() + wanted, order.end(),
                        [&](uint32_t a, uint32_t b) { return z[a] != z[b] ? z[a] > z[b] : a < b; });
      for (auto j = order.begin(); j != order.begin() + wanted && z[*j] > kOut; ++j) chosen[row].push_back(*j);
    }
  });
  math::Ragged<uint32_t> result;
  for (const auto& row : chosen) result.push(row);
  return result;
}

sampling::ItemsOfUsers mine_hard_negatives(ThreadPool& pool, const dataset::Dataset& data,
                                           const dataset::TrainingContext& fit,
                                           const sampling::NegativesOptions& options, uint64_t seed, uint64_t epoch) {
  const auto all = model::item_vectors(pool, fit.model, fit.item_cells, data.train_end_us);
  std::vector<uint32_t> shard;  // item rows, rising
  std::vector<uint32_t> place(all.rows(), columns::Interner::kNone);
  Rng draw(seed, Stream::negatives, epoch, sampling::substream::kShard);
  for (uint32_t item = 0; item < all.rows(); ++item)
    if (draw.uniform() < options.shard) {
      place[item] = static_cast<uint32_t>(shard.size());
      shard.push_back(item);
    }
  const auto first_rank = static_cast<size_t>(options.first_rank), last_rank = static_cast<size_t>(options.last_rank);
  if (shard.size() < first_rank)
    log_warning(
        "sampling.negatives: the mined shard has {} items, and first_rank is {}: nothing is mined; raise shard "
        "or lower first_rank",
        shard.size(), first_rank);
  math::Matrix<float> vectors(shard.size(), all.cols());
  for (size_t k = 0; k < shard.size(); ++k) std::ranges::copy(all.row(shard[k]), vectors[k]);
  const auto index = index::make_exact_index(vectors);
  const auto states = evaluate::user_states(data, fit.events, data.train_end_us, fit.event_histories);

  sampling::ItemsOfUsers mined;
  for (size_t begin = 0; begin < states.size(); begin += kBlockUsers) {
    std::vector<uint32_t> users(std::min(kBlockUsers, states.size() - begin));
    std::iota(users.begin(), users.end(), static_cast<uint32_t>(begin));
    math::Ragged<uint32_t> own;
    for (const uint32_t user : users) {
      for (const uint32_t item : (*fit.user_items)[user])
        if (place[item] != columns::Interner::kNone) own.values.push_back(place[item]);
      own.close();
    }
    const auto queries = model::known_user_vectors(pool, fit.model, fit.user_cells, states, fit.id_row_of_item, users);
    const auto found = index->search(pool, queries, {.k = last_rank, .excluded = &own});
    for (size_t i = 0; i < users.size(); ++i) {
      const auto list = found.items[i];
      std::vector<uint32_t> ranks;
      for (size_t rank = first_rank; rank <= list.size(); ++rank) ranks.push_back(shard[list[rank - 1]]);
      Rng(seed, Stream::negatives, epoch, sampling::substream::kMinedList + users[i]).shuffle(std::span(ranks));
      ranks.resize(std::min(kKept, ranks.size()));
      mined.push(ranks);
    }
  }
  return mined;
}

std::optional<sampling::ItemsOfUsers> hard_negatives_at(ThreadPool& pool, const dataset::Dataset& data,
                                                        const dataset::TrainingContext& fit,
                                                        const dataset::Options& options, uint64_t epoch, bool goes_on) {
  const auto* mining = sampling::offline_mining(options.sampling.negatives);
  const auto epochs = static_cast<double>(options.train.epochs);
  if (!mining || epoch % static_cast<uint64_t>(mining->refresh) != 0) return std::nullopt;
  // Not yet, where the source has not begun when the lists would be renewed.
  const auto renewed = static_cast<double>(epoch + static_cast<uint64_t>(mining->refresh));
  if (!goes_on && renewed / epochs <= mining->start.value_or(sampling::kMinedStart)) return std::nullopt;
  return mine_hard_negatives(pool, data, fit, *mining, options.train.seed, epoch);
}

}  // namespace pagoda::train
