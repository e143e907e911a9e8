#include "python/training.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "core/log.h"
#include "core/file.h"
#include "evaluate/metric_name.h"
#include "lab/output.h"
#include "propose/proposal.h"
#include "python/arrays.h"
#include "python/frames.h"
#include "python/watched.h"
#include "report/run_log.h"
#include "train/training.h"
#include "train/whole_config.h"
#include "tune/output.h"

namespace pagoda::python {

namespace nb = nanobind;

namespace {

using Texts = std::vector<std::string>;

// What a training is asked for; pagoda/_training.py fills it.
struct Plan {
  std::string config;  // a file; "": the options are proposed, as by `pagoda init`
  std::string from;    // a bundle to go on from, whose options hold in place of both; "": none
  Texts set;           // a.b=v, over either
  propose::Request request;
};

// Runs on the thread of the work, where the tables are known.
train::WholeConfig options_of(const Plan& plan, const train::WarmStart* from = nullptr) {
  train::WholeConfig config;
  const auto& asked = plan.request;
  if (from) {
    config.training = from->options_for_more();
    config.training.data.interactions = asked.interactions;
    if (!asked.items.empty()) config.training.data.items = asked.items;
    if (!asked.users.empty()) config.training.data.users = asked.users;
    train::read_config("", plan.set, config);
  } else if (plan.config.empty()) {
    auto proposal = propose::propose_config_with(asked, plan.set);
    for (const auto& line : proposal.lines()) log_info("{}", line);
    config.training = std::move(proposal.options);
  } else {
    train::read_config(plan.config, plan.set, config);
    auto& data = config.training.data;
    if (!asked.interactions.empty()) data.interactions = asked.interactions;
    for (const auto& [told, key] :
         {std::pair(asked.items, &data.items), std::pair(asked.users, &data.users), std::pair(asked.user, &data.user),
          std::pair(asked.item, &data.item), std::pair(asked.time.value_or(""), &data.time),
          std::pair(asked.weight.value_or(""), &data.weight)})
      if (!told.empty()) *key = told;
  }
  dataset::validate(config.training);
  evaluate::parse_metric(config.training.train.choose_by);
  return config;
}

void watch(const nb::dict& tables, const nb::object& on_event, const Work& work) {
  auto held = memory_tables(tables);
  run_watched(
      [&](const std::atomic<bool>& interrupt) {
        const formats::ScopedMemoryTables scope(std::move(held));
        work(interrupt);
      },
      on_event);
}

void train_model(const nb::dict& tables, const Plan& plan, const std::string& output, bool resume,
                 const nb::object& on_event) {
  watch(tables, on_event, [&](const std::atomic<bool>& interrupt) {
    std::shared_ptr<const train::WarmStart> from;
    if (!plan.from.empty()) from = std::make_shared<train::WarmStart>(plan.from);
    const auto config = options_of(plan, from.get());
    const auto observe = [](const report::RunRecord& record) { queue_record(report::to_json_line(record)); };
    train::train(config.training, output, {.resume = resume, .from = from, .observe = observe}, interrupt);
  });
}

std::string propose_toml(const nb::dict& tables, const Plan& plan, const nb::object& on_event) {
  std::string toml;
  watch(tables, on_event, [&](const std::atomic<bool>&) { toml = dataset::to_toml(options_of(plan).training, true); });
  return toml;
}

// (json, {"user_id": [...], "recall@20": array, ...} or None)
nb::tuple evaluate_model(const nb::dict& tables, const cli::EvaluateArgs& args, const nb::object& on_event) {
  cli::EvaluatedModel found;
  watch(tables, on_event, [&](const std::atomic<bool>&) { found = cli::evaluate_model(args); });
  if (!args.user_table) return nb::make_tuple(found.json, nb::none());
  nb::dict users;
  users["user_id"] = nb::cast(found.users.users);
  for (size_t c = 0; c < found.users.names.size(); ++c) {
    auto& column = found.users.columns[c];
    const size_t n = column.size();
    users[nb::str(found.users.names[c].c_str())] = nb::cast(array_of(std::move(column), {n}));
  }
  return nb::make_tuple(found.json, users);
}

void write_report(const nb::dict& tables, const Texts& models, const std::string& output, const nb::object& on_event) {
  watch(tables, on_event, [&](const std::atomic<bool>&) { cli::run_report({.models = models, .output = output}); });
}

std::string diagnose(const nb::dict& tables, const cli::DiagnoseArgs& args, const nb::object& on_event) {
  std::string json;
  watch(tables, on_event, [&](const std::atomic<bool>&) { json = cli::diagnosis_json(args); });
  return json;
}

// The table that `pagoda tune` prints; "" where it was interrupted before anything was known.
std::string tune_config(const nb::dict& tables, const Plan& plan, const std::string& output,
                        std::optional<double> minutes, std::optional<int64_t> trials, const nb::object& on_event) {
  std::string table;
  watch(tables, on_event, [&](const std::atomic<bool>& interrupt) {
    auto config = options_of(plan);
    tune::Budget budget{.trials = trials};
    if (minutes) budget.minutes = *minutes;
    ThreadPool pool(static_cast<int>(config.training.train.threads));
    const auto data = dataset::load_dataset(config.training.data);
    const auto outcome = tune::tune(pool, config.training, data, budget, output, interrupt);
    if (outcome)
      table = tune::write_outcome(*outcome, config, plan.config.empty() ? "the proposal" : plan.config, output);
    if (!outcome && !interrupt)
      fail(ErrorKind::failed,
           "{} minutes: the time was over before the config as it stands was trained; give it more; the same call goes "
           "on from there",
           budget.minutes);
  });
  return table;
}

std::string run_lab(const nb::dict& tables, const std::string& config, const Texts& set, const std::string& output,
                    const nb::object& on_event) {
  std::string table;
  watch(tables, on_event, [&](const std::atomic<bool>& interrupt) {
    const auto plan = lab::read_plan(config, set);
    ThreadPool pool(0);
    table = lab::write_lab(pool, plan, lab::run_lab(pool, plan, output, interrupt), output);
  });
  return table;
}

// The values of a dict by their names. An unknown name is a fault of pagoda/_training.py.
Plan plan_of(const nb::dict& given) {
  Plan plan;
  auto& r = plan.request;
  for (const auto& [key, value] : given) {
    const auto name = nb::cast<std::string>(key);
    const auto text = [&] { return nb::cast<std::string>(value); };
    if (name == "config")
      plan.config = text();
    else if (name == "from")
      plan.from = text();
    else if (name == "set")
      plan.set = nb::cast<Texts>(value);
    else if (name == "interactions")
      r.interactions = nb::cast<Texts>(value);
    else if (name == "items")
      r.items = text();
    else if (name == "users")
      r.users = text();
    else if (name == "user")
      r.user = text();
    else if (name == "item")
      r.item = text();
    else if (name == "time")
      r.time = text();
    else if (name == "weight")
      r.weight = text();
    else if (name == "clicked")
      r.clicked = text();
    else if (name == "context")
      r.context = nb::cast<Texts>(value);
    else if (name == "event")
      r.event = text();
    else if (name == "events")
      r.events = nb::cast<Texts>(value);
    else if (name == "positive")
      r.positive = text();
    else if (name == "where")
      r.where = text();
    else if (name == "folder")
      r.config = text() + "/pagoda.toml";
    else
      fail(ErrorKind::usage, "no plan has '{}'", name);
  }
  return plan;
}

}  // namespace

void bind_training(nb::module_& module) {
  nb::class_<Plan>(module, "Plan").def(nb::new_([](const nb::dict& given) { return new Plan(plan_of(given)); }));
  module.def("train", &train_model, nb::arg("tables"), nb::arg("plan"), nb::arg("output"), nb::arg("resume"),
             nb::arg("on_event"));
  module.def("propose", &propose_toml, nb::arg("tables"), nb::arg("plan"), nb::arg("on_event"));
  module.def(
      "evaluate",
      [](const nb::dict& tables, const std::string& model, const std::string& data, const std::string& k,
         const std::string& repeats, const std::string& context, const Texts& set, bool baselines, bool per_user,
         const nb::object& on_event) {
        return evaluate_model(tables,
                              {.model = model,
                               .data = data,
                               .k = k,
                               .json = {},
                               .rescore = {},
                               .repeats = repeats,
                               .context = context,
                               .set = set,
                               .no_baselines = !baselines,
                               .per_user = {},
                               .user_table = per_user},
                              on_event);
      },
      nb::arg("tables"), nb::arg("model"), nb::arg("data"), nb::arg("k"), nb::arg("repeats"), nb::arg("context"),
      nb::arg("set"), nb::arg("baselines"), nb::arg("per_user"), nb::arg("on_event"));
  module.def("report", &write_report, nb::arg("tables"), nb::arg("models"), nb::arg("output"), nb::arg("on_event"));
  module.def(
      "diagnose",
      [](const nb::dict& tables, const Texts& interactions, const std::string& items, const std::string& user,
         const std::string& item, const std::string& time, int64_t batch, const nb::object& on_event) {
        return diagnose(tables,
                        {.interactions = interactions,
                         .config = {},
                         .user = user,
                         .item = item,
                         .time = time,
                         .items = items,
                         .format = {},
                         .json = {},
                         .batch = batch},
                        on_event);
      },
      nb::arg("tables"), nb::arg("interactions"), nb::arg("items"), nb::arg("user"), nb::arg("item"), nb::arg("time"),
      nb::arg("batch"), nb::arg("on_event"));
  module.def("tune", &tune_config, nb::arg("tables"), nb::arg("plan"), nb::arg("output"), nb::arg("minutes").none(),
             nb::arg("trials").none(), nb::arg("on_event"));
  module.def("lab", &run_lab, nb::arg("tables"), nb::arg("config"), nb::arg("set"), nb::arg("output"),
             nb::arg("on_event"));
}

}  // namespace pagoda::python
