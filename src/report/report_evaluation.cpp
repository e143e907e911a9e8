#include "report/report_evaluation.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace pagoda::report {

namespace {

using Json = nlohmann::ordered_json;

double number_or_nan(const Json& object, std::string_view key) {
  const auto found = object.find(std::string(key));
  return found != object.end() && found->is_number() ? found->get<double>() : NAN;
}
std::string text_or_empty(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The recall at the first K that any bucket has, the same for all.
double recall_of(const Json& json, int& k) {
  for (const auto& [key, value] : json.items())
    if (const auto [metric, at] = split_metric(key); metric == "recall" && (k == 0 || k == at) && value.is_number()) {
      k = at;
      return value.get<double>();
    }
  return NAN;
}

EvaluatedBucket bucket_of(const Json& json, std::string name, int& k) {
  EvaluatedBucket bucket{.name = std::move(name),
                         .items = number_or_nan(json, "items"),
                         .test_positives = number_or_nan(json, "test_positives"),
                         .recall = recall_of(json, k),
                         .train_positives = number_or_nan(json, "train_positives"),
                         .recommended = NAN};
  if (bucket.test_positives == 0) bucket.recall = NAN;
  if (std::isnan(bucket.train_positives)) bucket.train_positives = number_or_nan(json, "train_clicks");
  for (const auto& [key, value] : json.items())
    if (key.starts_with("recommended") && value.is_number() && std::isnan(bucket.recommended))
      bucket.recommended = value.get<double>();
  return bucket;
}

const Json* find_as(const Json& json, const char* key, Json::value_t type) {
  const auto found = json.find(key);
  return found != json.end() && found->type() == type ? &*found : nullptr;
}

std::vector<EvaluatedInterval> intervals_of(const Json& json, const char* key) {
  std::vector<EvaluatedInterval> intervals;
  if (const Json* object = find_as(json, key, Json::value_t::object))
    for (const auto& [name, value] : object->items())
      if (value.is_object()) intervals.push_back({name, number_or_nan(value, "low"), number_or_nan(value, "high")});
  return intervals;
}

std::vector<NamedValue> metrics_of(const Json& json) {
  std::vector<NamedValue> values;
  if (const Json* metrics = find_as(json, "metrics", Json::value_t::object))
    for (const auto& [name, value] : metrics->items())
      if (value.is_number()) values.emplace_back(name, value.get<double>());
  return values;
}

}  // namespace

double Evaluated::metric(std::string_view name) const {
  for (const auto* values : {&metrics, &lists})
    for (const auto& [key, value] : *values)
      if (key == name) return value;
  return NAN;
}

Evaluated parse_evaluation(std::string_view text, std::string_view what) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) fail(ErrorKind::failed, "{}: is not an evaluation: expected a JSON object", what);
  Evaluated evaluated{.split = text_or_empty(json, "split"),
                      .chosen_on = text_or_empty(json, "chosen_on"),
                      .test_rows = text_or_empty(json, "test_rows"),
                      .repeats = text_or_empty(json, "repeats"),
                      .context = text_or_empty(json, "context"),
                      .users = number_or_nan(json, "users"),
                      .items = number_or_nan(json, "items"),
                      .seconds = number_or_nan(json, "seconds"),
                      .metrics = metrics_of(json),
                      .health = {},
                      .lists = {},
                      .buckets = {},
                      .deciles = {},
                      .ages = {},
                      .age_source = text_or_empty(json, "item_age_source"),
                      .never_in_train = {},
                      .by_activity = {},
                      .uses_order = {},
                      .intervals = intervals_of(json, "intervals"),
                      .baselines = {}};
  if (const Json* baselines = find_as(json, "baselines", Json::value_t::array))
    for (const auto& one : *baselines)
      if (one.is_object())
        evaluated.baselines.push_back({.name = text_or_empty(one, "name"),
                                       .about = text_or_empty(one, "about"),
                                       .metrics = metrics_of(one),
                                       .intervals = intervals_of(one, "intervals"),
                                       .differences = intervals_of(one, "difference")});
  for (const auto& [name, value] : json.items())
    if (value.is_number() && split_metric(name).second > 0) evaluated.lists.emplace_back(name, value.get<double>());

  int& k = evaluated.bucket_k;
  const auto read_buckets = [&](const char* key, const char* name, std::vector<EvaluatedBucket>& out) {
    if (const Json* buckets = find_as(json, key, Json::value_t::array))
      for (const auto& bucket : *buckets)
        if (bucket.is_object()) out.push_back(bucket_of(bucket, text_or_empty(bucket, name), k));
  };
  read_buckets("by_item_popularity", "bucket", evaluated.buckets);
  read_buckets("by_popularity_decile", "decile", evaluated.deciles);
  read_buckets("by_item_age", "age", evaluated.ages);
  if (const Json* zero = find_as(json, "zero_train_positives", Json::value_t::object))
    if (auto bucket = bucket_of(*zero, "no clicks", k); bucket.items > 0) evaluated.never_in_train = bucket;
  if (const Json* activity = find_as(json, "by_user_activity", Json::value_t::array))
    for (const auto& part : *activity)
      if (part.is_object())
        evaluated.by_activity.push_back({number_or_nan(part, "shortest_history"),
                                         number_or_nan(part, "longest_history"), number_or_nan(part, "users"),
                                         recall_of(part, k)});
  if (const Json* health = find_as(json, "health", Json::value_t::object))
    for (const auto& [name, value] : health->items())
      if (value.is_number()) evaluated.health.emplace_back(name, value.get<double>());
  if (const Json* order = find_as(json, "uses_order", Json::value_t::boolean))
    evaluated.uses_order = order->get<bool>();
  return evaluated;
}

std::pair<std::string, int> split_metric(std::string_view name) {
  const size_t at = name.rfind('@');
  int k = 0;
  if (at != name.npos) {
    const auto [end, error] = std::from_chars(name.data() + at + 1, name.data() + name.size(), k);
    if (error == std::errc() && end == name.data() + name.size() && k > 0) return {std::string(name.substr(0, at)), k};
  }
  return {std::string(name), 0};
}

std::string metric_label(std::string_view name) {
  auto [metric, k] = split_metric(name);
  if (metric == "ndcg" || metric == "mrr" || metric == "map" || metric == "auc") {
    for (char& c : metric) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  } else if (!metric.empty()) {
    for (char& c : metric)
      if (c == '_') c = ' ';
    metric[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(metric[0])));
  }
  return k > 0 ? fmt::format("{}@{}", metric, k) : metric;
}

}  // namespace pagoda::report
