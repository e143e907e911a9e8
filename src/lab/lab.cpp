#include "lab/lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>

#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "data/id_overlap.h"
#include "evaluate/bundle_evaluation.h"
#include "evaluate/judged_model.h"
#include "lab/truth.h"
#include "report/run_log.h"
#include "train/checkpoint.h"
#include "train/training.h"

namespace pagoda::lab {

namespace {

using Json = nlohmann::ordered_json;

std::string chosen_by(const model::Bundle& bundle, const dataset::Options& options) {
  return bundle.info().chosen_by.empty() ? options.train.choose_by : bundle.info().chosen_by;
}

// A running lab. Data and truth are read once, and only if a run needs them.
class Lab {
 public:
  Lab(ThreadPool& pool, const Plan& plan, const std::string& folder, const std::atomic<bool>& interrupted)
      : pool_(pool), plan_(plan), folder_(folder), interrupted_(interrupted) {
    for (const auto& variant : plan.variants) total_ += variant.candidates.size() + plan.lab.seeds.size();
    truth_ks_ = plan.lab.k;
    if (std::find(truth_ks_.begin(), truth_ks_.end(), 100) == truth_ks_.end()) truth_ks_.push_back(100);
    std::sort(truth_ks_.begin(), truth_ks_.end());
    evaluated_by_ = fmt::format("k = [{}]", fmt::join(plan.lab.k, ", "));
    if (plan.lab.truth.empty()) return;
    truth_ = read_truth(plan.lab.truth);
    evaluated_by_ += fmt::format(", the first {} of {} ({} bytes)", plan.lab.truth_good,
                                 std::filesystem::weakly_canonical(plan.lab.truth).string(),
                                 MappedFile(plan.lab.truth).bytes().size());
  }

  VariantRuns run(const Variant& variant) {
    VariantRuns out;
    out.options = variant.options;
    out.options.train.seed = static_cast<uint64_t>(plan_.lab.seeds[0]);
    if (!variant.candidates.empty()) tune(variant, out);
    for (const auto seed : plan_.lab.seeds) {
      auto options = out.options;
      options.train.seed = static_cast<uint64_t>(seed);
      options.train.keep_state = false;  // nothing goes on from a run of a lab
      // The lab compares judged models and ships none.
      if (options.train.refit == dataset::Refit::all) options.train.refit = dataset::Refit::validation;
      ++number_;
      out.runs.push_back(run(variant, options, seed));
    }
    return out;
  }

 private:
  void tune(const Variant& variant, VariantRuns& out);
  TriedValue try_value(const Variant& variant, const Candidate& candidate);
  RunResult run(const Variant& variant, const dataset::Options& options, int64_t seed);
  std::string train_bundle(const std::string& stem, const dataset::Options& options, const std::string& what);
  RunResult judge_bundle(const std::string& path, const dataset::Options& options);
  const dataset::Dataset& data(const dataset::Options& options);
  void remove_bundle(const std::string& path) const {
    std::filesystem::remove(path);
    std::filesystem::remove(model::metrics_path(path));
    std::filesystem::remove_all(evaluate::run_folder(path));
  }

  ThreadPool& pool_;
  const Plan& plan_;
  const std::string& folder_;
  const std::atomic<bool>& interrupted_;
  size_t number_ = 0, total_ = 0;  // of runs, including those of tuning
  std::vector<int64_t> truth_ks_;
  std::string evaluated_by_;
  std::optional<Truth> truth_;
  std::string data_config_;
  std::shared_ptr<const dataset::Dataset> data_;  // of data_config_
};

const dataset::Dataset& Lab::data(const dataset::Options& options) {
  dataset::Options only;
  only.data = options.data;
  if (const auto config = dataset::to_toml(only, false); !data_ || config != data_config_) {
    data_.reset();
    data_ = std::make_shared<const dataset::Dataset>(dataset::load_dataset(options.data));
    data_config_ = config;
    if (dataset::relevant_items(*data_, data::Part::test).users.empty())
      fail(ErrorKind::usage, "{}: data.split keeps no test part: there is nothing to evaluate on", plan_.path);
    if (truth_)
      data::report_overlap(data::count_overlap({&truth_->users}, {&data_->users}),
                           {"the data", "users of " + plan_.lab.truth, "is it the truth of another world?"});
  }
  return *data_;
}

// The bundle of a run: trained, continued, or found complete. `what` names the run for a person.
std::string Lab::train_bundle(const std::string& stem, const dataset::Options& options, const std::string& what) {
  const std::string path = stem + ".pagoda";
  if (file_exists(path)) {
    try {
      if (result_config(evaluate::bundle_options(*model::Bundle::open(path), {})) == result_config(options))
        return path;
      log_info("{}: is of another config; it is trained again", path);
    } catch (const Error& error) {
      log_warning("{}; trained anew", error.what());
    }
    remove_bundle(path);
  }
  const std::string checkpoint = evaluate::run_folder(path) + "/checkpoint";
  bool resume = file_exists(checkpoint);
  if (resume) try {
      const train::Checkpoint of_this_run(checkpoint, train::run_identity(options, data(options)));
    } catch (const Error& error) {
      log_warning("training starts again and not from its checkpoint: {}", error.what());
      resume = false;
    }
  const auto& data = this->data(options);
  log_info("run {} of {}: {}{}", number_, total_, what, resume ? ", from its checkpoint" : "");
  try {
    train::train(options, data, path, {.resume = resume}, interrupted_);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted) fail(error.kind(), "{}: {}", what, error.what());
    fail(ErrorKind::interrupted, "interrupted in run {} of {}, {}; the same command continues from there", number_,
         total_, what);
  }
  return path;
}

RunResult Lab::judge_bundle(const std::string& path, const dataset::Options& options) {
  const auto bundle = model::Bundle::open(path);
  const auto test = evaluate::test_users(*bundle, data(options));
  evaluate::UserMetrics metrics;
  const auto evaluation_result = evaluate::evaluate_bundle(
      pool_, *bundle, test,
      {.ks = plan_.lab.k, .repeats = options.evaluate.repeats, .context = options.evaluate.context, .baselines = false},
      &metrics);
  RunResult result{.config = result_config(options),
                   .judged_by = evaluated_by_,
                   .fingerprint = bundle->fingerprint(),
                   .epochs = bundle->info().epochs,
                   .evaluation = evaluation_result.json,
                   .run_log = std::string(bundle->run_log())};
  result.validation = chosen_epoch(result.run_log, chosen_by(*bundle, options)).metrics;
  for (const auto& record : report::parse_run_log(result.run_log, path)) result.seconds = record.seconds;
  for (size_t i = 0; i < test.users.size(); ++i)
    if (test.users[i] != columns::Interner::kNone && !bundle->user_states().histories[test.users[i]].empty())
      result.users.users.push_back(test.ids[i]);
  for (size_t m = 0; m < evaluate::kMetricNames.size(); ++m)
    for (size_t k = 0; k < plan_.lab.k.size(); ++k) {
      result.users.names.push_back(fmt::format("{}@{}", evaluate::kMetricNames[m], plan_.lab.k[k]));
      result.users.columns.push_back((*metrics.all()[m])[k]);
    }
  if (truth_) {
    const auto users = truth_users(*bundle, *truth_, plan_.lab.truth_good);
    auto report = evaluate_truth(pool_, *bundle, users, truth_ks_);
    result.truth = truth_json(report);
    result.truth_users = std::move(report.of_users);
  }
  try {
    model::write_metrics(path, evaluation_result.json);  // for `report` and `inspect`
  } catch (const Error& error) {
    log_warning("the bundle's figures are not kept: {}", error.what());
  }
  return result;
}

RunResult Lab::run(const Variant& variant, const dataset::Options& options, int64_t seed) {
  const std::string stem = run_stem(folder_, variant, seed);
  std::optional<RunResult> done;
  try {
    done = read_result(stem);
  } catch (const Error& error) {
    log_warning("{}", error.what());
  }
  if (done) {
    const bool trained = is_config_of(done->config, options);
    if (trained && done->judged_by == evaluated_by_) {
      if (!plan_.lab.keep_models) remove_bundle(stem + ".pagoda");
      return *std::move(done);
    }
    log_info("{}: {}", stem, trained ? "is evaluated again" : "its config has changed since it was run");
    remove_result(stem);
  }
  const auto path = train_bundle(stem, options, fmt::format("{}, seed {}", variant.name, seed));
  auto result = judge_bundle(path, options);
  write_result(stem, result);
  if (!plan_.lab.keep_models) remove_bundle(path);
  return result;
}

TriedValue Lab::try_value(const Variant& variant, const Candidate& candidate) {
  auto options = candidate.options;
  options.train.seed = static_cast<uint64_t>(plan_.lab.seeds[0]);
  options.train.refit = dataset::Refit::none;  // tuning looks at validation
  options.train.keep_state = false;
  Variant tried;
  tried.file_name = fmt::format("{}-{}", variant.file_name, &candidate - variant.candidates.data() + 1);
  const std::string stem = folder_ + "/tune/" + tried.file_name, json_path = stem + ".json";
  TriedValue out{candidate.label, candidate.settings};
  if (file_exists(json_path)) {
    const Json json = Json::parse(read_file(json_path), nullptr, false);
    if (json.is_object() && is_config_of(json.value("config", ""), options)) {
      out.value = json.value("value", 0.0);
      out.epochs = json.value("epochs", 0.0);
      out.metric = json.value("metric", options.train.choose_by);
      remove_bundle(stem + ".pagoda");  // a killed run may have left it
      return out;
    }
  }
  const auto path = train_bundle(stem, options, fmt::format("{}, {} to tune", variant.name, candidate.label));
  const auto bundle = model::Bundle::open(path);
  out.metric = chosen_by(*bundle, options);
  const auto best = chosen_epoch(std::string(bundle->run_log()), out.metric);
  if (best.metrics.empty())
    fail(ErrorKind::usage, "{}: there is no validation part to tune '{}' on; let data.split keep one", plan_.path,
         variant.name);
  out.value = best.value;
  out.epochs = best.epoch;
  const Json json{{"config", result_config(options)},
                  {"label", out.label},
                  {"metric", out.metric},
                  {"value", out.value},
                  {"epochs", out.epochs}};
  write_file(json_path, json.dump(1) + "\n");
  remove_bundle(path);
  return out;
}

void Lab::tune(const Variant& variant, VariantRuns& out) {
  make_folder(folder_ + "/tune");
  for (const auto& candidate : variant.candidates) {
    ++number_;
    out.tried.push_back(try_value(variant, candidate));
    if (out.tried.back().value > out.tried[out.chosen].value) out.chosen = out.tried.size() - 1;
  }
  out.options = variant.candidates[out.chosen].options;
  log_info("{}: {} is best on validation, {} = {:.4f}", variant.name, out.tried[out.chosen].label,
           out.tried[out.chosen].metric, out.tried[out.chosen].value);
}

}  // namespace

std::string run_stem(const std::string& folder, const Variant& variant, int64_t seed) {
  return fmt::format("{}/{}-{}", folder, variant.file_name, seed);
}

std::vector<VariantRuns> run_lab(ThreadPool& pool, const Plan& plan, const std::string& folder,
                                 const std::atomic<bool>& interrupted) {
  make_folder(folder);
  Lab lab(pool, plan, folder, interrupted);
  std::vector<VariantRuns> out;
  for (const auto& variant : plan.variants) out.push_back(lab.run(variant));
  const auto& first = out[0].runs[0].users.users;
  const auto judged_by = [](const RunResult& run) {  // the rows and how they judge; "" for an older result
    const Json json = Json::parse(run.evaluation, nullptr, false);
    return std::tuple(json.value("test_rows", ""), json.value("repeats", ""), json.value("context", "last"));
  };
  const auto rows_of_first = judged_by(out[0].runs[0]);
  for (size_t v = 0; v < out.size(); ++v)
    for (const auto& run : out[v].runs)
      if (run.users.users != first)
        fail(ErrorKind::usage,
             "{}: '{}' is evaluated on {} users and '{}' on {} others: their data.interactions and data.split must "
             "agree",
             plan.path, plan.variants[v].name, run.users.users.size(), plan.variants[0].name, first.size());
      else if (const auto rows = judged_by(run);
               !std::get<0>(rows).empty() && !std::get<0>(rows_of_first).empty() && rows != rows_of_first)
        fail(ErrorKind::usage,
             "{}: '{}' and '{}' are evaluated on different rows, or not alike: their data, evaluate.repeats and "
             "evaluate.context must agree",
             plan.path, plan.variants[v].name, plan.variants[0].name);
  return out;
}

}  // namespace pagoda::lab
