// The names of ranking metrics, and which lists tell models apart.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pagoda::evaluate {

inline constexpr std::array<std::string_view, 6> kMetricNames{"recall", "ndcg", "hit_rate", "mrr", "map", "precision"};

// One T for each metric, in the order of kMetricNames.
template <class T>
struct PerMetric {
  T recall{}, ndcg{}, hit_rate{}, mrr{}, map{}, precision{};
  std::array<T*, kMetricNames.size()> all() { return {&recall, &ndcg, &hit_rate, &mrr, &map, &precision}; }
  std::array<const T*, kMetricNames.size()> all() const { return {&recall, &ndcg, &hit_rate, &mrr, &map, &precision}; }
  // By a name that parse_metric() has accepted.
  const T& named(std::string_view kind) const {
    size_t m = 0;
    while (m + 1 < kMetricNames.size() && kMetricNames[m] != kind) ++m;
    return *all()[m];
  }
};

// "ndcg@20" to its parts; Error{usage} for an unknown metric, with the nearest.
struct MetricName {
  std::string kind;
  int64_t k;
};
MetricName parse_metric(const std::string& name);

// "recall@20" as "recall_at_20": MLflow and others refuse the @.
std::string plain_name(std::string_view kind, int64_t k);

// Whether lists of this length can tell models apart in a catalogue of `items`: a list of more than half of them holds
// nearly all that can be found, whatever the model.
inline bool tells_models_apart(int64_t length, int64_t items) { return 2 * length <= items; }

// `choose_by` if it can tell models apart in a catalogue of `items`. Else its K becomes the greatest of `ks` that can,
// or a tenth of the items. Error{usage}: `choose_by` is no metric.
std::string telling_metric(const std::string& choose_by, std::span<const int64_t> ks, int64_t items);

}  // namespace pagoda::evaluate
