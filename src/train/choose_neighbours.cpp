#include "train/choose_neighbours.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/log.h"
#include "core/progress.h"
#include "evaluate/evaluation.h"

namespace pagoda::train {

namespace {

using model::NeighbourKind;

constexpr size_t kTop = 20;
// Weights that are tried: shares of what the users' best scores by the towers lie above all.
constexpr double kShares[] = {0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6};
// The shrinkages of ease that are tried.
constexpr double kShrinkages[] = {0.5, 2};
// The best of 28 weights gains some thousandths by luck alone; less than this is not worth a list an item.
constexpr double kLeastGain = 0.005;
// Where a weight loses so much, a heavier one loses more.
constexpr double kHopeless = -0.03;

double shrinkage_of(const model::NeighbourChoice& choice, const model::NeighbourOptions& o) {
  if (o.shrinkage) return *o.shrinkage;
  if (choice.kind == NeighbourKind::ease) return choice.shrinkage > 0 ? choice.shrinkage : 1;
  return choice.kind == NeighbourKind::swing ? 1 : 10;
}

model::Similarity similarity_of(NeighbourKind kind) {
  return kind == NeighbourKind::ease    ? model::Similarity::ease
         : kind == NeighbourKind::swing ? model::Similarity::swing
                                        : model::Similarity::cosine;
}

std::string name_with_shrinkage(const model::NeighbourChoice& choice) {
  if (choice.kind != NeighbourKind::ease) return std::string(name_of(choice.kind));
  return fmt::format("ease of shrinkage {:g}", choice.shrinkage);
}

}  // namespace

model::Neighbours make_neighbours(ThreadPool& pool, const dataset::TrainingContext& fit,
                                  const dataset::Options& options, model::NeighbourChoice choice) {
  const auto& o = options.neighbours;
  choice.shrinkage = shrinkage_of(choice, o);
  model::NearestOptions nearest;
  nearest.similarity = similarity_of(choice.kind);
  nearest.neighbours = static_cast<size_t>(o.count);
  nearest.shrinkage = choice.shrinkage;
  nearest.seed = options.train.seed;
  auto found = model::nearest_items(pool, fit.events.items, fit.item_counts.size(), nearest);
  if (found.sampled_users < found.users)
    log_info("neighbours: from a sample of {} of {} users", human_count(static_cast<double>(found.sampled_users)),
             human_count(static_cast<double>(found.users)));
  return {std::move(found.of), choice, static_cast<size_t>(o.history)};
}

model::NeighbourChoice choose_neighbours(ThreadPool& pool, const dataset::Dataset& data,
                                         const dataset::TrainingContext& fit, const dataset::Relevant& validation,
                                         const dataset::Options& options, const std::string& choose_by) {
  // The recall of a long list would not tell a weight that spoils its top, so shorter lists and ndcg have their say.
  const auto chosen = evaluate::parse_metric(choose_by);
  auto only_choosing = options;
  std::erase_if(only_choosing.evaluate.k, [&](int64_t k) { return k >= chosen.k; });
  only_choosing.evaluate.k.push_back(chosen.k);
  const auto vectors = model::item_vectors(pool, fit.model, fit.item_cells, data.train_end_us);
  const evaluate::Validation judge(pool, data, fit, vectors, validation, only_choosing, choose_by);
  std::vector<std::string> names{choose_by};
  for (const int64_t k : only_choosing.evaluate.k)
    for (const auto* metric : {"recall", "ndcg"})
      if (const auto name = fmt::format("{}@{}", metric, k); name != choose_by) names.push_back(name);
  using Values = std::vector<double>;  // parallel to names
  const auto values_of = [&](const model::Neighbours* neighbours) {
    const auto metrics = judge.metrics(neighbours);
    Values values;
    for (const auto& name : names) {
      const auto found = std::ranges::find(metrics, name, &std::pair<std::string, double>::first);
      check(found != metrics.end(), "recall, ndcg and choose_by are judged at each length");
      values.push_back(found->second);
    }
    return values;
  };
  const auto& o = options.neighbours;
  std::vector<model::NeighbourChoice> kinds;
  for (const auto kind : {NeighbourKind::swing, NeighbourKind::cosine, NeighbourKind::ease}) {
    if (o.kind != kind && o.kind != NeighbourKind::automatic) continue;
    if (kind != NeighbourKind::ease || o.shrinkage)
      kinds.push_back({.kind = kind});
    else
      for (const double shrinkage : kShrinkages) kinds.push_back({.kind = kind, .shrinkage = shrinkage});
  }
  std::vector<double> weights;
  if (o.weight) {
    weights = {*o.weight};
  } else if (const double unit = judge.rise_of_best(kTop); unit > 0) {
    for (const double share : kShares) weights.push_back(share * unit);
  }
  const auto alone = values_of(nullptr);
  // The mean of how many times better each is, on a log scale; half a hit keeps zeros from deciding.
  const double half_a_hit = 0.5 / static_cast<double>(std::max<size_t>(1, validation.users.size()));
  const auto gain_of = [&](const Values& values) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += std::log((values[i] + half_a_hit) / (alone[i] + half_a_hit));
    return sum / static_cast<double>(values.size());
  };
  auto best = alone;
  double most = o.weight ? -std::numeric_limits<double>::infinity() : kLeastGain;  // a weight that was told stands
  auto choice = kinds.front();
  for (const auto& kind : kinds) {
    auto neighbours = make_neighbours(pool, fit, options, kind);
    std::string said;
    for (const double weight : weights) {
      neighbours.set_weight(weight);
      const auto values = values_of(&neighbours);
      const double gain = gain_of(values);
      said += fmt::format("  {:.3g}: {:.4f} ({:+.1f}%)", weight, values[0], 100 * std::expm1(gain));
      if (gain < kHopeless && !o.weight) break;
      if (gain <= most) continue;
      most = gain;
      best = values;
      choice = neighbours.choice();
    }
    log_info("neighbours: {} on validation by weight of {} (gain in recall and ndcg of {}): 0: {:.4f}{}", choose_by,
             name_with_shrinkage(neighbours.choice()), fmt::join(only_choosing.evaluate.k, ", "), alone[0], said);
  }
  if (choice.weight > 0)
    log_info("neighbours: {}, weight {:.3g}: {} = {:.4f}, {:.4f} without", name_with_shrinkage(choice), choice.weight,
             choose_by, best[0], alone[0]);
  else
    log_info("neighbours: none, no weight gains {:g}%", 100 * kLeastGain);
  return choice;
}

model::NeighbourChoice neighbours_unjudged(const model::NeighbourOptions& o, const model::Bundle* before) {
  const bool told = o.weight && o.kind != NeighbourKind::automatic;  // all but a shrinkage
  model::NeighbourChoice choice;
  if (before && before->neighbours()) choice = before->neighbours()->choice();
  if (told && choice.kind != o.kind) choice = {.kind = o.kind};
  if (told) choice.weight = *o.weight;
  if (choice.kind == NeighbourKind::none && !before)
    log_warning(
        "neighbours: nobody can be judged to choose them by, so the towers rank alone; to have them, give both "
        "neighbours.kind and neighbours.weight, such as \"swing\" and 0.1");
  return choice;
}

}  // namespace pagoda::train
