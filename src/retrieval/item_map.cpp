#include "retrieval/item_map.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pagoda::retrieval {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

// Scales to unit length; a vector of length 0 stays zero.
void normalise(Vector& v) {
  const double length = std::sqrt(dot(v, v));
  for (double& x : v) x = length > 0 ? x / length : 0;
}

void take_out(Vector& v, const Vector& direction) {
  const double along = dot(v, direction);
  for (size_t d = 0; d < v.size(); ++d) v[d] -= along * direction[d];
}

// The sum over the centred rows of row * <row, v>, minus its component along `before`.
Vector spread(const std::vector<Vector>& rows, const Vector& v, const Vector& before) {
  Vector out(v.size(), 0);
  for (const auto& row : rows) {
    const double along = dot(row, v);
    for (size_t d = 0; d < v.size(); ++d) out[d] += along * row[d];
  }
  take_out(out, before);
  return out;
}

// The direction of the largest variance orthogonal to `before`, by power iteration. It starts from the row farthest
// out, which is hardly orthogonal to that direction.
Vector principal_axis(const std::vector<Vector>& rows, const Vector& before) {
  constexpr int kRounds = 200;
  constexpr double kStill = 1e-6;
  Vector axis(before.size(), 0);
  double farthest = 0;
  for (auto row : rows) {
    take_out(row, before);
    if (const double length = dot(row, row); length > farthest) {
      farthest = length;
      axis = row;
    }
  }
  normalise(axis);
  for (int round = 0; round < kRounds; ++round) {
    auto next = spread(rows, axis, before);
    normalise(next);
    const bool still = 1 - dot(axis, next) < kStill;
    axis = std::move(next);
    if (still) break;
  }
  // Of the two signs, the one whose largest component is positive, so that every run gives the same.
  const auto largest = std::ranges::max_element(axis, {}, [](double x) { return std::abs(x); });
  if (largest != axis.end() && *largest < 0)
    for (double& x : axis) x = -x;
  return axis;
}

}  // namespace

ItemMap make_item_map(math::RowsView vectors, size_t max_items) {
  ItemMap map;
  const size_t dim = vectors.cols(), stride = std::max<size_t>(1, (vectors.rows() + max_items - 1) / max_items);
  Vector centre(dim, 0);
  for (size_t item = 0; item < vectors.rows(); item += stride) {
    const auto row = vectors.row(item);
    if (!std::ranges::all_of(row, [](float x) { return std::isfinite(x); })) continue;
    map.items.push_back(static_cast<uint32_t>(item));
    double squares = 0;
    for (size_t d = 0; d < dim; ++d) {
      centre[d] += row[d];
      squares += double{row[d]} * row[d];
    }
    map.length += std::sqrt(squares);
  }
  const auto n = static_cast<double>(std::max<size_t>(1, map.items.size()));
  map.length /= n;
  for (double& x : centre) x /= n;

  std::vector<Vector> rows;
  double whole = 0, held = 0;
  for (const auto item : map.items) {
    auto& row = rows.emplace_back(dim);
    const auto vector = vectors.row(item);
    for (size_t d = 0; d < dim; ++d) row[d] = vector[d] - centre[d];
    whole += dot(row, row);
  }
  const auto first = principal_axis(rows, Vector(dim, 0));
  const std::vector<Vector> axes{first, principal_axis(rows, first)};
  map.points.resize(rows.size(), 2);
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t a = 0; a < 2; ++a) {
      const double along = dot(rows[i], axes[a]);
      map.points[i][a] = static_cast<float>(along);
      held += along * along;
    }
  map.variance = whole > 0 ? held / whole : 0;
  map.centre.assign(centre.begin(), centre.end());
  map.axes.resize(2, dim);
  for (size_t a = 0; a < 2; ++a) std::ranges::copy(axes[a], map.axes[a]);
  return map;
}

}  // namespace pagoda::retrieval
