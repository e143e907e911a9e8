// The sections of text lists: examples and configs.
#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "core/error.h"
#include "report/chart.h"
#include "report/chart_scale.h"
#include "report/report_parts.h"

namespace pagoda::report {

namespace {

constexpr size_t kShownCandidates = 20, kShownHistory = 20;

std::string item_html(const ReportItem& item) {
  std::string out = "<span class=\"item\">" + escape_markup(item.title.empty() ? item.id : item.title);
  if (!item.detail.empty()) out += "<span class=\"detail\">" + escape_markup(item.detail) + "</span>";
  return out + "</span>";
}

using Ids = std::set<std::string_view>;

Ids held_out_ids(const ReportExample& example) {
  Ids ids;
  for (const auto& item : example.held_out) ids.insert(item.id);
  return ids;
}

Ids shown_ids(const ReportExample& example) {
  Ids ids;
  for (size_t i = 0; i < std::min(kShownCandidates, example.candidates.size()); ++i)
    ids.insert(example.candidates[i].item.id);
  return ids;
}

std::string history_side(const ReportExample& example, const Ids& found) {
  std::string out = "<div>";
  const size_t shown = std::min(kShownHistory, example.history.size());
  out += fmt::format("<h4>History, newest first ({})</h4><ul>", example.history.size());
  for (size_t i = 0; i < shown; ++i) out += "<li>" + item_html(example.history[i]) + "</li>\n";
  if (shown < example.history.size())
    out += fmt::format("<li class=\"quiet\">and {} more</li>", example.history.size() - shown);
  if (example.history.empty()) out += "<li class=\"quiet\">none</li>";
  out += "</ul>";
  if (!example.held_out.empty()) {
    const size_t tests = std::min(kShownHistory, example.held_out.size());
    out += fmt::format("<h4>Held out for test ({})</h4><ul>", example.held_out.size());
    for (size_t i = 0; i < tests; ++i) {
      const auto& item = example.held_out[i];
      out += "<li>" + item_html(item) + (found.count(item.id) ? "<span class=\"found\">found</span>" : "") + "</li>\n";
    }
    if (tests < example.held_out.size())
      out += fmt::format("<li class=\"quiet\">and {} more</li>", example.held_out.size() - tests);
    out += "</ul>";
  }
  return out + "</div>\n";
}

std::string candidates_side(const ReportExample& example, const std::string& heading_html) {
  const Ids held_out = held_out_ids(example);
  const size_t shown = std::min(kShownCandidates, example.candidates.size());
  size_t hits = 0;
  std::string list;
  for (size_t i = 0; i < shown; ++i) {
    const auto& [item, score] = example.candidates[i];
    const bool hit = held_out.count(item.id) > 0;
    hits += hit;
    list += fmt::format("<li{}><span class=\"rank\">{}</span>{}<span class=\"score\">{}{:.3f}</span></li>\n",
                        hit ? " class=\"hit\"" : "", i + 1, item_html(item),
                        hit ? "<span title=\"a held-out item\">✓</span> " : "", score);
  }
  std::string tally = held_out.empty() ? "" : fmt::format(", {} of {} found", hits, held_out.size());
  return "<div><h4>" + heading_html + tally + "</h4><ol>" + list + "</ol></div>\n";
}

// Lines that the first model's config does not have are marked.
std::string marked_config(const std::string& config, const std::string& first) {
  const auto lines_of = [](std::string_view text) {
    std::vector<std::string_view> lines;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  };
  const auto known_lines = lines_of(first);
  const std::set<std::string_view> known(known_lines.begin(), known_lines.end());
  std::string out;
  for (const auto line : lines_of(config)) {
    const std::string text = escape_markup(line);
    out += (line.empty() || known.count(line) ? text : "<mark>" + text + "</mark>") + "\n";
  }
  return out;
}

}  // namespace

std::string examples_section(ReadModels models) {
  std::vector<std::string_view> users;
  for (const auto& model : models)
    for (const auto& example : model.given->examples)
      if (std::find(users.begin(), users.end(), example.user) == users.end()) users.push_back(example.user);
  if (users.empty()) return "";

  std::string out =
      heading("examples", "Examples",
              fmt::format("What some users clicked, and the first {} candidates for them with their "
                          "scores. <span class=\"found\">✓</span> marks an item that the user did click in the "
                          "part held out for test. A list without a hit need not be a bad one: most of what "
                          "a user would like was never shown to them.",
                          kShownCandidates));
  for (const auto& user : users) {
    const ReportExample* first = nullptr;
    Ids found;
    std::string sides;
    for (const auto& model : models) {
      for (const auto& example : model.given->examples) {
        if (example.user != user) continue;
        if (!first) first = &example;
        found.merge(shown_ids(example));
        const std::string name = models.size() > 1
                                     ? fmt::format("<span class=\"swatch {}\"></span>{}", color_class(model.color),
                                                   escape_markup(model.given->name))
                                     : "Candidates";
        sides += candidates_side(example, name);
        break;
      }
    }
    out += "<article class=\"card example\"><h3>User " + escape_markup(user) + "</h3><div class=\"sides\">\n" +
           history_side(*first, found) + sides + "</div></article>\n";
  }
  return out + "</section>\n";
}

std::string config_section(ReadModels models) {
  std::string out;
  const std::string& first = models[0].given->config;
  for (const auto& model : models) {
    if (model.given->config.empty()) continue;
    out += fmt::format("<details class=\"card {}\"><summary>", color_class(model.color));
    if (models.size() > 1) out += fmt::format("<span class=\"swatch {}\"></span>", color_class(model.color));
    out += escape_markup(model.given->name) + "</summary><pre>" +
           marked_config(model.given->config, first.empty() ? model.given->config : first) + "</pre></details>\n";
  }
  if (out.empty()) return "";
  const std::string note = models.size() > 1 && !first.empty()
                               ? "Marked lines differ from " + escape_markup(models[0].given->name) + "'s."
                               : "As trained, with every default.";
  return heading("config", "Configuration", note) + out + "</section>\n";
}

}  // namespace pagoda::report
