#include "evaluate/comparison_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace pagoda::evaluate {

namespace {

using Json = nlohmann::ordered_json;

std::string interval_text(const Json& of, bool sign) {
  const auto low = of.find("low"), high = of.find("high");
  if (low == of.end() || high == of.end() || !low->is_number() || !high->is_number()) return "-";
  return sign ? fmt::format("{:+.4f} to {:+.4f}", low->get<double>(), high->get<double>())
              : fmt::format("{:.4f} to {:.4f}", low->get<double>(), high->get<double>());
}

std::string figure_text(const Json& of, const std::string& name) {
  const auto found = of.find(name);
  return found != of.end() && found->is_number() ? fmt::format("{:.4f}", found->get<double>()) : "-";
}

}  // namespace

std::string baseline_label(std::string_view name) {
  if (name == "towers") return "towers alone";
  return name == "recent_popularity" ? "recent popularity" : name == "item_knn" ? "item-kNN" : std::string(name);
}

std::vector<std::string> comparison_table(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json.contains("baselines") || json.at("users") == 0) return {};
  const auto& metrics = json.at("metrics");
  std::string recall;
  for (const auto& [name, value] : metrics.items())
    if (recall.empty() && name.starts_with("recall@")) recall = name;
  std::vector<std::string> lines{
      fmt::format("{} beside what needs no training, on the same {} users; in brackets 95% intervals", recall,
                  json.at("users").get<uint64_t>())};
  const auto row = [&](std::string_view name, const Json& figures, const Json& intervals) {
    return fmt::format("{:>18} {:>10}  ({})", name, figure_text(figures, recall),
                       interval_text(intervals.at(recall), false));
  };
  lines.push_back(row("model", metrics, json.at("intervals")));
  for (const auto& one : json.at("baselines")) {
    const auto& difference = one.at("difference").at(recall);
    const auto mean = difference.at("mean").is_number() ? fmt::format("{:+.4f}", difference.at("mean").get<double>())
                                                        : std::string("-");
    lines.push_back(row(baseline_label(one.at("name").get<std::string>()), one.at("metrics"), one.at("intervals")) +
                    fmt::format("  model {} ({})", mean, interval_text(difference, true)));
  }
  for (const auto& one : json.at("baselines_left_out"))
    lines.push_back(fmt::format("{:>18} {:>10}  {}", baseline_label(one.at("name").get<std::string>()), "-",
                                one.at("why").get<std::string>()));
  const auto& unknown = json.at("unknown_users");
  if (unknown.at("users") > 0 && unknown.contains("popularity"))
    lines.push_back(fmt::format("{} users without a history are judged apart: {} {} of the model, {} of popularity",
                                unknown.at("users").get<uint64_t>(), recall, figure_text(unknown.at("metrics"), recall),
                                figure_text(unknown.at("popularity"), recall)));
  return lines;
}

}  // namespace pagoda::evaluate
