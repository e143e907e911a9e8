// tune.html: what was tried, the best over time, which key mattered, how sure.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/chart.h"
#include "report/chart_scale.h"
#include "report/report_parts.h"
#include "report/report_style.h"
#include "tune/output.h"

namespace pagoda::tune {

namespace {

using report::escape_markup;

std::string fact(const std::string& name, const std::string& value) {
  return "<div><dt>" + escape_markup(name) + "</dt><dd>" + escape_markup(value) + "</dd></div>\n";
}

std::string cell(const std::string& text, bool best = false) {
  return fmt::format("<td{}>{}</td>", best ? " class=\"best\"" : "", escape_markup(text));
}

std::string table(const std::vector<std::string>& heads, const std::string& rows) {
  std::string head;
  for (const auto& h : heads) head += "<th>" + escape_markup(h) + "</th>";
  return "<div class=\"card wide\"><table><thead><tr>" + head + "</tr></thead>\n<tbody>\n" + rows +
         "</tbody></table></div>\n";
}

std::string result_section(const Outcome& out) {
  std::string words, rows;
  for (const auto& line : verdict(out)) words += escape_markup(line) + " ";
  for (size_t f = 0; f < out.finalists.size(); ++f) {
    const auto& finalist = out.finalists[f];
    const auto changes = out.space.changes(out.trials[finalist.trial].point);
    std::vector<std::string> seeds;
    for (const auto& repeat : finalist.repeats) seeds.push_back(fmt::format("{:.4f}", repeat.value));
    rows += "<tr>" + cell(fmt::format("{}", finalist.trial)) +
            cell(fmt::format("{:.4f}", finalist.mean), f == out.winner) +
            cell(seeds.empty() ? "-" : fmt::format("{}", fmt::join(seeds, ", "))) +
            fmt::format("<td style=\"white-space: normal\">{}</td></tr>\n",
                        escape_markup(changes.empty() ? "as it stands" : changes));
  }
  return report::heading("result", "How sure", words) +
         table({"trial", "mean " + out.metric, "with each fresh seed", "what differs"}, rows) + "</section>\n";
}

std::string progress_section(const Outcome& out) {
  report::Series best{.name = "best so far", .points = {}, .color = 0};
  report::Series each{.name = "each stretch of a trial", .points = {}, .color = 1};
  double minutes = 0, value = 0;
  for (const auto& stretch : out.stretches) {
    minutes += stretch.seconds / 60;
    value = std::max(value, stretch.standing.value);
    best.points.push_back({minutes, value});
    if (stretch.standing.value >= 0) each.points.push_back({minutes, stretch.standing.value});
  }
  best.joined = true;
  const std::string title = out.metric + " over the minutes of training";
  const std::string note = "Judged on the validation part.";
  report::ScatterChart chart{.title = title,
                             .description = note,
                             .x = {.label = "minutes"},
                             .y = {.label = out.metric},
                             .series = {best, each}};
  return report::heading("progress", "The best over time", "") + "<div class=\"charts\">\n" +
         report::figure(title, note, report::svg(chart)) + "</div></section>\n";
}

std::string importance_section(const Outcome& out) {
  int64_t epochs = 0;
  const auto keys = key_importance(out, epochs);
  if (keys.empty())
    return report::heading("keys", "Which key mattered",
                           fmt::format("Fewer than {} trials can be compared: nothing can be said.", kFewestTrials)) +
           "</section>\n";
  report::BarChart chart{.title = "Share of the differences that a key explains",
                         .description = "",
                         .groups = {},
                         .notes = {},
                         .y = {.label = "explained", .percent = true},
                         .series = {{.name = "explained", .values = {}, .color = 0}}};
  std::string rows;
  for (const auto& [k, of] : keys) {
    const auto& key = out.space.keys()[k];
    if (chart.groups.size() < 8) {
      chart.groups.push_back(key.name.substr(key.name.find('.') + 1));
      chart.series[0].values.push_back(of.explained);
    }
    rows += "<tr>" + cell(key.name) + cell(fmt::format("{:.0f}%", 100 * of.explained), of.chance < 0.05) +
            cell(fmt::format("{:.3f}", of.chance)) +
            cell(of.direction ? fmt::format("{:+.2f} ({:+.2f} to {:+.2f})", *of.direction, of.direction_interval.low,
                                            of.direction_interval.high)
                              : "-") +
            "</tr>\n";
  }
  return report::heading(
             "keys", "Which key mattered",
             fmt::format(
                 "All trials that reached {} of {} epochs, at that moment. Explained: the share of the variance of "
                 "their ranks between the values of a key. By chance: how often the same trials in a random "
                 "order explain as much; below 0.05 is bold. Higher is better: the rank correlation of value "
                 "and {}, with its 95% bootstrap interval over trials. With a dozen keys, one of them looks "
                 "as if it mattered every other time.",
                 epochs, out.rungs.back(), escape_markup(out.metric))) +
         "<div class=\"charts\">\n" + report::figure(chart.title, "", report::svg(chart)) + "</div>\n" +
         table({"key", "explained", "by chance", "higher is better"}, rows) + "</section>\n";
}

std::string trials_section(const Outcome& out) {
  std::vector<size_t> order(out.trials.size());
  for (size_t t = 0; t < order.size(); ++t) order[t] = t;
  std::erase_if(order, [&](size_t t) { return out.trials[t].values.empty(); });
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    return std::pair(out.trials[a].values.size(), out.trials[a].values.back()) >
           std::pair(out.trials[b].values.size(), out.trials[b].values.back());
  });
  std::string rows;
  for (const size_t t : order) {
    const auto& trial = out.trials[t];
    const auto changes = out.space.changes(trial.point);
    rows += "<tr>" + cell(fmt::format("{}", t)) + cell(std::string(name_of(trial.origin))) +
            cell(fmt::format("{}", out.epochs(t))) +
            cell(trial.values.back() < 0 ? "failed" : fmt::format("{:.4f}", trial.values.back()),
                 t == out.finalists[out.winner].trial) +
            fmt::format("<td style=\"white-space: normal\">{}</td></tr>\n", escape_markup(changes));
  }
  return report::heading("trials", "What was tried",
                         fmt::format("A trial stops after {} epochs unless it is among the best third there.",
                                     fmt::join(out.rungs, ", "))) +
         table({"trial", "origin", "epochs", out.metric, "what differs"}, rows) + "</section>\n";
}

std::string space_section(const Outcome& out) {
  std::string rows;
  for (const auto& key : out.space.keys()) {
    std::vector<std::string> texts;
    for (const auto& level : key.levels) texts.push_back(level.text);
    rows += "<tr>" + cell(key.name) + cell(key.levels[key.standing].text) +
            cell(fmt::format("{}", fmt::join(texts, ", "))) + "</tr>\n";
  }
  return report::heading("space", "What was searched", "") + table({"key", "as it stands", "values"}, rows) +
         "</section>\n";
}

}  // namespace

std::string tune_page(const Outcome& out, const dataset::Options& base, const std::string& path) {
  double seconds = 0;
  for (const auto& stretch : out.stretches) seconds += stretch.seconds;
  const auto best = out.space.options(out.trials[out.finalists[out.winner].trial].point);
  auto shown = best;
  shown.train.refit = base.train.refit;
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<title>Pagoda tune: " + escape_markup(path) + "</title>\n<style>" + std::string(report::chart_css()) +
          std::string(report::report_css()) + "</style>\n</head>\n<body>\n<main>\n<header><h1>Tuning " +
          escape_markup(path) + "</h1>\n<dl class=\"facts\">\n";
  page += fact("judged by", out.metric + " on validation") + fact("users", fmt::format("{}", out.users)) +
          fact("trials", fmt::format("{}", out.trials.size())) +
          fact("minutes of training", report::number_text(seconds / 60, false)) +
          fact("seed", fmt::format("{}", out.seed));
  page +=
      "</dl>\n<nav>\n<a href=\"#result\">How sure</a>\n<a href=\"#progress\">The best over time</a>\n"
      "<a href=\"#keys\">Which key mattered</a>\n<a href=\"#trials\">What was tried</a>\n"
      "<a href=\"#space\">What was searched</a>\n<a href=\"#config\">best.toml</a>\n</nav></header>\n";
  page +=
      result_section(out) + progress_section(out) + importance_section(out) + trials_section(out) + space_section(out);
  page += report::heading("config", "best.toml", "") + "<details><summary>every key</summary><pre>" +
          escape_markup(dataset::to_toml(shown, false)) + "</pre></details></section>\n";
  return page + "<footer>Written by Pagoda. The test part was not looked at.</footer>\n</main>\n</body>\n</html>\n";
}

}  // namespace pagoda::tune
