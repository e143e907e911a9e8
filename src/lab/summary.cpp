#include "lab/summary.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace pagoda::lab {

namespace {

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? NAN : sum / static_cast<double>(values.size());
}

double sample_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return NAN;
  const double middle = mean(values);
  double square = 0;
  for (const double value : values) square += (value - middle) * (value - middle);
  return std::sqrt(square / static_cast<double>(values.size() - 1));
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

// Walks values of the same shape and joins their numbers.
Json joined(const std::vector<Json>& values, Json (*join)(const std::vector<Json>&)) {
  const auto all = [&](auto is) { return std::all_of(values.begin(), values.end(), is); };
  if (all([](const Json& v) { return v.is_object(); })) {
    Json out = Json::object();
    for (const auto& [key, first] : values[0].items()) {
      std::vector<Json> inner;
      for (const auto& value : values)
        if (const auto found = value.find(key); found != value.end()) inner.push_back(*found);
      if (inner.size() < values.size()) continue;
      Json one = joined(inner, join);
      if (!one.is_discarded()) out[key] = std::move(one);
    }
    return out;
  }
  if (all([&](const Json& v) { return v.is_array() && v.size() == values[0].size(); })) {
    Json out = Json::array();
    for (size_t i = 0; i < values[0].size(); ++i) {
      std::vector<Json> inner;
      for (const auto& value : values) inner.push_back(value[i]);
      Json one = joined(inner, join);
      out.push_back(one.is_discarded() ? Json() : std::move(one));
    }
    return out;
  }
  if (all([](const Json& v) { return v.is_number() || v.is_null(); })) return join(values);
  if (all([&](const Json& v) { return v == values[0]; })) return values[0];
  return Json(Json::value_t::discarded);
}

std::vector<double> numbers(const std::vector<Json>& values) {
  std::vector<double> out;
  for (const auto& value : values)
    if (value.is_number()) out.push_back(value.get<double>());
  return out;
}

const evaluate::UserTable& table_of(const RunResult& run, bool of_truth) {
  return of_truth ? run.truth_users : run.users;
}

// The difference of two variants in one figure per user, averaged over the seeds; NaN if it was not measured.
std::vector<double> user_differences(const VariantRuns& from, const VariantRuns& to, const std::string& name,
                                     bool of_truth) {
  const size_t users = table_of(to.runs[0], of_truth).users.size();
  std::vector<double> out(users, 0.0);
  for (size_t s = 0; s < to.runs.size(); ++s) {
    const auto* a = table_of(from.runs[s], of_truth).find(name);
    const auto* b = table_of(to.runs[s], of_truth).find(name);
    check(a && b && a->size() == users && b->size() == users, "the runs of a lab are evaluated alike");
    for (size_t u = 0; u < users; ++u) out[u] += ((*b)[u] - (*a)[u]) / static_cast<double>(to.runs.size());
  }
  return out;
}

// Turns columns of values into rows.
std::vector<double> as_rows(const std::vector<std::vector<double>>& columns) {
  std::vector<double> rows(columns.size() * columns[0].size());
  for (size_t c = 0; c < columns.size(); ++c)
    for (size_t u = 0; u < columns[c].size(); ++u) rows[u * columns.size() + c] = columns[c][u];
  return rows;
}

double mean_of_measured(const std::vector<double>& values) {
  std::vector<double> measured;
  for (const double value : values)
    if (!std::isnan(value)) measured.push_back(value);
  return mean(measured);
}

class Summariser {
 public:
  Summariser(ThreadPool& pool, const Plan& plan, const std::vector<VariantRuns>& runs)
      : pool_(pool), plan_(plan), runs_(runs) {}

  Summary make() {
    for (const auto& metric : plan_.lab.metrics)
      if (metric.starts_with("recall@") && out_.goal_metric.empty()) out_.goal_metric = metric;
    out_.k = evaluate::parse_metric(out_.goal_metric).k;
    out_.users = runs_[0].runs[0].users.users.size();
    out_.truth_users = runs_[0].runs[0].truth_users.users.size();
    for (const auto& variant : runs_) out_.variants.push_back(means(variant));
    compare(&VariantSummary::metrics, false);
    if (!plan_.lab.truth.empty()) compare(&VariantSummary::truths, true);
    set_goals();
    return std::move(out_);
  }

 private:
  VariantSummary means(const VariantRuns& variant) const {
    VariantSummary one;
    std::vector<Json> evaluations, truths;
    for (const auto& run : variant.runs) {
      evaluations.push_back(Json::parse(run.evaluation));
      if (!run.truth.empty()) truths.push_back(Json::parse(run.truth));
    }
    one.mean = mean_of(evaluations);
    one.spread = spread_of(evaluations);
    for (const auto& name : plan_.lab.metrics) one.metrics.push_back(over_seeds(name, evaluations, "metrics"));
    if (!truths.empty()) {
      one.truth = mean_of(truths);
      one.truth_spread = spread_of(truths);
      for (const char* name : {"recall@100", "never_shown_recall@100", "never_shown_rank", "intrusion@100"})
        one.truths.push_back(over_seeds(name, truths, nullptr));
    }
    double hits = 0, positives = 0;
    for (const auto& bucket : one.mean.value("by_item_popularity", Json::array())) {
      const auto name = bucket.value("bucket", "");
      if (name == "top 1%" || name == "1-5%" || name == "5-20%") continue;
      const double n = number_at(bucket, "test_positives");
      if (n > 0) {
        hits += n * number_at(bucket, out_.goal_metric);
        positives += n;
      }
    }
    if (positives > 0) one.tail_recall = hits / positives;
    const Json zero = one.mean.value("zero_train_positives", Json::object());
    if (number_at(zero, "test_positives") > 0) one.cold_recall = number_at(zero, out_.goal_metric);
    return one;
  }

  static Compared over_seeds(const std::string& name, const std::vector<Json>& of_seeds, const char* part) {
    Compared compared{.name = name};
    for (const auto& json : of_seeds) compared.seeds.push_back(number_at(part ? json.at(part) : json, name));
    compared.mean = mean_of_measured(compared.seeds);
    compared.spread = sample_deviation(compared.seeds);
    return compared;
  }

  // The differences of all variants to the baseline, every figure under the same resamples.
  void compare(std::vector<Compared> VariantSummary::* figures, bool of_truth) {
    std::vector<std::vector<double>> columns;
    std::vector<Compared*> whose;
    for (size_t v = 0; v < runs_.size(); ++v) {
      if (v == plan_.baseline) continue;
      for (auto& compared : out_.variants[v].*figures) {
        columns.push_back(user_differences(runs_[plan_.baseline], runs_[v], compared.name, of_truth));
        compared.difference = mean_of_measured(columns.back());
        whose.push_back(&compared);
      }
    }
    if (columns.empty()) return;
    const auto intervals = math::bootstrap_means(pool_, as_rows(columns), columns.size(), plan_.lab.bootstrap);
    for (size_t c = 0; c < whose.size(); ++c) whose[c]->interval = intervals[c];
  }

  const std::string& name(size_t v) const { return plan_.variants[v].name; }
  const Compared& goal(size_t v) const {
    const auto& metrics = out_.variants[v].metrics;
    return *std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.name == out_.goal_metric; });
  }
  const Compared& of_truth(size_t v, const std::string& figure) const {
    const auto& truths = out_.variants[v].truths;
    return *std::find_if(truths.begin(), truths.end(), [&](const auto& m) { return m.name == figure; });
  }

  // The variant with the highest value; none if no value is a number.
  template <class Value>
  std::optional<size_t> best(Value value) const {
    std::optional<size_t> found;
    for (size_t v = 0; v < runs_.size(); ++v)
      if (const double here = value(v); !std::isnan(here) && (!found || here > value(*found))) found = v;
    return found;
  }

  std::string against_baseline(size_t v, const Compared& compared) const {
    if (v == plan_.baseline) return ", the baseline";
    return fmt::format(", {} against '{}'", difference_text(compared), name(plan_.baseline));
  }

  // The variants that are not told apart from the winner: the interval of their difference contains 0.
  std::string not_told_apart(size_t winner) const {
    std::vector<std::vector<double>> columns;
    std::vector<size_t> whose;
    for (size_t v = 0; v < runs_.size(); ++v)
      if (v != winner) {
        columns.push_back(user_differences(runs_[v], runs_[winner], out_.goal_metric, false));
        whose.push_back(v);
      }
    if (columns.empty()) return "";
    const auto intervals = math::bootstrap_means(pool_, as_rows(columns), columns.size(), plan_.lab.bootstrap);
    std::string names;
    for (size_t c = 0; c < whose.size(); ++c)
      if (!(intervals[c].low > 0)) names += (names.empty() ? "'" : ", '") + name(whose[c]) + "'";
    return names.empty() ? " All others are told apart from it." : " Not told apart from it: " + names + ".";
  }

  void set_goals() {
    const auto& metric = out_.goal_metric;
    const auto overall = best([&](size_t v) { return goal(v).mean; });
    if (!overall) return;
    out_.goals.push_back({"best overall", name(*overall),
                          fmt::format("'{}' has the best {}: {}{}.{}", name(*overall), metric,
                                      mean_text(goal(*overall).mean, goal(*overall).spread),
                                      against_baseline(*overall, goal(*overall)), not_told_apart(*overall))});

    const double least = goal(*overall).mean * (1 - plan_.lab.tail_tolerance);
    const auto tail = best([&](size_t v) { return goal(v).mean >= least ? out_.variants[v].tail_recall : NAN; });
    Goal tail_goal{fmt::format("best in the tail, within {:g}% of the best overall", plan_.lab.tail_tolerance * 100),
                   "", "No test item lies outside the most popular fifth."};
    if (tail) {
      tail_goal.winner = name(*tail);
      tail_goal.words = fmt::format(
          "'{}' finds most of the test items outside the most popular fifth: {} {:.4f} there ('{}': {:.4f}), {:.4f} "
          "overall.",
          name(*tail), metric, out_.variants[*tail].tail_recall, name(plan_.baseline),
          out_.variants[plan_.baseline].tail_recall, goal(*tail).mean);
    }
    out_.goals.push_back(std::move(tail_goal));

    const auto cold = best([&](size_t v) { return out_.variants[v].cold_recall; });
    Goal cold_goal{"best on items that no one had in training", "", "No test item is without a training row."};
    if (cold && out_.variants[*cold].cold_recall > 0) {
      const auto zero = out_.variants[*cold].mean["zero_train_positives"];
      cold_goal.winner = name(*cold);
      cold_goal.words = fmt::format("'{}' has {} {:.4f} on {:.0f} test rows of such items ('{}': {:.4f}).", name(*cold),
                                    metric, out_.variants[*cold].cold_recall, number_at(zero, "test_positives"),
                                    name(plan_.baseline), out_.variants[plan_.baseline].cold_recall);
    } else if (cold) {
      cold_goal.words = "No variant finds any of them.";
    }
    out_.goals.push_back(std::move(cold_goal));
    if (!plan_.lab.truth.empty()) set_truth_goals();
  }

  void set_truth_goals() {
    const auto add = [&](const char* goal_name, const std::string& figure, double sign, const std::string& meaning) {
      const auto v = best([&](size_t at) { return sign * of_truth(at, figure).mean; });
      if (!v) return;
      const auto& compared = of_truth(*v, figure);
      out_.goals.push_back(
          {goal_name, name(*v),
           fmt::format("'{}': {} {}{}; {}.", name(*v), figure, mean_text(compared.mean, compared.spread),
                       against_baseline(*v, compared), meaning)});
    };
    add("truth: finds most of what users would like", "recall@100", 1, "of each user's truly relevant items");
    add("truth: never-shown good items stand highest", "never_shown_rank", -1, "0 is first, 0.5 what chance gives");
    const double chance = number_at(out_.variants[0].truth, "intrusion_by_chance");
    add("truth: fewest intruders", "intrusion@100", -1,
        fmt::format("a random list has {:.4f} of items without a training row that the user does not like", chance));
  }

  ThreadPool& pool_;
  const Plan& plan_;
  const std::vector<VariantRuns>& runs_;
  Summary out_;
};

}  // namespace

Json mean_of(const std::vector<Json>& values) {
  return joined(values, [](const std::vector<Json>& of) {
    const bool whole =
        std::all_of(of.begin(), of.end(), [&](const Json& v) { return v.is_number_integer() && v == of[0]; });
    return whole ? of[0] : number_or_null(mean(numbers(of)));
  });
}

Json spread_of(const std::vector<Json>& values) {
  return joined(values, [](const std::vector<Json>& of) { return number_or_null(sample_deviation(numbers(of))); });
}

double number_at(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : NAN;
}

std::string difference_text(const Compared& c) {
  if (std::isnan(c.difference)) return "";
  return fmt::format("{:+.4f} [{:+.4f}, {:+.4f}]", c.difference, c.interval.low, c.interval.high);
}

std::string mean_text(double mean, double spread) {
  if (std::isnan(mean)) return "-";
  return std::isnan(spread) ? fmt::format("{:.4f}", mean) : fmt::format("{:.4f} ±{:.4f}", mean, spread);
}

Summary summarise(ThreadPool& pool, const Plan& plan, const std::vector<VariantRuns>& runs) {
  return Summariser(pool, plan, runs).make();
}

}  // namespace pagoda::lab
