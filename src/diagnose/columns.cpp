#include "diagnose/columns.h"

#include <cmath>
#include <limits>

namespace pagoda::diagnose {

double log_absence(uint64_t rows, uint64_t marked, uint64_t drawn) {
  if (marked == 0 || drawn == 0) return 0;
  if (marked + drawn > rows) return -std::numeric_limits<double>::infinity();
  // prod_{k < marked} (1 - drawn / (rows - k)), and the same with the two exchanged: the shorter one.
  const uint64_t terms = std::min(marked, drawn);
  const auto others = static_cast<double>(std::max(marked, drawn));
  double sum = 0;
  for (uint64_t k = 0; k < terms; ++k) sum += std::log1p(-others / static_cast<double>(rows - k));
  return sum;
}

double items_absent_from_epoch(const Popularity& popularity, const BatchShape& shape) {
  const uint64_t met = shape.steps() * shape.batch;
  return popularity.sum([&](uint64_t count) { return std::exp(log_absence(shape.rows, count, met)); });
}

double items_in_batch(const Popularity& popularity, const BatchShape& shape) {
  return popularity.sum([&](uint64_t count) { return -std::expm1(log_absence(shape.rows, count, shape.batch)); });
}

double chance_beside_row(uint64_t count, const BatchShape& shape) { return chance_beside_row(count, shape, 0, 1); }

double chance_beside_row(uint64_t count, const BatchShape& shape, uint64_t draws, uint64_t items) {
  const uint64_t others = shape.rows - 1;
  double log_none = log_absence(others, std::min(count, others), shape.batch - 1);
  if (draws > 0) log_none += static_cast<double>(draws) * std::log1p(-1 / static_cast<double>(items));
  return -std::expm1(log_none);
}

double items_absent_from_user(const Popularity& popularity, const BatchShape& shape, uint64_t user_rows) {
  // Rows of other users, and how many of them are expected in the batches that have a row of this one.
  const uint64_t others = shape.rows - user_rows;
  const auto steps = static_cast<double>(shape.steps()), batch = static_cast<double>(shape.batch);
  const double batches = steps * -std::expm1(log_absence(shape.rows, user_rows, shape.batch));
  const double own = static_cast<double>(user_rows) * steps * batch / static_cast<double>(shape.rows);
  const auto beside = std::min(others, static_cast<uint64_t>(std::llround(std::max(0.0, batches * batch - own))));
  return popularity.sum([&](uint64_t count) { return std::exp(log_absence(others, std::min(count, others), beside)); });
}

EffectiveNegatives effective_negatives(const Popularity& popularity, const BatchShape& shape, uint64_t draws) {
  const double uniform = static_cast<double>(draws) / static_cast<double>(popularity.items());
  double total = 0, squares = 0, inverse = 0;
  EffectiveNegatives result;
  for (const auto& g : popularity.groups()) {
    const double lambda =
        static_cast<double>(shape.batch) * static_cast<double>(g.count) / static_cast<double>(shape.rows) + uniform;
    if (lambda == 0) continue;
    const auto items = static_cast<double>(g.items);
    result.reached += g.items;
    total += items * lambda;
    squares += items * lambda * lambda;
    inverse += items / lambda;
  }
  const auto reached = static_cast<double>(result.reached);
  result.different = total * total / squares;
  result.columns = reached * reached / inverse;
  return result;
}

}  // namespace pagoda::diagnose
