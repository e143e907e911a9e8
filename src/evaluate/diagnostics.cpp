#include "evaluate/diagnostics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "dataset/batcher.h"
#include "loss/accidental_hits.h"

namespace pagoda::evaluate {

namespace {

constexpr uint64_t kMeasuredSteps = 8;
constexpr size_t kExamples = 256;  // of a step
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One step's batch as a task of ranking: which of its rows are examples, and what each may not be ranked against.
struct Examples {
  math::Ragged<uint32_t> own;     // per example: the user's other items, of all of training; rising
  math::Ragged<uint32_t> wanted;  // per example: its positive
};

Examples examples_of(const dataset::TrainBatch& batch, const dataset::Events& events) {
  Examples examples;
  std::vector<uint32_t> own;
  for (size_t i = 0; i < std::min(kExamples, batch.positives.size()); ++i) {
    const auto positives = batch.positives[i];
    const uint32_t wanted = positives[i % positives.size()];  // not always the first: they are in order of row
    const auto items = events.items[batch.users[i]];
    own.assign(items.begin(), items.end());
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
    std::erase(own, wanted);
    examples.own.push(own);
    examples.wanted.push({&wanted, 1});
  }
  return examples;
}

// Per example the items that must not come back when it is ranked against the batch: its user's others, and columns
// that are only the positives of other rows, no negatives.
math::Ragged<uint32_t> not_negatives(const Examples& examples, const sampling::Columns& columns) {
  std::vector<uint32_t> drawn(columns.items.begin() + static_cast<ptrdiff_t>(columns.first_negative),
                              columns.items.end());
  std::vector<uint32_t> only_positive(columns.items.begin(),
                                      columns.items.begin() + static_cast<ptrdiff_t>(columns.first_negative));
  std::sort(drawn.begin(), drawn.end());
  std::sort(only_positive.begin(), only_positive.end());
  std::erase_if(only_positive, [&](uint32_t item) { return std::binary_search(drawn.begin(), drawn.end(), item); });
  math::Ragged<uint32_t> excluded;
  for (size_t i = 0; i < examples.own.size(); ++i) {
    std::set_union(examples.own[i].begin(), examples.own[i].end(), only_positive.begin(), only_positive.end(),
                   std::back_inserter(excluded.values));
    const auto begin = excluded.values.begin() + static_cast<ptrdiff_t>(excluded.offsets.back());
    excluded.values.erase(std::remove(begin, excluded.values.end(), examples.wanted[i][0]), excluded.values.end());
    excluded.close();
  }
  return excluded;
}

void rank(const index::SearchResult& found, const Examples& examples, RankingAccumulator& sum) {
  for (size_t i = 0; i < examples.wanted.size(); ++i)
    sum.add({.items = found.items[i],
             .scores = std::span(found.scores).subspan(found.items.offsets[i], found.items[i].size()),
             .relevant = examples.wanted[i]});
}

// Search among `items` alone (rising, each once), all numbers being rows of the catalogue.
index::SearchResult search_among(ThreadPool& pool, const std::vector<uint32_t>& items,
                                 math::MatrixView<const float> vectors, math::MatrixView<const float> queries,
                                 const math::Ragged<uint32_t>& excluded, size_t k) {
  math::Matrix<float> gathered(items.size(), vectors.cols());
  for (size_t i = 0; i < items.size(); ++i) std::copy_n(vectors[items[i]], vectors.cols(), gathered[i]);
  math::Ragged<uint32_t> rows;
  for (size_t q = 0; q < excluded.size(); ++q) {
    for (const uint32_t item : excluded[q])
      if (const auto at = std::lower_bound(items.begin(), items.end(), item); at != items.end() && *at == item)
        rows.values.push_back(static_cast<uint32_t>(at - items.begin()));
    rows.close();
  }
  auto found = index::make_exact_index(gathered)->search(pool, queries, {.k = k, .excluded = &rows});
  for (uint32_t& row : found.items.values) row = items[row];
  return found;
}

}  // namespace

double mean_pairwise_cosine(math::MatrixView<const float> vectors) {
  std::vector<double> sum(vectors.cols());
  double n = 0;
  for (size_t i = 0; i < vectors.rows(); ++i) {
    const auto row = vectors.row(i);
    double square = 0;
    for (const float x : row) square += static_cast<double>(x) * x;
    if (square == 0) continue;
    ++n;
    for (size_t d = 0; d < row.size(); ++d) sum[d] += row[d] / std::sqrt(square);
  }
  if (n < 2) return kNaN;
  const double square = std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0);
  return (square - n) / (n * (n - 1));
}

double effective_negatives(std::span<const uint32_t> items, std::span<const double> log_multiplicity) {
  std::vector<std::pair<uint32_t, double>> columns;
  for (size_t j = 0; j < items.size(); ++j)
    columns.emplace_back(items[j], log_multiplicity.empty() ? 1.0 : std::exp(log_multiplicity[j]));
  std::sort(columns.begin(), columns.end());
  double sum = 0, squares = 0;
  for (size_t j = 0; j < columns.size();) {
    const uint32_t item = columns[j].first;
    double count = 0;
    for (; j < columns.size() && columns[j].first == item; ++j) count += columns[j].second;
    sum += count;
    squares += count * count;
  }
  return squares > 0 ? sum * sum / squares : 0;
}

void AccidentalHits::add(const math::Ragged<uint32_t>& masked_columns, const math::Ragged<uint32_t>& own_columns,
                         size_t columns, size_t first_negative) {
  const auto is_negative = [&](uint32_t column) { return column >= first_negative; };
  pairs += own_columns.size() * (columns - first_negative);
  pairs -= static_cast<uint64_t>(std::ranges::count_if(own_columns.values, is_negative));
  masked += static_cast<uint64_t>(std::ranges::count_if(masked_columns.values, is_negative));
}

double AccidentalHits::rate() const {
  return pairs > 0 ? static_cast<double>(masked) / static_cast<double>(pairs) : kNaN;
}

TrainingDiagnostics replay_training(ThreadPool& pool, const model::Bundle& bundle, const dataset::Options& options,
                                    const dataset::Dataset& data, const std::vector<size_t>& ks) {
  const auto& member = bundle.members()[0];
  const auto& model = member.model;
  const auto events = data.events(bundle.info().refit);
  const auto event_histories = data.event_histories(bundle.info().refit);
  const auto skipped = dataset::skipped_events(options, events, data.rows_of_earlier());
  const sampling::PositiveDownsampling downsampling(
      options.sampling.downsample_positives, dataset::example_counts(skipped, events, bundle.item_counts().size()),
      options.train.seed);
  const dataset::Batcher batcher({.options = &options.train,
                                  .data = &data,
                                  .events = &events,
                                  .skipped = &skipped,
                                  .encoder = &model.user_encoder,
                                  .cells = &member.user_cells,
                                  .id_row_of_item = member.item_id_rows,
                                  .downsampling = &downsampling,
                                  .event_histories = &event_histories});
  const auto counts = sampling::make_counts(bundle.item_counts());  // expected counts play no part here
  const auto user_items = data.items_of_users(bundle.info().refit);
  const auto impressions = data.impressions_of_users(bundle.info().refit);
  const sampling::ItemsOfUsers mined;
  const sampling::CrossBatchMemory memory(
      std::max<size_t>(1, sampling::memory_capacity(options.sampling.negatives, batcher.batch_rows())),
      bundle.info().dim);
  const sampling::Mixture mixture(options.sampling.negatives,
                                  {.catalogue_items = static_cast<uint32_t>(bundle.info().items),
                                   .batch_rows = static_cast<int64_t>(batcher.batch_rows()),
                                   .training_counts = bundle.item_counts(),
                                   .frequency = counts.get(),
                                   .user_items = &user_items,
                                   .impressions = impressions ? &*impressions : nullptr,
                                   .mined = &mined,
                                   .memory = &memory});
  const ItemPopularity popularity({bundle.item_counts().begin(), bundle.item_counts().end()});
  math::Matrix<float> room;
  const auto item_vectors = math::as_floats(bundle.item_vectors(), room);
  const auto catalogue = index::make_exact_index(item_vectors);
  RankingAccumulator in_batch(ks, popularity), in_catalogue(ks, popularity);
  AccidentalHits hits;
  TrainingDiagnostics health{.ks = ks, .batch_recall = {}, .catalogue_recall = {}};
  const uint64_t steps = std::min(kMeasuredSteps, batcher.steps_per_epoch());
  const auto order = batcher.epoch_order(0);
  for (uint64_t s = 0; s < steps; ++s) {
    const auto batch = batcher.make(s * batcher.steps_per_epoch() / steps, order);
    if (batch.users.empty()) continue;
    sampling::Columns columns;
    mixture.draw({.seed = options.train.seed,
                  .step = batch.step,
                  .progress = 0,
                  .positives = batch.positives.values,
                  .users = batch.users},
                 columns);
    columns.items.resize(columns.shared);
    math::Ragged<uint32_t> own_columns = batch.positives;
    if (!mixture.is_catalogue()) std::iota(own_columns.values.begin(), own_columns.values.end(), 0u);
    hits.add(loss::accidental_hits(pool, batch.users, own_columns, columns.items), own_columns, columns.items.size(),
             columns.first_negative);
    const auto negatives = std::span<const uint32_t>(columns.items).subspan(columns.first_negative);
    ++health.steps;
    health.columns += static_cast<double>(negatives.size());
    health.effective_negatives += effective_negatives(negatives, columns.log_multiplicity);

    model::TwoTowers<float>::Pass users;
    model.towers.forward_users(pool, batch.encoded, {}, users);
    const auto examples = examples_of(batch, events);
    const auto queries = std::as_const(users.output).view().slice_rows(0, examples.wanted.size());
    const size_t k = ks.back() + 1;
    rank(catalogue->search(pool, queries, {.k = k, .excluded = &examples.own}), examples, in_catalogue);
    auto distinct = columns.items;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    rank(search_among(pool, distinct, item_vectors, queries, not_negatives(examples, columns), k), examples, in_batch);
    health.examples += examples.wanted.size();
  }
  const double n = static_cast<double>(std::max<uint64_t>(1, health.steps));
  health.columns /= n;
  health.effective_negatives /= n;
  health.accidental_hit_rate = hits.rate();
  health.batch_recall = in_batch.report().recall;
  health.catalogue_recall = in_catalogue.report().recall;
  return health;
}

bool trained_on(const model::Bundle& bundle, const dataset::Dataset& data) {
  const auto same = [](const columns::Interner& a, const columns::Interner& b) {
    if (a.size() != b.size()) return false;
    for (uint32_t i = 0; i < a.size(); ++i)
      if (a[i] != b[i]) return false;
    return true;
  };
  if (bundle.info().all_rows) return false;  // of parts of the data, as the steps are made again
  const auto rows = std::ranges::count(data.rows_that_train(bundle.info().refit), true);
  return static_cast<uint64_t>(rows) == bundle.info().training_rows && same(bundle.item_ids(), data.catalogue) &&
         same(bundle.user_ids(), data.users);
}

}  // namespace pagoda::evaluate
