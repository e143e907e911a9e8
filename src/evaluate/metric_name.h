// The names of ranking metrics, and which lists tell models apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace pagoda::evaluate {

// "ndcg@20" to its parts; Error{usage} for an unknown metric, with the nearest.
struct MetricName {
  std::string kind;
  int64_t k;
};
MetricName parse_metric(const std::string& name);

// Whether lists of this length tell models apart among so many items: one of more than half of them holds nearly all that
// can be found, whatever the model.
inline bool tells_models_apart(int64_t length, int64_t items) { return 2 * length <= items; }

// The metric that can tell models apart among so many items: where that of `choose_by` cannot, its K gives way to the greatest of `ks` that is not so long, or to a tenth of the items.
// Error{usage} for what is no metric.
std::string telling_metric(const std::string& choose_by, std::span<const int64_t> ks, int64_t items);

}  // namespace pagoda::evaluate
