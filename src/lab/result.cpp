#include "lab/result.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/config.h"
#include "core/error.h"
#include "core/file.h"
#include "report/run_log.h"

namespace pagoda::lab {

namespace {

using Json = nlohmann::ordered_json;

std::string json_path(const std::string& stem) { return stem + ".json"; }
std::string users_path(const std::string& stem) { return stem + ".users.parquet"; }
std::string truth_path(const std::string& stem) { return stem + ".truth.parquet"; }

}  // namespace

std::string result_config(dataset::Options options) {
  const dataset::TrainOptions standard;
  options.train.threads = standard.threads;
  options.train.checkpoint_seconds = standard.checkpoint_seconds;
  options.train.keep_state = standard.keep_state;
  options.evaluate.k = dataset::EvaluateOptions().k;
  return dataset::to_toml(options, false);
}

bool is_config_of(const std::string& written, const dataset::Options& options) {
  const std::string config = result_config(options);
  if (written == config) return true;
  try {
    dataset::Options of_written;
    Config::from_text(written, "a result").read([&](OptionVisitor& f) { dataset::describe(f, of_written); });
    return result_config(of_written) == config;
  } catch (const Error&) {  // a key or value that this version does not have
    return false;
  }
}

void write_result(const std::string& stem, const RunResult& result) {
  remove_result(stem);  // parts of a former run must not be taken for this run's
  evaluate::write_user_table(users_path(stem), result.users);
  if (!result.truth.empty()) evaluate::write_user_table(truth_path(stem), result.truth_users);
  Json json{{"config", result.config},
            {"judged_by", result.judged_by},
            {"fingerprint", result.fingerprint},
            {"epochs", result.epochs},
            {"seconds", result.seconds},
            {"validation", Json::object()},
            {"evaluation", Json::parse(result.evaluation)},
            {"run_log", Json::array()}};
  for (const auto& [name, value] : result.validation) json["validation"][name] = value;
  for (const auto& record : report::parse_run_log(result.run_log, stem + ": run log"))
    json["run_log"].push_back(Json::parse(report::to_json_line(record)));
  if (!result.truth.empty()) json["truth"] = Json::parse(result.truth);
  write_file(json_path(stem), json.dump(1) + "\n");
}

std::optional<RunResult> read_result(const std::string& stem) {
  if (!file_exists(json_path(stem))) return std::nullopt;
  RunResult result;
  try {
    const Json json = Json::parse(read_file(json_path(stem)));
    json.at("config").get_to(result.config);
    json.at("judged_by").get_to(result.judged_by);
    json.at("fingerprint").get_to(result.fingerprint);
    json.at("epochs").get_to(result.epochs);
    json.at("seconds").get_to(result.seconds);
    for (const auto& [name, value] : json.at("validation").items()) result.validation.emplace_back(name, value);
    result.evaluation = json.at("evaluation").dump(1);
    for (const auto& record : json.at("run_log")) result.run_log += record.dump() + "\n";
    result.users = evaluate::read_user_table(users_path(stem));
    if (json.contains("truth")) {
      result.truth = json["truth"].dump(1);
      result.truth_users = evaluate::read_user_table(truth_path(stem));
    }
  } catch (const std::exception& error) {
    fail(ErrorKind::failed, "{}: is not a complete result of a run; it is made again ({})", json_path(stem),
         error.what());
  }
  return result;
}

void remove_result(const std::string& stem) {
  for (const auto& path : {json_path(stem), users_path(stem), truth_path(stem)}) std::filesystem::remove(path);
}

ChosenEpoch chosen_epoch(const std::string& run_log, const std::string& choose_by) {
  ChosenEpoch best;
  for (const auto& record : report::parse_run_log(run_log, "run log"))
    for (const auto& [name, value] : record.validation)
      if (name == choose_by && value > best.value) best = {record.validation, value, record.epoch};
  return best;
}

}  // namespace pagoda::lab
