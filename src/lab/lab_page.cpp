// report.html of a lab; the parts that `pagoda report` has, too, are in report/report_parts.h.
#include <fmt/format.h>

#include <algorithm>

#include "lab/summary.h"
#include "report/chart.h"
#include "report/chart_scale.h"
#include "report/report_parts.h"
#include "report/report_style.h"

namespace pagoda::lab {

namespace {

// Keeps only the recall of the goals, since a chart reads the first recall.
void keep_recall(Json& bucket, const std::string& goal_metric) {
  Json kept = Json::object();
  for (const auto& [key, value] : bucket.items())
    if (!key.starts_with("recall@") || key == goal_metric) kept[key] = value;
  bucket = std::move(kept);
}

// The evaluation in the form that the report's charts read.
std::string charted(const VariantSummary& of, const std::string& goal_metric) {
  Json json = of.mean;
  for (const char* list : {"by_item_popularity", "by_popularity_decile", "by_item_age", "by_user_activity"})
    if (json.contains(list) && json[list].is_array())
      for (auto& bucket : json[list]) keep_recall(bucket, goal_metric);
  if (json.contains("zero_train_positives")) keep_recall(json["zero_train_positives"], goal_metric);
  return json.dump();
}

class Page {
 public:
  Page(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary)
      : plan_(plan), runs_(runs), summary_(summary) {
    models_.reserve(plan.variants.size());
    for (size_t v = 0; v < plan.variants.size(); ++v)
      models_.push_back({.name = plan.variants[v].name,
                         .evaluation = charted(summary.variants[v], summary.goal_metric),
                         .run_log = runs[v].runs[0].run_log,
                         .config = result_config(runs[v].options)});
    std::swap(models_[0], models_[plan.baseline]);  // the others are compared with the first
    for (size_t v = 0; v < models_.size(); ++v)
      read_.push_back({.given = &models_[v],
                       .evaluation = report::parse_evaluation(models_[v].evaluation, models_[v].name + ": evaluation"),
                       .run = report::parse_run_log(models_[v].run_log, models_[v].name + ": run log"),
                       .color = color(models_[v].name)});
  }

  std::string render() const {
    struct Section {
      const char *anchor, *name;
      std::string html;
    };
    const Section sections[] = {
        {"goals", "Who wins", goals()},
        {"metrics", "Metrics", metrics()},
        {"pareto", "Accuracy and popularity", pareto()},
        {"popularity", "By popularity", report::popularity_section(read_)},
        {"truth", "Against the truth", truth()},
        {"tuning", "Tuning", tuning()},
        {"learning", "Learning", report::learning_section(read_)},
        {"differences", "What differs", what_differs()},
        {"config", "Configuration", report::config_section(read_)},
    };
    std::string links, body;
    for (const auto& section : sections) {
      if (section.html.empty()) continue;
      links += fmt::format("<a href=\"#{}\">{}</a>\n", section.anchor, section.name);
      body += section.html;
    }
    const std::string title = fmt::format("{} variants, {} seed{}", models_.size(), plan_.lab.seeds.size(),
                                          plan_.lab.seeds.size() == 1 ? "" : "s");
    std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    page += "<title>Pagoda lab: " + title + "</title>\n<style>" + std::string(report::chart_css()) +
            std::string(report::report_css()) + ".compared .quiet { font-size: .8rem; }" +
            "</style>\n</head>\n<body>\n<main>\n<header><h1>" + title + "</h1>\n";
    page += "<dl class=\"facts\">\n" + fact("lab", plan_.path) +
            fact("test users", report::number_text(static_cast<double>(summary_.users), false)) +
            fact("items", report::number_text(number_at(summary_.variants[0].mean, "items"), false)) +
            fact("seeds", fmt::format("{}", fmt::join(plan_.lab.seeds, ", "))) +
            fact("compared with", plan_.variants[plan_.baseline].name) + fact("goals go by", summary_.goal_metric);
    if (summary_.truth_users > 0)
      page += fact("users with a truth", report::number_text(static_cast<double>(summary_.truth_users), false));
    page += "</dl>\n<nav>\n" + links + "</nav></header>\n" + body;
    return page + "<footer>Written by Pagoda.</footer>\n</main>\n</body>\n</html>\n";
  }

 private:
  static std::string fact(const std::string& name, const std::string& value) {
    return "<div><dt>" + report::escape_markup(name) + "</dt><dd>" + report::escape_markup(value) + "</dd></div>\n";
  }
  int color(const std::string& name) const {
    const auto found =
        std::find_if(plan_.variants.begin(), plan_.variants.end(), [&](const auto& v) { return v.name == name; });
    return static_cast<int>(found - plan_.variants.begin());
  }
  std::string head(size_t v) const {
    return fmt::format("<th><span class=\"swatch {}\"></span>{}</th>", report::color_class(static_cast<int>(v)),
                       report::escape_markup(plan_.variants[v].name));
  }

  std::string goals() const {
    if (summary_.goals.empty()) return "";
    std::string rows;
    for (const auto& goal : summary_.goals) {
      const std::string swatch = goal.winner.empty() ? ""
                                                     : fmt::format("<span class=\"swatch {}\"></span>",
                                                                   report::color_class(color(goal.winner)));
      rows += fact_card(goal.name, swatch + report::escape_markup(goal.winner.empty() ? "no one" : goal.winner),
                        goal.words);
    }
    return report::heading("goals", "Who wins", "") + "<div class=\"charts\">\n" + rows + "</div></section>\n";
  }
  static std::string fact_card(const std::string& name, const std::string& winner_html, const std::string& words) {
    return "<div class=\"card\"><h4>" + report::escape_markup(name) + "</h4><h3>" + winner_html + "</h3><p>" +
           report::escape_markup(words) + "</p></div>\n";
  }

  // One row per variant and one column per figure: its mean, and below it the difference to the baseline.
  std::string compared_table(std::vector<Compared> VariantSummary::* figures) const {
    std::string out = "<div class=\"card wide compared\"><table><thead><tr><th>variant</th>";
    for (const auto& c : summary_.variants[0].*figures)
      out += "<th>" + report::escape_markup(report::metric_label(c.name)) + "</th>";
    out += "</tr></thead>\n<tbody>\n";
    for (size_t v = 0; v < summary_.variants.size(); ++v) {
      out += "<tr>" + head(v);
      for (const auto& c : summary_.variants[v].*figures) {
        const bool sure = c.interval.low > 0 || c.interval.high < 0;
        out += fmt::format("<td{}>{}", sure ? " class=\"best\"" : "", mean_text(c.mean, c.spread));
        if (v != plan_.baseline && !std::isnan(c.difference))
          out += "<br><span class=\"quiet\">" + difference_text(c) + "</span>";
        out += "</td>";
      }
      out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
  }

  std::string metrics() const {
    return report::heading(
               "metrics", "Metrics",
               fmt::format("Means over {} seeds, ± their sample standard deviation. Below: the difference to {} and "
                           "its {:g}% bootstrap interval over users ({} resamples, the same users drawn for both, "
                           "their differences averaged over seeds). Bold: the interval does not contain 0.",
                           plan_.lab.seeds.size(), report::escape_markup(plan_.variants[plan_.baseline].name),
                           plan_.lab.bootstrap.confidence * 100, plan_.lab.bootstrap.resamples)) +
           compared_table(&VariantSummary::metrics) + "</section>\n";
  }

  // Each variant is a point; those of a sweep are joined to a curve.
  std::string scatter(const std::string& x_name, const std::string& x_label, const std::string& note) const {
    report::ScatterChart chart{.title = report::metric_label(summary_.goal_metric) + " against " + x_label,
                               .description = note,
                               .x = {.label = x_label, .percent = x_name.starts_with("coverage")},
                               .y = {.label = report::metric_label(summary_.goal_metric)},
                               .series = {}};
    for (size_t v = 0; v < plan_.variants.size(); ++v) {
      const auto& variant = plan_.variants[v];
      const auto& metrics = summary_.variants[v].metrics;
      const auto goal =
          std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.name == summary_.goal_metric; });
      auto series = chart.series.end();
      if (!variant.family.empty())
        series = std::find_if(chart.series.begin(), chart.series.end(),
                              [&](const auto& s) { return s.name == variant.family && s.joined; });
      if (series == chart.series.end())
        series = chart.series.insert(series, {.name = variant.family.empty() ? variant.name : variant.family,
                                              .points = {},
                                              .color = static_cast<int>(v),
                                              .labels = {},
                                              .joined = !variant.family.empty()});
      series->points.push_back({number_at(summary_.variants[v].mean, x_name), goal->mean});
      series->labels.push_back(variant.family.empty() ? "" : variant.value);
    }
    return report::figure(chart.title, note, report::svg(chart));
  }

  std::string pareto() const {
    if (plan_.variants.size() < 2) return "";
    const auto at = [&](const char* name) { return fmt::format("{}@{}", name, summary_.k); };
    return report::heading(
               "pareto", "Accuracy and popularity",
               "Each point is a variant; those of a sweep are joined in the order of its values. Up is more "
               "accurate; where a curve bends is the price of recommending what is less popular.") +
           "<div class=\"charts\">\n" +
           scatter(at("average_popularity"), "average popularity of a recommendation",
                   "To the left: less popular items are recommended (mean training rows of an item).") +
           scatter(at("coverage"), "coverage of the catalogue", "To the right: more of the catalogue is recommended.") +
           "</div></section>\n";
  }

  std::string truth() const {
    if (plan_.lab.truth.empty()) return "";
    report::BarChart ranks{.title = "Rank of never-shown good items",
                           .description = "0: first of all candidates; 1: last; 0.5: by chance.",
                           .groups = {"mean", "median"},
                           .notes = {},
                           .y = {.label = "share of the candidates before them"},
                           .series = {}};
    report::BarChart intruders{.title = "Items that nobody clicked and the user does not like",
                               .description = "Their share of the first candidates, and of all candidates.",
                               .groups = {},
                               .notes = {},
                               .y = {.label = "share", .percent = true},
                               .series = {}};
    std::vector<std::string> intrusions;
    for (const auto& [key, value] : summary_.variants[0].truth.items())
      if (key.starts_with("intrusion@")) intrusions.push_back(key);
    for (const auto& key : intrusions) intruders.groups.push_back("first " + key.substr(key.find('@') + 1));
    for (size_t v = 0; v < plan_.variants.size(); ++v) {
      const Json& of = summary_.variants[v].truth;
      const int c = static_cast<int>(v);
      ranks.series.push_back(
          {plan_.variants[v].name, {number_at(of, "never_shown_rank"), number_at(of, "never_shown_rank_median")}, c});
      std::vector<double> shares;
      for (const auto& key : intrusions) shares.push_back(number_at(of, key));
      intruders.series.push_back({plan_.variants[v].name, std::move(shares), c});
    }
    intruders.series.push_back(
        {"by chance",
         std::vector<double>(intrusions.size(), number_at(summary_.variants[0].truth, "intrusion_by_chance")),
         report::kNeutral});
    return report::heading(
               "truth", "Against the truth",
               fmt::format("What {} users would like, whether it was ever shown to anyone or not: the first {} of "
                           "their true ranks. The test part cannot tell, since it holds only what was shown.",
                           summary_.truth_users, plan_.lab.truth_good)) +
           compared_table(&VariantSummary::truths) + "<div class=\"charts\">\n" +
           report::figure(ranks.title, ranks.description, report::svg(ranks)) +
           report::figure(intruders.title,
                          "Items without a training row, outside the user's true list: nothing pushed them away.",
                          report::svg(intruders)) +
           "</div></section>\n";
  }

  std::string tuning() const {
    std::string rows;
    for (size_t v = 0; v < runs_.size(); ++v)
      for (size_t t = 0; t < runs_[v].tried.size(); ++t) {
        const auto& tried = runs_[v].tried[t];
        rows += fmt::format("<tr>{}<td>{}</td><td{}>{:.4f}</td><td>{:g}</td></tr>\n", t == 0 ? head(v) : "<th></th>",
                            report::escape_markup(tried.label), t == runs_[v].chosen ? " class=\"best\"" : "",
                            tried.value, tried.epochs);
      }
    if (rows.empty()) return "";
    return report::heading(
               "tuning", "Tuning",
               fmt::format("Each variant takes the value that is best on the validation part, with seed {}. The test "
                           "part was not looked at.",
                           plan_.lab.seeds[0])) +
           "<div class=\"card wide\"><table><thead><tr><th>variant</th><th>tried</th><th>" +
           report::escape_markup(plan_.base.train.choose_by) +
           " on validation</th><th>epochs</th></tr></thead>\n<tbody>\n" + rows + "</tbody></table></div></section>\n";
  }

  std::string what_differs() const {
    std::string rows;
    for (size_t v = 0; v < plan_.variants.size(); ++v) {
      std::string text;
      for (const auto& [key, value] : differences(plan_.variants[plan_.baseline].options, runs_[v].options))
        if (key != "train.seed")
          text += fmt::format("{}<code>{}</code>", text.empty() ? "" : "<br>",
                              report::escape_markup(fmt::format("{} = {}", key, value)));
      rows += "<tr>" + head(v) + "<td style=\"text-align: left; white-space: normal\">" +
              (text.empty() ? "<span class=\"quiet\">nothing</span>" : text) + "</td></tr>\n";
    }
    return report::heading("differences", "What differs",
                           "From the config of " + report::escape_markup(plan_.variants[plan_.baseline].name) +
                               " as it was written, before any tuning.") +
           "<div class=\"card wide\"><table><tbody>\n" + rows + "</tbody></table></div></section>\n";
  }

  const Plan& plan_;
  const std::vector<VariantRuns>& runs_;
  const Summary& summary_;
  std::vector<report::ReportModel> models_;
  std::vector<report::ReadModel> read_;
};

}  // namespace

std::string lab_page(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary) {
  return Page(plan, runs, summary).render();
}

}  // namespace pagoda::lab
