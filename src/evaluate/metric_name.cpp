#include "evaluate/metric_name.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/suggest.h"

namespace pagoda::evaluate {

MetricName parse_metric(const std::string& name) {
  static const std::vector<std::string> kinds(kMetricNames.begin(), kMetricNames.end());
  const auto at = name.find('@');
  MetricName metric{name.substr(0, at), 0};
  if (std::find(kinds.begin(), kinds.end(), metric.kind) == kinds.end())
    fail(ErrorKind::usage, "'{}' is no metric{}", name, suggestion(metric.kind, kinds));
  const auto* begin = name.data() + (at == std::string::npos ? name.size() : at + 1);
  const auto* end = name.data() + name.size();
  if (const auto [stop, error] = std::from_chars(begin, end, metric.k);
      error != std::errc() || stop != end || metric.k < 1)
    fail(ErrorKind::usage, "'{}': write the list's length after the @, as in {}@100", name, metric.kind);
  return metric;
}

std::string plain_name(std::string_view kind, int64_t k) { return fmt::format("{}_at_{}", kind, k); }

std::string telling_metric(const std::string& choose_by, std::span<const int64_t> ks, int64_t items) {
  const auto [kind, k] = parse_metric(choose_by);
  if (tells_models_apart(k, items)) return choose_by;
  int64_t best = std::max<int64_t>(1, items / 10);
  for (const int64_t other : ks)
    if (tells_models_apart(other, items)) best = std::max(best, other);
  return fmt::format("{}@{}", kind, best);
}

}  // namespace pagoda::evaluate
