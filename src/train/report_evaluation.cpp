#include "train/report_evaluation.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace pagoda {

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

EvaluatedBucket bucket_of(const Json& json, std::string name, int& k) {
  EvaluatedBucket bucket{.name = std::move(name),
                         .items = number_or_nan(json, "items"),
                         .test_positives = number_or_nan(json, "test_positives"),
                         .recall = NAN,
                         .train_positives = number_or_nan(json, "train_positives"),
                         .recommended = NAN};
  if (std::isnan(bucket.train_positives)) bucket.train_positives = number_or_nan(json, "train_clicks");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_number()) continue;
    if (const auto [metric, at] = split_metric(key); metric == "recall" && (k == 0 || k == at)) {
      bucket.recall = value.get<double>();
      k = at;
    } else if (metric.starts_with("recommended") && std::isnan(bucket.recommended)) {
      bucket.recommended = value.get<double>();
    }
  }
  return bucket;
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
  if (!json.is_object()) fail(ErrorKind::failed, "{}: is no evaluation: expected a JSON object", what);
  Evaluated evaluated{.split = text_or_empty(json, "split"),
                      .chosen_on = text_or_empty(json, "chosen_on"),
                      .users = number_or_nan(json, "users"),
                      .items = number_or_nan(json, "items"),
                      .seconds = number_or_nan(json, "seconds"),
                      .metrics = {},
                      .lists = {},
                      .buckets = {},
                      .uses_order = {}};
  if (const auto metrics = json.find("metrics"); metrics != json.end() && metrics->is_object())
    for (const auto& [name, value] : metrics->items())
      if (value.is_number()) evaluated.metrics.emplace_back(name, value.get<double>());
  for (const auto& [name, value] : json.items())
    if (value.is_number() && split_metric(name).second > 0) evaluated.lists.emplace_back(name, value.get<double>());
  if (const auto buckets = json.find("by_item_popularity"); buckets != json.end() && buckets->is_array())
    for (const auto& bucket : *buckets)
      if (bucket.is_object())
        evaluated.buckets.push_back(bucket_of(bucket, text_or_empty(bucket, "bucket"), evaluated.bucket_k));
  if (const auto zero = json.find("zero_train_positives"); zero != json.end() && zero->is_object())
    if (const auto bucket = bucket_of(*zero, "never in train", evaluated.bucket_k); bucket.items > 0)
      evaluated.buckets.push_back(bucket);
  if (const auto order = json.find("uses_order"); order != json.end() && order->is_boolean())
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
  if (metric == "ndcg" || metric == "mrr" || metric == "auc") {
    for (char& c : metric) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  } else if (!metric.empty()) {
    for (char& c : metric)
      if (c == '_') c = ' ';
    metric[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(metric[0])));
  }
  return k > 0 ? fmt::format("{}@{}", metric, k) : metric;
}

}  // namespace pagoda
