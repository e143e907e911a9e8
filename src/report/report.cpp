#include "report/report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/progress.h"
#include "report/chart.h"
#include "report/chart_scale.h"
#include "report/report_parts.h"
#include "report/report_style.h"

namespace pagoda::report {

namespace {

std::vector<ReadModel> read_models(const ReportInput& input) {
  std::vector<ReadModel> models;
  for (const auto& model : input.models) {
    ReadModel read{.given = &model, .evaluation = {}, .run = {}, .color = static_cast<int>(models.size())};
    if (!model.evaluation.empty()) read.evaluation = parse_evaluation(model.evaluation, model.name + ": evaluation");
    read.run = parse_run_log(model.run_log, model.name + ": run log");
    models.push_back(std::move(read));
  }
  return models;
}

// "a, b and c".
std::string names_of(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
  return out;
}

std::string count_text(double count) { return std::isnan(count) ? "" : fmt::format("{:.0f}", count); }

// The models' answers to one question, if they differ: "800 (a) and 300 (b)".
template <class Say>
std::string differing(ReadModels models, const Say& say) {
  std::vector<std::string> answers, listed;
  for (const auto& model : models) {
    if (!model.evaluation) continue;
    const std::string answer = say(*model.evaluation);
    if (answer.empty()) continue;
    if (std::ranges::find(answers, answer) == answers.end()) answers.push_back(answer);
    listed.push_back(fmt::format("{} ({})", answer, model.given->name));
  }
  return answers.size() > 1 ? names_of(listed) : "";
}

std::string fact(const std::string& name, const std::string& value_html) {
  return value_html.empty() ? "" : "<div><dt>" + escape_markup(name) + "</dt><dd>" + value_html + "</dd></div>\n";
}

// What the models say if they all say the same; otherwise each in turn.
std::string said_by_all(ReadModels models, std::string (*say)(const ReadModel&)) {
  std::vector<std::string> said;
  for (const auto& model : models)
    if (auto text = say(model); !text.empty() && std::find(said.begin(), said.end(), text) == said.end())
      said.push_back(std::move(text));
  std::string out;
  for (const auto& text : said) out += (out.empty() ? "" : ", ") + text;
  return out;
}

std::string header(const ReportInput& input, ReadModels models) {
  std::string out = "<header><h1>" + escape_markup(input.title) + "</h1>\n";
  if (!input.introduction.empty()) out += "<p class=\"introduction\">" + escape_markup(input.introduction) + "</p>\n";
  out += "<dl class=\"facts\">\n";
  for (const auto& [name, value] : input.data) out += fact(name, escape_markup(value));
  out += fact("measured on", said_by_all(models, [](const ReadModel& model) {
                if (!model.evaluation || model.evaluation->split.empty()) return std::string();
                const auto& [split, users, items] =
                    std::tuple(model.evaluation->split, model.evaluation->users, model.evaluation->items);
                return fmt::format("{}, {} users, {} items", escape_markup(split), number_text(users, false),
                                   number_text(items, false));
              }));
  out += fact("chosen on", said_by_all(models, [](const ReadModel& model) {
                return model.evaluation ? escape_markup(model.evaluation->chosen_on) : std::string();
              }));
  out += fact("order of a user's list", said_by_all(models, [](const ReadModel& model) -> std::string {
                const auto uses = model.given->uses_order ? model.given->uses_order
                                  : model.evaluation      ? model.evaluation->uses_order
                                                          : std::optional<bool>();
                return uses ? *uses ? "used" : "not used" : "";
              }));
  for (const auto& model : models)
    if (!model.given->fingerprint.empty())
      out += fact(models.size() > 1 ? model.given->name + ", fingerprint" : "fingerprint",
                  "<code>" + escape_markup(model.given->fingerprint) + "</code>");
  return out + "</dl>\n";
}

struct Tile {
  std::string metric, meaning;
  bool percent;
};

// The first and the last k of recall, ranking quality, and how much of the catalogue is shown.
std::vector<Tile> tiles_of(ReadModels models) {
  std::map<std::string, std::vector<int>> ks;
  for (const auto& model : models)
    if (model.evaluation)
      for (const auto* values : {&model.evaluation->metrics, &model.evaluation->lists})
        for (const auto& [name, value] : *values)
          if (const auto [metric, k] = split_metric(name); k > 0) ks[metric].push_back(k);
  std::vector<Tile> tiles;
  const auto add = [&](const std::string& metric, int k, const char* meaning, bool percent) {
    tiles.push_back({fmt::format("{}@{}", metric, k), meaning, percent});
  };
  if (const auto& recall = ks["recall"]; !recall.empty()) {
    const auto [least, most] = std::minmax_element(recall.begin(), recall.end());
    add("recall", *least, "of the test items found", false);
    if (const auto& ndcg = ks["ndcg"]; !ndcg.empty())
      add("ndcg", *std::min_element(ndcg.begin(), ndcg.end()), "found, and found near the top", false);
    if (*most > *least) add("recall", *most, "of the test items found", false);
  }
  if (const auto& coverage = ks["coverage"]; !coverage.empty())
    add("coverage", coverage.front(), "of the catalogue in anyone's list", true);
  return tiles;
}

double metric_of(const ReadModel& model, const std::string& name) {
  return model.evaluation ? model.evaluation->metric(name) : NAN;
}

std::string tiles(ReadModels models) {
  std::string out;
  for (const auto& tile : tiles_of(models)) {
    out += fmt::format("<div class=\"card tile\"><h3>{}<span>{}</span></h3>", escape_markup(metric_label(tile.metric)),
                       tile.meaning);
    if (models.size() == 1) {
      out += fmt::format("<p class=\"big\">{}</p>", number_text(metric_of(models[0], tile.metric), tile.percent));
    } else {
      out += "<ul>";
      for (const auto& model : models)
        out += fmt::format(
            "<li><span><span class=\"swatch {}\"></span>{}</span><span class=\"value\"><span class=\"number\">{}</span>"
            "<span class=\"change\">{}</span></span></li>",
            color_class(model.color), escape_markup(model.given->name),
            number_text(metric_of(model, tile.metric), tile.percent),
            &model == &models[0] || find_incomparable(models).certain
                ? ""
                : change_text(metric_of(models[0], tile.metric), metric_of(model, tile.metric)));
      out += "</ul>";
    }
    out += "</div>\n";
  }
  return out.empty() ? "" : "<div class=\"tiles\">\n" + out + "</div>\n";
}

// "recall" -> its ks, both in order of appearance.
std::vector<std::pair<std::string, std::vector<int>>> metric_families(ReadModels models) {
  std::vector<std::pair<std::string, std::vector<int>>> families;
  for (const auto& model : models) {
    if (!model.evaluation) continue;
    for (const auto& [name, value] : model.evaluation->metrics) {
      const auto [metric, k] = split_metric(name);
      auto family = std::find_if(families.begin(), families.end(), [&](const auto& f) { return f.first == metric; });
      if (family == families.end()) family = families.insert(families.end(), {metric, {}});
      if (std::find(family->second.begin(), family->second.end(), k) == family->second.end())
        family->second.push_back(k);
    }
  }
  for (auto& [metric, ks] : families) std::sort(ks.begin(), ks.end());
  return families;
}

std::string full_name(const std::string& metric, int k) { return k > 0 ? fmt::format("{}@{}", metric, k) : metric; }

// One model: one row per metric, one column per k.
std::string metrics_by_k(const ReadModel& model) {
  const auto families = metric_families({&model, 1});
  std::vector<int> ks;
  for (const auto& [metric, of_metric] : families)
    for (const int k : of_metric)
      if (std::find(ks.begin(), ks.end(), k) == ks.end()) ks.push_back(k);
  std::sort(ks.begin(), ks.end());
  std::string out = "<table><thead><tr><th>k</th>";
  for (const int k : ks) out += k > 0 ? fmt::format("<th>{}</th>", k) : "<th></th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& [metric, of_metric] : families) {
    out += "<tr><th>" + escape_markup(metric_label(metric)) + "</th>";
    for (const int k : ks) {
      const double value = metric_of(model, full_name(metric, k));
      out += std::isnan(value) ? "<td></td>" : "<td>" + number_text(value, false) + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table>";
}

// Several models: one row per metric and k, one column per model; for two models, the change as well.
std::string metrics_by_model(ReadModels models) {
  const bool comparable = !find_incomparable(models).certain, with_change = models.size() == 2 && comparable;
  std::string out = "<table><thead><tr><th></th>" + model_heads(models) + (with_change ? "<th>change</th>" : "") +
                    "</tr></thead>\n<tbody>\n";
  for (const auto& [metric, ks] : metric_families(models)) {
    for (const int k : ks) {
      const std::string name = full_name(metric, k);
      double best = -INFINITY;
      for (const auto& model : models)
        if (const double value = metric_of(model, name); value > best) best = value;
      out += "<tr><th>" + escape_markup(metric_label(name)) + "</th>";
      for (const auto& model : models) {
        const double value = metric_of(model, name);
        out += fmt::format("<td{}>{}</td>", value == best && comparable ? " class=\"best\"" : "",
                           number_text(value, false));
      }
      if (with_change) out += "<td>" + change_text(metric_of(models[0], name), metric_of(models[1], name)) + "</td>";
      out += "</tr>\n";
    }
  }
  return out + "</tbody></table>";
}

// The metric by length of the list; "" if it was measured at one length only.
std::string curve_by_k(ReadModels models, const std::string& of, const std::string& caption, const std::string& note) {
  LineChart chart{.title = caption,
                  .description = note,
                  .x = {.label = "k", .log = true},
                  .y = {.label = metric_label(of) + "@k", .from_zero = true},
                  .series = {}};
  auto& ks = chart.x.ticks;
  for (const auto& model : models) {
    Series series{model.given->name, {}, model.color};
    if (model.evaluation)
      for (const auto& [name, value] : model.evaluation->metrics)
        if (const auto [metric, k] = split_metric(name); metric == of && k > 0) {
          series.points.push_back({static_cast<double>(k), value});
          ks.push_back(k);
        }
    std::sort(series.points.begin(), series.points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  std::sort(ks.begin(), ks.end());
  ks.erase(std::unique(ks.begin(), ks.end()), ks.end());
  return ks.size() < 2 ? "" : figure(caption, note, svg(chart));
}

}  // namespace

Incomparable find_incomparable(ReadModels models) {
  Incomparable apart;
  const auto add = [&](const char* what, const std::string& answers) {
    if (!answers.empty()) apart.words += fmt::format("{}{}: {}", apart.words.empty() ? "" : "; ", what, answers);
  };
  add("test rows, by their fingerprint", differing(models, [](const Evaluated& e) { return e.test_rows; }));
  add("evaluated part", differing(models, [](const Evaluated& e) { return e.split; }));
  add("evaluated users", differing(models, [](const Evaluated& e) { return count_text(e.users); }));
  add("items of the catalogue", differing(models, [](const Evaluated& e) { return count_text(e.items); }));
  add("context of a user", differing(models, [](const Evaluated& e) { return e.context; }));
  add("what a user had before", differing(models, [](const Evaluated& e) { return e.repeats; }));
  if (!apart.words.empty())
    return {"These models were not evaluated alike, so their figures cannot be compared. " + apart.words + ".", true};
  std::vector<std::string> unknown;
  for (const auto& model : models)
    if (model.evaluation && model.evaluation->test_rows.empty()) unknown.push_back(model.given->name);
  if (models.size() > 1 && !unknown.empty())
    apart.words = fmt::format(
        "It is not known whether these models were evaluated on the same rows: the figures of {} do not say so. "
        "`pagoda evaluate` writes figures that do.",
        names_of(unknown));
  return apart;
}

std::string comparison_warning(const ReportInput& input) { return find_incomparable(read_models(input)).words; }

std::string figure(const std::string& caption, const std::string& second_line, const std::string& svg) {
  std::string out = "<figure class=\"card\"><figcaption>" + escape_markup(caption);
  if (!second_line.empty()) out += "<span>" + escape_markup(second_line) + "</span>";
  return out + "</figcaption><div class=\"plot\">\n" + svg + "</div></figure>\n";
}

std::string heading(const std::string& anchor, const std::string& title, const std::string& note_html) {
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n", anchor, title) +
         (note_html.empty() ? "" : "<p class=\"note\">" + note_html + "</p>\n");
}

std::string model_heads(ReadModels models) {
  if (models.size() == 1) return "<th></th>";
  std::string out;
  for (const auto& model : models)
    out += fmt::format("<th><span class=\"swatch {}\"></span>{}</th>", color_class(model.color),
                       escape_markup(model.given->name));
  return out;
}

std::string change_text(double from, double to) {
  if (!std::isfinite(from) || !std::isfinite(to) || from == 0) return "";
  const double percent = (to / from - 1) * 100;
  return fmt::format("{:+.{}f}%", percent, std::abs(percent) < 9.95 ? 1 : 0);
}

std::string accuracy_section(ReadModels models) {
  if (metric_families(models).empty()) return "";
  const auto apart = find_incomparable(models);
  std::string times;
  for (const auto& model : models) {
    if (model.run.empty()) continue;
    times += (times.empty() ? " Trained in " : ", ") + human_duration(model.run.back().seconds);
    if (models.size() > 1) times += " (" + escape_markup(model.given->name) + ")";
  }
  return heading("accuracy", "Accuracy",
                 "Exact ranking over the whole catalogue; a tie never "
                 "counts as a hit. Means over users with at least one test item." +
                     (times.empty() ? "" : times + ".")) +
         (apart.words.empty() ? "" : "<p class=\"warning\">" + escape_markup(apart.words) + "</p>\n") +
         "<div class=\"charts\">\n<div class=\"card wide\">" +
         (models.size() == 1 ? metrics_by_k(models[0]) : metrics_by_model(models)) + "</div>\n<div class=\"stack\">" +
         curve_by_k(models, "recall", "Recall by length of the list",
                    "How many of a user's test items are among the first k candidates.") +
         (models.size() > 1 ? curve_by_k(models, "ndcg", "NDCG by length of the list",
                                         "The same, counting more for a place nearer the top.")
                            : "") +
         "</div></div>" + baselines_cards(models) + "</section>\n";
}

std::vector<uint32_t> spread_by_count(std::span<const uint64_t> counts, size_t most) {
  std::vector<uint32_t> items;
  for (uint32_t item = 0; item < counts.size(); ++item)
    if (counts[item] > 0) items.push_back(item);
  std::ranges::stable_sort(items, {}, [&](uint32_t item) { return counts[item]; });
  const size_t n = std::min(items.size(), most);
  std::vector<uint32_t> spread;
  for (size_t i = 0; i < n; ++i) spread.push_back(items[n == 1 ? 0 : i * (items.size() - 1) / (n - 1)]);
  return spread;
}

std::string render_report(const ReportInput& given) {
  check(!given.models.empty(), "a report is about a model");
  ReportInput input = given;
  if (input.title.empty())
    for (const auto& model : input.models) input.title += (input.title.empty() ? "" : " · ") + model.name;
  const auto models = read_models(input);

  struct Section {
    const char *anchor, *name;
    std::string html;
  };
  const Section sections[] = {{"accuracy", "Accuracy", accuracy_section(models)},
                              {"learning", "Learning", learning_section(models)},
                              {"popularity", "By popularity", popularity_section(models)},
                              {"frequency", "Estimated frequency", frequency_section(models)},
                              {"examples", "Examples", examples_section(models)},
                              {"config", "Configuration", config_section(models)}};
  std::string links, body;
  for (const auto& section : sections) {
    if (section.html.empty()) continue;
    links += fmt::format("<a href=\"#{}\">{}</a>\n", section.anchor, section.name);
    body += section.html;
  }
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<title>" + escape_markup(input.title) + "</title>\n<style>" + std::string(chart_css()) +
          std::string(report_css()) + "</style>\n</head>\n<body>\n<main>\n";
  page += header(input, models) + "<nav>\n" + links + "</nav></header>\n" + tiles(models) + body;
  return page + "<footer>Written by Pagoda.</footer>\n</main>\n</body>\n</html>\n";
}

}  // namespace pagoda::report
