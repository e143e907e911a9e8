// The sections that are charts: learning, popularity, frequency.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "core/error.h"
#include "report/chart.h"
#include "report/chart_scale.h"
#include "report/report_parts.h"

namespace pagoda::report {

namespace {

const std::string& name_of(const ReadModel& model) { return model.given->name; }

std::string lower_first(std::string text) {
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1]))) text[0] |= 0x20;
  return text;
}

// The validation metrics' names, in the order in which the runs name them.
std::vector<std::string> validation_names(ReadModels models) {
  std::vector<std::string> names;
  for (const auto& model : models)
    for (const auto& record : model.run)
      for (const auto& [name, value] : record.validation)
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

// Where several ratios were tried, epochs begin anew with each: the records of the training whose first metric went
// highest.
std::span<const RunRecord> chosen_training(const ReadModel& model) {
  std::span<const RunRecord> chosen;
  double most = -std::numeric_limits<double>::infinity();
  const auto same_training = [](const RunRecord& a, const RunRecord& b) { return a.epoch < b.epoch; };
  for (auto begin = model.run.begin(); begin != model.run.end();) {
    auto end = begin + 1;
    while (end != model.run.end() && same_training(*(end - 1), *end)) ++end;
    for (auto record = begin; record != end; ++record)
      if (!record->validation.empty() && record->validation[0].second > most) {
        most = record->validation[0].second;
        chosen = {begin, end};
      }
    begin = end;
  }
  return chosen;
}

Series validation_series(const ReadModel& model, const std::string& metric, std::string name, int color) {
  Series series{std::move(name), {}, color};
  for (const auto& record : chosen_training(model))
    for (const auto& [key, value] : record.validation)
      if (key == metric) series.points.push_back({record.epoch, value});
  return series;
}

std::string loss_figure(ReadModels models) {
  LineChart chart{.title = "Training loss by step",
                  .description = "",
                  .x = {.label = "step"},
                  .y = {.label = "loss"},
                  .series = {}};
  size_t most = 0;
  for (const auto& model : models) {
    Series series{name_of(model), {}, model.color};
    for (const auto& record : model.run) {
      // A refit starts again at its first epoch: its curve would overlap the one that the model was chosen on.
      if (&record != &model.run.front() && record.epoch <= (&record - 1)->epoch) break;
      series.points.push_back({static_cast<double>(record.step), record.loss});
    }
    most = std::max(most, series.points.size());
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  std::string note = most > 100 ? "Each point is the mean of a hundredth of the run." : "";
  if (chart.series.size() > 1) note = "Losses of different forms have different scales: compare the shapes. " + note;
  return figure("Training loss", note, svg(chart));
}

// At most so many metrics are charted; the others show the same.
constexpr size_t kValidationCharts = 3, kValidationLines = 6;

std::string best_epoch(const ReadModel& model, const std::string& metric) {
  const Series series = validation_series(model, metric, "", 0);
  const auto best = std::max_element(series.points.begin(), series.points.end(),
                                     [](const Point& a, const Point& b) { return a.y < b.y; });
  if (best == series.points.end()) return "";
  return fmt::format("Best {} {} after epoch {}.", lower_first(metric_label(metric)), number_text(best->y, false),
                     number_text(best->x, false));
}

// A list of buckets of every model's evaluation. The names are those of the first model that has buckets; those of the
// others are matched by name.
using Buckets = std::vector<EvaluatedBucket> Evaluated::*;

bool any_bucket(ReadModels models, Buckets list, double EvaluatedBucket::* field) {
  for (const auto& model : models)
    if (model.evaluation)
      for (const auto& bucket : (*model.evaluation).*list)
        if (std::isfinite(bucket.*field)) return true;
  return false;
}

const Evaluated* bucketed(ReadModels models, Buckets list) {
  for (const auto& model : models)
    if (model.evaluation && !((*model.evaluation).*list).empty()) return &*model.evaluation;
  return nullptr;
}

std::vector<double> by_bucket(const std::vector<EvaluatedBucket>& names, const std::vector<EvaluatedBucket>& from,
                              double EvaluatedBucket::* field) {
  std::vector<double> values;
  for (const auto& bucket : names) {
    values.push_back(NAN);
    for (const auto& candidate : from)
      if (candidate.name == bucket.name) values.back() = candidate.*field;
  }
  return values;
}

// Each bucket's share of the whole.
std::vector<double> shares(std::vector<double> values) {
  double sum = 0;
  for (const double value : values) sum += std::isfinite(value) ? value : 0;
  for (double& value : values) value = sum > 0 ? value / sum : NAN;
  return values;
}

std::vector<std::string> bucket_names(const std::vector<EvaluatedBucket>& buckets) {
  std::vector<std::string> names;
  for (const auto& bucket : buckets) names.push_back(bucket.name);
  return names;
}

std::string tested(double positives) {
  return std::isfinite(positives) ? number_text(positives, false) + (positives == 1 ? " test" : " tests") : "";
}

// How many of the test items in each bucket the lists held.
std::string recall_figure(ReadModels models, Buckets list, const std::string& by, const std::string& note) {
  const Evaluated* first = bucketed(models, list);
  if (!first || !any_bucket(models, list, &EvaluatedBucket::recall)) return "";
  const auto& names = first->*list;
  const bool with_unseen = list == &Evaluated::buckets && first->never_in_train;
  const std::string metric = fmt::format("Recall@{}", first->bucket_k), title = metric + " by " + by;
  BarChart chart{.title = title,
                 .description = note,
                 .groups = bucket_names(names),
                 .notes = {},
                 .y = {.label = metric},
                 .series = {}};
  const bool narrow = names.size() > 7;  // there is no room for the word
  for (const auto& bucket : names)
    chart.notes.push_back(narrow ? number_text(bucket.test_positives, false) : tested(bucket.test_positives));
  if (with_unseen) {
    chart.groups.push_back(first->never_in_train->name);
    chart.notes.push_back(tested(first->never_in_train->test_positives));
  }
  for (const auto& model : models) {
    if (!model.evaluation) continue;
    auto values = by_bucket(names, (*model.evaluation).*list, &EvaluatedBucket::recall);
    if (with_unseen)
      values.push_back(model.evaluation->never_in_train ? model.evaluation->never_in_train->recall : NAN);
    chart.series.push_back({name_of(model), std::move(values), model.color});
  }
  return figure(title, note, svg(chart));
}

std::string activity_figure(ReadModels models) {
  const auto first = std::find_if(models.begin(), models.end(), [](const ReadModel& model) {
    return model.evaluation && !model.evaluation->by_activity.empty();
  });
  if (first == models.end()) return "";
  const auto& parts = first->evaluation->by_activity;
  const std::string metric = fmt::format("Recall@{}", first->evaluation->bucket_k);
  BarChart chart{.title = metric + " by length of the user's history",
                 .description = "Users by their number of clicks in train.",
                 .groups = {},
                 .notes = {},
                 .y = {.label = metric},
                 .series = {}};
  for (const auto& part : parts) {
    const std::string shortest = number_text(part.shortest, false), longest = number_text(part.longest, false);
    chart.groups.push_back(part.shortest == part.longest ? shortest : fmt::format("{}–{}", shortest, longest));
    chart.notes.push_back(number_text(part.users, false) + " users");
  }
  for (const auto& model : models) {
    if (!model.evaluation) continue;
    std::vector<double> values;
    for (const auto& part : parts) {
      values.push_back(NAN);
      for (const auto& candidate : model.evaluation->by_activity)
        if (candidate.shortest == part.shortest && candidate.longest == part.longest) values.back() = candidate.recall;
    }
    chart.series.push_back({name_of(model), std::move(values), model.color});
  }
  return figure(metric + " by length of the user's history", "Users by their number of clicks in train.", svg(chart));
}

std::string recommended_figure(ReadModels models) {
  constexpr Buckets kBuckets = &Evaluated::buckets;
  const Evaluated* first = bucketed(models, kBuckets);
  if (!first || !any_bucket(models, kBuckets, &EvaluatedBucket::recommended)) return "";
  const auto& names = first->buckets;
  BarChart chart{
      .title = "What is recommended, by item popularity",
      .description = "Shares of the catalogue, of the clicks in train and of the places in the users' lists.",
      .groups = bucket_names(names),
      .notes = {},
      .y = {.label = "share", .percent = true},
      .series = {}};
  const auto add = [&](const std::string& name, const std::vector<double>& values, int color) {
    const auto parts = shares(values);
    if (std::any_of(parts.begin(), parts.end(), [](double part) { return std::isfinite(part); }))
      chart.series.push_back({name, parts, color});
  };
  add("catalogue", by_bucket(names, names, &EvaluatedBucket::items), kFaint);
  if (any_bucket(models, kBuckets, &EvaluatedBucket::train_positives))
    add("clicks in train", by_bucket(names, names, &EvaluatedBucket::train_positives), kNeutral);
  else
    add("test clicks", by_bucket(names, names, &EvaluatedBucket::test_positives), kNeutral);
  for (const auto& model : models)
    if (model.evaluation)
      add(models.size() > 1 ? name_of(model) : "recommended",
          by_bucket(names, model.evaluation->buckets, &EvaluatedBucket::recommended), model.color);
  return figure("What is recommended, by item popularity",
                "Each bucket's share of the catalogue, of the clicks, and of the places in the lists.", svg(chart));
}

std::string lists_table(ReadModels models) {
  static const std::pair<std::string_view, std::string_view> kMeanings[] = {
      {"coverage", "part of the catalogue that is in anyone's list"},
      {"gini", "0: all items alike; 1: one item takes every place"},
      {"average_popularity", "mean clicks in train of what is recommended"},
      {"long_tail_share", "part of the places that go to the long tail"}};
  std::vector<std::string> names;
  for (const auto& model : models)
    if (model.evaluation)
      for (const auto& [name, value] : model.evaluation->lists)
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  if (names.empty()) return "";
  std::string out = "<div class=\"card wide\"><table>\n<thead><tr><th>The lists as a whole</th>" + model_heads(models) +
                    "</tr></thead>\n<tbody>\n";
  for (const auto& name : names) {
    const auto [metric, k] = split_metric(name);
    out += "<tr><th>" + escape_markup(metric_label(name));
    for (const auto& [key, meaning] : kMeanings)
      if (key == metric) out += fmt::format(" <span class=\"quiet\">{}</span>", meaning);
    out += "</th>";
    const bool percent = metric.starts_with("coverage") || metric.ends_with("share");
    for (const auto& model : models)
      out += fmt::format("<td>{}</td>", number_text(model.evaluation ? model.evaluation->metric(name) : NAN, percent));
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string age_note(ReadModels models) {
  const Evaluated* first = bucketed(models, &Evaluated::ages);
  if (!first) return "";
  return first->age_source == "first seen"
             ? "Age at the latest time that the model has seen, counted from the item's first row."
             : "Age at the latest time that the model has seen, by the column '" + first->age_source + "'.";
}

struct HealthRow {
  std::string_view key;
  std::string name, meaning;
  bool percent;
};

// Only the first K; the others show the same.
std::string health_table(ReadModels models) {
  std::vector<HealthRow> rows{
      {"mean_cosine_items", "Mean cosine of two items", "near 1: the vectors have collapsed into one direction", false},
      {"mean_cosine_users", "Mean cosine of two users", "likewise", false},
      {"columns", "Columns per step", "negatives that a row may have", false},
      {"effective_negatives", "Effective negatives", "how many different items these columns amount to", false},
      {"accidental_hit_rate", "Accidental hits", "columns that were the row's own item or its user's: masked", true}};
  const auto health = [](const ReadModel& model, std::string_view key) {
    if (model.evaluation)
      for (const auto& [name, value] : model.evaluation->health)
        if (name == key) return value;
    return double{NAN};
  };
  std::string batch, catalogue;
  for (const auto& model : models)
    if (model.evaluation)
      for (const auto& [name, value] : model.evaluation->health) {
        if (batch.empty() && name.starts_with("batch_recall@")) batch = name;
        if (catalogue.empty() && name.starts_with("catalogue_recall@")) catalogue = name;
      }
  if (!batch.empty())
    rows.push_back({batch, metric_label(batch), "a training row's item among the columns of its batch", false});
  if (!catalogue.empty())
    rows.push_back({catalogue, metric_label(catalogue), "the same item in the whole catalogue", false});
  std::string out;
  for (const auto& row : rows) {
    if (std::none_of(models.begin(), models.end(), [&](const auto& m) { return std::isfinite(health(m, row.key)); }))
      continue;
    out += fmt::format("<tr><th>{} <span class=\"quiet\">{}</span></th>", escape_markup(row.name), row.meaning);
    for (const auto& model : models)
      out += fmt::format("<td>{}</td>", number_text(health(model, row.key), row.percent));
    out += "</tr>\n";
  }
  if (out.empty()) return "";
  return "<div class=\"card wide\"><table>\n<thead><tr><th>Health</th>" + model_heads(models) +
         "</tr></thead>\n<tbody>\n" + out + "</tbody></table></div>\n";
}

// The median of |estimated / exact - 1|; NaN of nothing.
double median_relative_error(std::span<const ReportFrequency> frequency) {
  std::vector<double> errors;
  for (const auto& f : frequency)
    if (f.exact > 0 && std::isfinite(f.estimated)) errors.push_back(std::abs(f.estimated / f.exact - 1));
  if (errors.empty()) return NAN;
  const auto middle = errors.begin() + static_cast<long>(errors.size() / 2);
  std::nth_element(errors.begin(), middle, errors.end());
  return *middle;
}

std::string frequency_scatter(ReadModels models) {
  ScatterChart chart{.title = "Estimated against exact click probability",
                     .description = "One point per item; on the dashed diagonal the estimate is exact.",
                     .x = {.label = "exact", .log = true},
                     .y = {.label = "estimated", .log = true},
                     .diagonal = true,
                     .series = {}};
  for (const auto& model : models) {
    if (model.given->frequency.empty()) continue;
    Series series{name_of(model), {}, model.color};
    for (const auto& f : model.given->frequency) series.points.push_back({f.exact, f.estimated});
    chart.series.push_back(std::move(series));
  }
  return figure("Estimated against exact", "One point per item; on the dashed line the estimate is exact.", svg(chart));
}

std::string frequency_errors(ReadModels models) {
  constexpr size_t kDeciles = 10;
  BarChart chart{.title = "Median relative error by popularity",
                 .description = "Deciles of the items, from the most clicked.",
                 .groups = {},
                 .notes = {},
                 .y = {.label = "median relative error", .percent = true},
                 .series = {}};
  for (size_t d = 1; d <= kDeciles; ++d) chart.groups.push_back(fmt::format("{}", d));
  for (const auto& model : models) {
    auto sorted = model.given->frequency;
    if (sorted.empty()) continue;
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.exact > b.exact; });
    BarChart::Bars bars{name_of(model), {}, model.color};
    for (size_t d = 0; d < kDeciles; ++d) {
      const size_t begin = d * sorted.size() / kDeciles, end = (d + 1) * sorted.size() / kDeciles;
      bars.values.push_back(median_relative_error(std::span(sorted).subspan(begin, end - begin)));
    }
    chart.series.push_back(std::move(bars));
  }
  return figure("Median relative error by popularity",
                "Tenths of the items, from the most clicked (1) to the least (10).", svg(chart));
}

}  // namespace

std::string learning_section(ReadModels models) {
  if (std::all_of(models.begin(), models.end(), [](const ReadModel& model) { return model.run.empty(); })) return "";
  std::string out = heading("learning", "Learning", "") + "<div class=\"charts\">\n" + loss_figure(models);
  auto names = validation_names(models);
  if (models.size() == 1 && !names.empty()) {
    LineChart chart{.title = "Validation metrics by epoch",
                    .description = "",
                    .x = {.label = "epoch"},
                    .y = {.label = "metric"},
                    .series = {}};
    names.resize(std::min(names.size(), kValidationLines));
    for (size_t i = 0; i < names.size(); ++i)
      chart.series.push_back(validation_series(models[0], names[i], metric_label(names[i]), static_cast<int>(i)));
    out += figure("On validation", best_epoch(models[0], names[0]), svg(chart));
  } else {
    names.resize(std::min(names.size(), kValidationCharts));
    for (const auto& name : names) {
      LineChart chart{.title = metric_label(name) + " on validation by epoch",
                      .description = "",
                      .x = {.label = "epoch"},
                      .y = {.label = metric_label(name)},
                      .series = {}};
      for (const auto& model : models) {
        auto series = validation_series(model, name, name_of(model), model.color);
        if (!series.points.empty()) chart.series.push_back(std::move(series));
      }
      out += figure(metric_label(name) + " on validation", "", svg(chart));
    }
  }
  return out + "</div></section>\n";
}

std::string popularity_section(ReadModels models) {
  std::vector<std::string> cards;
  const auto add = [&](std::string html) {
    if (!html.empty()) cards.push_back(std::move(html));
  };
  add(recall_figure(models, &Evaluated::buckets, "item popularity",
                    "How many of the test items in each part of the catalogue the lists held."));
  add(recommended_figure(models));
  add(recall_figure(
      models, &Evaluated::deciles, "tenths of the training rows",
      "From the few hottest items (1) to most of the catalogue (10): each tenth was learnt from as often. "
      "Below, its test items."));
  add(recall_figure(models, &Evaluated::ages, "age of the item", age_note(models)));
  add(activity_figure(models));
  const std::string table = lists_table(models), health = health_table(models);
  if (cards.empty() && table.empty() && health.empty()) return "";

  std::string out = heading("popularity", "By popularity",
                            "Parts of the catalogue, from the items most clicked in train to the least. A model that "
                            "only repeats what is popular does well on the left and finds nothing on the right.") +
                    "<div class=\"charts\">\n";
  for (const auto& card : cards) out += card;
  // A table fills the gap that an odd number of charts leaves; what remains has a row to itself.
  const std::string first = cards.size() % 2 == 1 ? table : "", second = first.empty() ? table : "";
  out += first + "</div>\n";
  for (const auto& rest : {second, health})
    if (!rest.empty()) out += "<div class=\"below\">" + rest + "</div>\n";
  return out + "</section>\n";
}

std::string frequency_section(ReadModels models) {
  if (std::all_of(models.begin(), models.end(), [](const ReadModel& model) { return model.given->frequency.empty(); }))
    return "";
  return heading(
             "frequency", "Estimated frequency",
             "The correction needs each item's click probability: the streaming estimate of it against exact counts.") +
         "<div class=\"charts\">\n" + frequency_scatter(models) + frequency_errors(models) + "</div></section>\n";
}

}  // namespace pagoda::report
