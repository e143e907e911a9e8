// lab.json; its fields are described in docs/lab.md.
#include <pagoda/version.h>

#include "lab/summary.h"

namespace pagoda::lab {

namespace {

// A TOML value as JSON if it is the same in both (a text, a number, true, a list of these); otherwise its TOML text.
Json json_of_toml(const std::string& value) {
  Json json = Json::parse(value, nullptr, false);
  return json.is_discarded() ? Json(value) : json;
}

Json object_of(const KeyValues& values, bool toml) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = toml ? json_of_toml(value) : Json(value);
  return object;
}

Json or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json compared_json(const std::vector<Compared>& figures, bool baseline) {
  Json out = Json::object();
  for (const auto& c : figures) {
    Json one{{"mean", or_null(c.mean)}, {"spread", or_null(c.spread)}, {"seeds", Json::array()}};
    for (const double value : c.seeds) one["seeds"].push_back(or_null(value));
    if (!baseline)
      one["difference"] = {
          {"mean", or_null(c.difference)}, {"low", or_null(c.interval.low)}, {"high", or_null(c.interval.high)}};
    out[c.name] = std::move(one);
  }
  return out;
}

Json tuning_json(const VariantRuns& runs) {
  if (runs.tried.empty()) return nullptr;
  Json tuned{{"metric", runs.tried[runs.chosen].metric},
             {"seed", runs.options.train.seed},
             {"chosen", object_of(runs.tried[runs.chosen].settings, true)},
             {"tried", Json::array()}};
  for (const auto& tried : runs.tried)
    tuned["tried"].push_back(
        {{"settings", object_of(tried.settings, true)}, {"value", tried.value}, {"epochs", tried.epochs}});
  return tuned;
}

Json run_json(const Plan& plan, const Variant& variant, int64_t seed, const RunResult& run) {
  const std::string stem = run_stem("", variant, seed).substr(1);
  Json one{{"seed", seed},
           {"bundle", plan.lab.keep_models ? Json(stem + ".pagoda") : Json()},
           {"result", stem + ".json"},
           {"users", stem + ".users.parquet"},
           {"fingerprint", run.fingerprint},
           {"epochs", run.epochs},
           {"seconds", run.seconds},
           {"validation", Json::object()},
           {"evaluation", Json::parse(run.evaluation)}};
  for (const auto& [name, value] : run.validation) one["validation"][name] = value;
  if (!run.truth.empty()) one["truth"] = Json::parse(run.truth);
  one["run_log"] = Json::array();
  for (size_t begin = 0, end; (end = run.run_log.find('\n', begin)) != std::string::npos; begin = end + 1)
    one["run_log"].push_back(Json::parse(run.run_log.substr(begin, end - begin)));
  return one;
}

}  // namespace

std::string lab_json(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary) {
  const auto& lab = plan.lab;
  Json json{{"version", version()},
            {"lab", plan.path},
            {"seeds", lab.seeds},
            {"k", lab.k},
            {"metrics", lab.metrics},
            {"goal_metric", summary.goal_metric},
            {"baseline", plan.variants[plan.baseline].name},
            {"users", summary.users},
            {"bootstrap",
             {{"resamples", lab.bootstrap.resamples},
              {"confidence", lab.bootstrap.confidence},
              {"seed", lab.bootstrap.seed}}},
            {"truth", nullptr}};
  if (!lab.truth.empty())
    json["truth"] = {{"file", lab.truth}, {"good", lab.truth_good}, {"users", summary.truth_users}};
  json["variants"] = Json::array();
  for (size_t v = 0; v < plan.variants.size(); ++v) {
    const auto& variant = plan.variants[v];
    const auto& of = summary.variants[v];
    const bool baseline = v == plan.baseline;
    Json one{{"name", variant.name},
             {"family", variant.family.empty() ? Json() : Json(variant.family)},
             {"value", variant.value.empty() ? Json() : json_of_toml(variant.value)},
             {"differs", object_of(differences(plan.variants[plan.baseline].options, variant.options), true)},
             {"tuned", tuning_json(runs[v])},
             {"metrics", compared_json(of.metrics, baseline)},
             {"tail_recall", or_null(of.tail_recall)},
             {"cold_recall", or_null(of.cold_recall)},
             {"mean", of.mean},
             {"spread", of.spread}};
    if (!of.truth.is_null()) {
      one["truth"] = {{"metrics", compared_json(of.truths, baseline)}, {"mean", of.truth}, {"spread", of.truth_spread}};
    }
    one["config"] = result_config(runs[v].options);
    one["runs"] = Json::array();
    for (size_t s = 0; s < lab.seeds.size(); ++s)
      one["runs"].push_back(run_json(plan, variant, lab.seeds[s], runs[v].runs[s]));
    json["variants"].push_back(std::move(one));
  }
  json["goals"] = Json::array();
  for (const auto& goal : summary.goals)
    json["goals"].push_back(
        {{"goal", goal.name}, {"winner", goal.winner.empty() ? Json() : Json(goal.winner)}, {"words", goal.words}});
  return json.dump(1) + "\n";
}

}  // namespace pagoda::lab
