#include "train/score_thresholds.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/rng.h"
#include "evaluate/evaluation.h"
#include "index/index.h"
#include "math/matrix.h"
#include "sampling/substreams.h"

namespace pagoda::train {

namespace {
constexpr size_t kMostSearched = 1 << 16;  // items
constexpr size_t kThresholdUsers = 4096;   // whose lists are held at once
}  // namespace

std::vector<float> score_thresholds(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
                                    size_t k, uint64_t seed, uint64_t epoch) {
  const auto all = model::item_vectors(pool, fit.model, fit.item_cells, data.train_end_us);
  const double share = std::min(1.0, static_cast<double>(kMostSearched) / static_cast<double>(all.rows()));
  Rng draw(seed, Stream::negatives, epoch, sampling::substream::kThresholds);
  std::vector<uint32_t> searched;
  for (uint32_t item = 0; item < all.rows(); ++item)
    if (share == 1 || draw.uniform() < share) searched.push_back(item);
  math::Matrix<float> vectors(searched.size(), all.cols());
  for (size_t n = 0; n < searched.size(); ++n) std::ranges::copy(all.row(searched[n]), vectors[n]);
  const auto rank = static_cast<size_t>(std::max(1.0, std::round(static_cast<double>(k) * share)));
  const auto index = index::make_exact_index(vectors);
  const auto states = evaluate::user_states(data, fit.events, data.train_end_us, fit.event_histories);

  std::vector<float> thresholds;
  for (size_t begin = 0; begin < states.size(); begin += kThresholdUsers) {
    std::vector<uint32_t> users(std::min(kThresholdUsers, states.size() - begin));
    std::iota(users.begin(), users.end(), static_cast<uint32_t>(begin));
    const auto queries = model::known_user_vectors(pool, fit.model, fit.user_cells, states, fit.id_row_of_item, users);
    const auto found = index->search(pool, queries, {.k = rank});
    for (size_t i = 0; i < users.size(); ++i) thresholds.push_back(found.scores[found.items.offsets[i + 1] - 1]);
  }
  return thresholds;
}

int64_t first_epoch_of_thresholds(const dataset::Options& options) {
  return std::max<int64_t>(1, std::llround(options.loss.top_k_start * static_cast<double>(options.train.epochs)));
}

std::optional<std::vector<float>> score_thresholds_at(ThreadPool& pool, const dataset::Dataset& data,
                                                      const dataset::TrainingContext& fit,
                                                      const dataset::Options& options, uint64_t epoch, bool goes_on) {
  const auto first = goes_on ? 0 : static_cast<uint64_t>(first_epoch_of_thresholds(options));
  const auto refresh = static_cast<uint64_t>(options.loss.top_k_refresh);
  if (options.loss.top_k == 0 || epoch < first || (epoch - first) % refresh != 0) return std::nullopt;
  return score_thresholds(pool, data, fit, static_cast<size_t>(options.loss.top_k), options.train.seed, epoch);
}

}  // namespace pagoda::train
