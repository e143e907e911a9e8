#include "lab/plan.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <span>

#include "core/error.h"
#include "core/file.h"
#include "core/suggest.h"
#include "evaluate/evaluation.h"
#include "train/whole_config.h"

namespace pagoda::lab {

namespace {

using Choices = std::vector<std::vector<Setting>>;    // per key: its values
using Tried = std::vector<std::span<const Setting>>;  // some of them, borrowed
using Combination = std::vector<const Setting*>;      // per key: one value

void describe(OptionVisitor& f, LabOptions& o) {
  f.field("base", o.base, "");
  f.field("seeds", o.seeds, "");
  f.field("k", o.k, "");
  f.field("metrics", o.metrics, "");
  f.field("baseline", o.baseline, "");
  f.field("tail_tolerance", o.tail_tolerance, "");
  f.field("keep_models", o.keep_models, "");
  f.field("truth", o.truth, "");
  f.field("truth_good", o.truth_good, "");
  f.section("bootstrap", "", [&](OptionVisitor& f) {
    f.field("resamples", o.bootstrap.resamples, "");
    f.field("confidence", o.bootstrap.confidence, "");
    f.field("seed", o.bootstrap.seed, "");
  });
}

std::string relative_to(const std::string& file, const std::string& path) {
  return (std::filesystem::path(file).parent_path() / path).string();
}

// All combinations of one value per key, the last key varying fastest; for no keys, one empty combination.
std::vector<Combination> combinations(const Tried& tried) {
  std::vector<Combination> all{{}};
  for (const auto& values : tried) {
    std::vector<Combination> longer;
    for (const auto& combination : all)
      for (const auto& setting : values) {
        longer.push_back(combination);
        longer.back().push_back(&setting);
      }
    all = std::move(longer);
  }
  return all;
}

// "temperature=0.05"; a list or table is named by its number among the values.
std::string label_of(const Combination& combination, const Tried& tried) {
  std::string label;
  for (size_t i = 0; i < combination.size(); ++i) {
    const auto& [key, value, config] = *combination[i];
    label += (label.empty() ? "" : ",") + key.substr(key.rfind('.') + 1) + "=";
    label += value == "[...]" ? fmt::format("#{}", combination[i] - tried[i].data() + 1) : value;
  }
  return label;
}

std::string file_name_of(const std::string& name) {
  std::string file = name;
  for (char& c : file) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && std::string_view("._+=,-").find(c) == std::string_view::npos) c = '_';
  }
  if (!file.empty() && file[0] == '.') file[0] = '_';
  return file;
}

class PlanReader {
 public:
  PlanReader(const std::string& path, const std::vector<std::string>& set) : config_(Config::from_file(path)) {
    plan_.path = path;
    set_ = set;
  }

  Plan read() {
    auto base = config_.take_table("base");
    const auto settings = config_.take_settings("set");
    auto variants = config_.take_tables("variant");
    auto sweeps = config_.take_tables("sweep");
    tune_ = config_.take_choices("tune");
    config_.read([&](OptionVisitor& f) { describe(f, plan_.lab); });
    read_base(std::move(base), settings);
    for (auto& variant : variants) read_variant(variant);
    for (auto& sweep : sweeps) read_sweep(sweep);
    if (plan_.variants.empty())
      fail(ErrorKind::usage, "{}: there is no [[variant]] and no [[sweep]]: nothing to compare", plan_.path);
    settle_lab();
    for (const auto& variant : plan_.variants) check_variant(variant);
    return std::move(plan_);
  }

 private:
  void read_base(std::optional<Config> base, const std::vector<Setting>& settings) {
    if (!base && plan_.lab.base.empty())
      fail(ErrorKind::usage, "{}: 'base' is missing: name a config, base = \"pagoda.toml\", or write one as [base]",
           plan_.path);
    if (!base) {
      const auto file = relative_to(plan_.path, plan_.lab.base);
      if (!file_exists(file))
        fail(ErrorKind::usage, "{}: base = {}: there is no file {}", plan_.path, toml_quoted(plan_.lab.base), file);
      train::WholeConfig config{.training = plan_.base, .serve = {}};
      train::read_config(file, set_, config);
      plan_.base = std::move(config.training);
    } else {
      for (const auto& assignment : set_) base->set(assignment);
      train::read_training(*base, plan_.base);
    }
    for (const auto& setting : settings) train::read_training(setting.config, plan_.base);
  }

  void read_variant(Config& config) {
    Variant variant;
    variant.options = plan_.base;
    const auto settings = config.take_settings("set");
    const bool tunes = config.has("tune");
    const auto tune = config.take_choices("tune");
    config.read([&](OptionVisitor& f) {
      f.field("name", variant.name, "");
      dataset::describe(f, variant.options);
    });
    for (const auto& setting : settings) train::read_training(setting.config, variant.options);
    if (variant.name.empty())
      fail(ErrorKind::usage, "{}: [[variant]] number {} has no name: give it one, such as name = \"corrected\"",
           plan_.path, plan_.variants.size() + 1);
    std::set<std::string> own;
    for (const auto& setting : settings) own.insert(setting.key);
    for (const auto& [key, value] : differences(plan_.base, variant.options)) own.insert(key);
    add(std::move(variant), tunes ? tune : tune_, tunes ? std::set<std::string>() : own);
  }

  void read_sweep(Config& config) {
    Variant start;
    start.options = plan_.base;
    std::string from, name;
    const auto settings = config.take_settings("set");
    const auto over = config.take_choices("over");
    const bool tunes = config.has("tune");
    const auto tune = config.take_choices("tune");
    const auto read = [&] {
      config.read([&](OptionVisitor& f) {
        f.field("name", name, "");
        f.field("from", from, "");
        dataset::describe(f, start.options);
      });
    };
    read();  // once to know what it starts from
    if (!from.empty()) {
      start.options = named(from).options;
      read();
    }
    for (const auto& setting : settings) train::read_training(setting.config, start.options);
    if (over.empty())
      fail(ErrorKind::usage,
           "{}: a [[sweep]] has no 'over': say what it varies, over = {{ \"loss.logq_weight\" = [0.0, "
           "0.5, 1.0] }}",
           plan_.path);
    if (name.empty()) name = from;
    std::set<std::string> own;
    for (const auto& setting : settings) own.insert(setting.key);
    std::string family = name;
    for (const auto& values : over) {
      const auto& key = values[0].key;
      own.insert(key);
      family += (family.empty() ? "" : ",") + key.substr(key.rfind('.') + 1);
    }
    const Tried tried(over.begin(), over.end());
    for (const auto& combination : combinations(tried)) {
      Variant variant = start;
      for (const auto* setting : combination) train::read_training(setting->config, variant.options);
      variant.value = label_of(combination, tried);
      variant.name = name.empty() ? variant.value : name + "," + variant.value;
      variant.family = family;
      if (combination.size() == 1) variant.value.erase(0, variant.value.find('=') + 1);
      add(std::move(variant), tunes ? tune : tune_, own);
    }
  }

  const Variant& named(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& variant : plan_.variants) {
      if (variant.name == name) return variant;
      names.push_back(variant.name);
    }
    fail(ErrorKind::usage, "{}: there is no variant '{}'{}", plan_.path, name, suggestion(name, names));
  }

  // `own`: keys that the variant sets itself; they are not tuned.
  void add(Variant variant, const Choices& tune, const std::set<std::string>& own) {
    variant.file_name = file_name_of(variant.name);
    for (const auto& other : plan_.variants)
      if (other.file_name == variant.file_name)
        fail(ErrorKind::usage, "{}: two variants are called '{}'{}; their files would have one name", plan_.path,
             other.name, other.name == variant.name ? "" : " and '" + variant.name + "'");
    Tried tried;
    for (const auto& values : tune)
      if (!own.count(values[0].key)) tried.emplace_back(values);
    for (const auto& combination : combinations(tried)) {
      if (combination.empty()) break;
      Candidate candidate{label_of(combination, tried), {}, variant.options};
      for (const auto* setting : combination) {
        train::read_training(setting->config, candidate.options);
        candidate.settings.emplace_back(setting->key, setting->value);
      }
      variant.candidates.push_back(std::move(candidate));
    }
    plan_.variants.push_back(std::move(variant));
  }

  void settle_lab() {
    auto& lab = plan_.lab;
    const auto refuse = [&](const std::string& what) { fail(ErrorKind::usage, "{}: {}", plan_.path, what); };
    if (lab.seeds.empty()) refuse("seeds is empty: give at least one");
    if (std::set<int64_t>(lab.seeds.begin(), lab.seeds.end()).size() < lab.seeds.size())
      refuse("seeds has a seed twice; the same seed gives the same bits");
    if (lab.seeds[0] < 0 || *std::min_element(lab.seeds.begin(), lab.seeds.end()) < 0) refuse("a seed is at least 0");
    if (lab.bootstrap.resamples < 1000) refuse("bootstrap.resamples must be at least 1000");
    if (!(lab.bootstrap.confidence > 0 && lab.bootstrap.confidence < 1))
      refuse("bootstrap.confidence must lie between 0 and 1, such as 0.95");
    if (!(lab.tail_tolerance >= 0 && lab.tail_tolerance < 1))
      refuse("tail_tolerance must lie between 0 and 1: 0.05 gives up a twentieth of the best");
    if (lab.truth_good < 1) refuse("truth_good must be at least 1");
    if (lab.k.empty() && lab.metrics.empty()) lab.k = plan_.base.evaluate.k;
    for (const auto k : lab.k)
      if (k < 1) refuse("k: a list has at least one item");
    if (lab.metrics.empty()) {
      for (const auto k : lab.k) lab.metrics.push_back(fmt::format("recall@{}", k));
      lab.metrics.insert(lab.metrics.begin() + 1, fmt::format("ndcg@{}", lab.k[0]));
    }
    try {
      for (const auto& metric : lab.metrics) lab.k.push_back(evaluate::parse_metric(metric).k);
    } catch (const Error& error) {
      refuse(std::string("metrics: ") + error.what());
    }
    if (std::none_of(lab.metrics.begin(), lab.metrics.end(), [](const auto& m) { return m.starts_with("recall@"); }))
      refuse("metrics has no recall: the goals use the first one, such as \"recall@100\"");
    std::sort(lab.k.begin(), lab.k.end());
    lab.k.erase(std::unique(lab.k.begin(), lab.k.end()), lab.k.end());
    if (!lab.truth.empty()) lab.truth = relative_to(plan_.path, lab.truth);
    if (lab.baseline.empty()) lab.baseline = plan_.variants[0].name;
    plan_.baseline = static_cast<size_t>(&named(lab.baseline) - plan_.variants.data());
  }

  void check_variant(const Variant& variant) const {
    const auto check_options = [&](const dataset::Options& options, const std::string& what) {
      try {
        dataset::validate(options);
        evaluate::parse_metric(options.train.choose_by);
      } catch (const Error& error) {
        fail(ErrorKind::usage, "{}: variant '{}'{}: {}", plan_.path, variant.name, what, error.what());
      }
    };
    check_options(variant.options, "");
    for (const auto& candidate : variant.candidates) check_options(candidate.options, ", " + candidate.label);
  }

  Config config_;
  std::vector<std::string> set_;
  Choices tune_;
  Plan plan_;
};

}  // namespace

Plan read_plan(const std::string& path, const std::vector<std::string>& set) { return PlanReader(path, set).read(); }

}  // namespace pagoda::lab
