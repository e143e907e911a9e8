#include "train/choose_neighbours.h"

#include <algorithm>
#include <vector>

#include "core/log.h"
#include "core/progress.h"
#include "evaluate/evaluation.h"

namespace pagoda::train {

namespace {

using model::NeighbourKind;

constexpr size_t kTop = 20;
// Weights that are tried: shares of the mean of the users' best scores by the towers.
constexpr double kShares[] = {0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6};

}  // namespace

model::Neighbours make_neighbours(ThreadPool& pool, const dataset::TrainingContext& fit,
                                  const dataset::Options& options, const model::NeighbourChoice& choice) {
  const auto& o = options.neighbours;
  const bool swing = choice.kind == NeighbourKind::swing;
  model::NearestOptions nearest;
  nearest.similarity = swing ? model::Similarity::swing : model::Similarity::cosine;
  nearest.neighbours = static_cast<size_t>(o.count);
  nearest.shrinkage = o.shrinkage.value_or(swing ? 1 : 10);
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
  auto only_choosing = options;  // other lengths of lists decide nothing
  only_choosing.evaluate.k = {evaluate::parse_metric(choose_by).k};
  const auto vectors = model::item_vectors(pool, fit.model, fit.item_cells, data.train_end_us);
  const evaluate::Validation judge(pool, data, fit, vectors, validation, only_choosing, choose_by);
  const auto value_of = [&](const model::Neighbours* neighbours) {
    const auto metrics = judge.metrics(neighbours);
    return std::ranges::find(metrics, choose_by, &std::pair<std::string, double>::first)->second;
  };
  const auto& o = options.neighbours;
  std::vector<NeighbourKind> kinds{o.kind};
  if (o.kind == NeighbourKind::automatic) kinds = {NeighbourKind::swing, NeighbourKind::cosine};
  std::vector<double> weights;
  if (o.weight) {
    weights = {*o.weight};
  } else if (const double unit = judge.mean_top_score(kTop); unit > 0) {
    for (const double share : kShares) weights.push_back(share * unit);
  }
  const double alone = value_of(nullptr);
  double best = o.weight ? -1 : alone;  // a weight that was told stands
  model::NeighbourChoice choice{.kind = kinds.front(), .weight = 0};
  for (const auto kind : kinds) {
    auto neighbours = make_neighbours(pool, fit, options, {kind, 0});
    std::string said;
    for (const double weight : weights) {
      neighbours.set_weight(weight);
      const double value = value_of(&neighbours);
      said += fmt::format("  {:.3g}: {:.4f}", weight, value);
      if (value <= best) continue;
      best = value;
      choice = {.kind = kind, .weight = weight};
    }
    log_info("neighbours: {} on validation by weight of {}: 0: {:.4f}{}", choose_by, name_of(kind), alone, said);
  }
  if (choice.weight > 0)
    log_info("neighbours: {}, weight {:.3g}: {} = {:.4f}, {:.4f} without", name_of(choice.kind), choice.weight,
             choose_by, best, alone);
  else
    log_info("neighbours: none, the towers alone are as good");
  return choice;
}

}  // namespace pagoda::train
