#include "library/arguments.h"

#include <algorithm>
#include <cmath>

namespace pagoda::library {

std::string field_of(const std::string& list, size_t number, size_t many, const std::string& field) {
  if (many == 1) return field;
  return fmt::format("{}[{}]{}{}", list, number, field.empty() ? "" : ".", field);
}

size_t checked_k(size_t k, size_t items) {
  if (k == 0) wrong(ErrorKind::usage, "k", "k = 0: ask for at least 1 item");
  return std::min(k, std::max<size_t>(items, 1));
}

double checked_recall(double recall) {
  if (!(recall >= 0 && recall <= 1))
    wrong(ErrorKind::usage, "recall", "recall = {}: give a share from 0 to 1, 0 for that of the index", recall);
  return recall;
}

float checked_min_score(float score) {
  if (std::isnan(score)) wrong(ErrorKind::usage, "min_score", "min_score is NaN: give a number");
  return score;
}

int checked_threads(int threads) {
  if (threads < 0) wrong(ErrorKind::usage, "threads", "threads = {}: give at least 1, or 0 for one a CPU", threads);
  return threads;
}

math::MatrixView<const float> checked_queries(VectorsView queries, size_t dim, const std::string& field) {
  if (queries.rows > 0 && queries.dim != dim)
    wrong(ErrorKind::input, field, "the query vectors have {} components, the items have {}", queries.dim, dim);
  for (size_t row = 0; row < queries.rows; ++row)
    for (size_t i = 0; i < dim; ++i)
      if (const float x = queries[row][i]; !std::isfinite(x))
        wrong(ErrorKind::input, field, "component {} of query {} (both from 0) is {}: give finite numbers", i, row, x);
  return {queries.data, queries.rows, dim};
}

}  // namespace pagoda::library
