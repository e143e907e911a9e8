// The model beside recommenders that need no training.
#include <cmath>

#include "core/error.h"
#include "report/chart.h"
#include "report/chart_scale.h"
#include "report/report_parts.h"

namespace pagoda::report {

namespace {

std::string cell(double value, const EvaluatedInterval* interval) {
  if (std::isnan(value)) return "<td></td>";
  std::string out = "<td>" + number_text(value, false);
  if (interval && std::isfinite(interval->low) && std::isfinite(interval->high))
    out += fmt::format(" <span class=\"quiet\">{} to {}</span>", number_text(interval->low, false),
                       number_text(interval->high, false));
  return out + "</td>";
}

double value_of(const std::vector<NamedValue>& values, const std::string& name) {
  for (const auto& [key, value] : values)
    if (key == name) return value;
  return NAN;
}

// Recall at each length, NDCG at the first.
std::vector<std::string> shown_metrics(const Evaluated& evaluated) {
  std::vector<std::string> names;
  for (const char* kind : {"recall", "ndcg"})
    for (const auto& [name, value] : evaluated.metrics)
      if (split_metric(name).first == kind) {
        names.push_back(name);
        if (names.back().starts_with("ndcg")) break;
      }
  return names;
}

std::string label_of(const std::string& name) {
  if (name == "towers") return "towers alone";
  return name == "recent_popularity" ? "recent popularity" : name == "item_knn" ? "item-kNN" : name;
}

// The baselines that the model is not clearly better than, by the first metric.
std::string not_beaten(const Evaluated& evaluated, const std::string& metric) {
  std::string names;
  for (const auto& one : evaluated.baselines)
    if (const auto* difference = one.find(one.differences, metric); difference && !(difference->low > 0))
      names += (names.empty() ? "" : ", ") + label_of(one.name);
  return names;
}

}  // namespace

const EvaluatedInterval* EvaluatedBaseline::find(const std::vector<EvaluatedInterval>& of, std::string_view name) {
  for (const auto& interval : of)
    if (interval.metric == name) return &interval;
  return nullptr;
}

std::string baselines_cards(ReadModels models) {
  std::string out;
  for (const auto& model : models) {
    if (!model.evaluation || model.evaluation->baselines.empty()) continue;
    const auto& evaluated = *model.evaluation;
    const auto names = shown_metrics(evaluated);
    if (names.empty()) continue;
    out += "<div class=\"card wide\"><h3>Beside what needs no training" +
           (models.size() > 1 ? ": " + escape_markup(model.given->name) : "") +
           "</h3><p class=\"quiet\">On the same users; behind each figure its 95% interval by a bootstrap over "
           "users.</p>\n<table><thead><tr><th></th>";
    for (const auto& name : names) out += "<th>" + escape_markup(metric_label(name)) + "</th>";
    out += "</tr></thead>\n<tbody>\n<tr><th>" + escape_markup(model.given->name) + "</th>";
    for (const auto& name : names)
      out += cell(value_of(evaluated.metrics, name), EvaluatedBaseline::find(evaluated.intervals, name));
    out += "</tr>\n";
    for (const auto& one : evaluated.baselines) {
      out += fmt::format("<tr><th>{} <span class=\"quiet\">{}</span></th>", escape_markup(label_of(one.name)),
                         escape_markup(one.about));
      for (const auto& name : names) out += cell(value_of(one.metrics, name), one.find(one.intervals, name));
      out += "</tr>\n";
    }
    out += "</tbody></table>";
    if (const auto as_good = not_beaten(evaluated, names[0]); !as_good.empty())
      out += fmt::format(
          "<p class=\"warning\">By {} the model is not clearly better than {}: the interval of the difference, user by "
          "user, is not above 0.</p>",
          escape_markup(metric_label(names[0])), escape_markup(as_good));
    out += "</div>\n";
  }
  return out;
}

}  // namespace pagoda::report
