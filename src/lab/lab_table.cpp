// The table on stdout.
#include <fmt/format.h>

#include <algorithm>

#include "lab/summary.h"

namespace pagoda::lab {

namespace {

using TableRow = std::vector<std::string>;

size_t width_of(const std::string& text) {  // characters, for the ± of UTF-8
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// Aligns columns to their widest cell: the first to the left, the others to the right.
std::string aligned(const std::vector<TableRow>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) {
      if (widths.size() <= c) widths.push_back(0);
      widths[c] = std::max(widths[c], width_of(row[c]));
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string pad(widths[c] - width_of(row[c]), ' ');
      line += c == 0 ? row[c] + pad : "  " + pad + row[c];
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::string figure_text(double value) {
  if (std::isnan(value)) return "-";
  return std::abs(value) < 10 ? fmt::format("{:.4f}", value) : fmt::format("{:.1f}", value);
}

// One line per variant with its means, and below it the differences to the baseline.
std::string compared_table(const Plan& plan, const Summary& summary, std::vector<Compared> VariantSummary::* figures) {
  std::vector<TableRow> rows{{"variant"}};
  for (const auto& c : summary.variants[0].*figures) rows[0].push_back(c.name);
  for (size_t v = 0; v < plan.variants.size(); ++v) {
    TableRow means{plan.variants[v].name}, differences{"  against " + plan.variants[plan.baseline].name};
    for (const auto& c : summary.variants[v].*figures) {
      means.push_back(mean_text(c.mean, c.spread));
      differences.push_back(difference_text(c));
    }
    rows.push_back(std::move(means));
    if (v != plan.baseline) rows.push_back(std::move(differences));
  }
  return aligned(rows);
}

std::string popularity_table(const Plan& plan, const Summary& summary) {
  std::vector<TableRow> rows{{"variant"}, {"  test rows"}};
  const auto buckets = [](const VariantSummary& of) { return of.mean.value("by_item_popularity", Json::array()); };
  const auto zero = [](const VariantSummary& of) { return of.mean.value("zero_train_positives", Json::object()); };
  const auto cold_rows = number_at(zero(summary.variants[0]), "test_positives");
  for (const auto& bucket : buckets(summary.variants[0])) {
    rows[0].push_back(bucket.value("bucket", ""));
    rows[1].push_back(fmt::format("{:.0f}", number_at(bucket, "test_positives")));
  }
  rows[0].emplace_back("not in train");
  rows[1].push_back(fmt::format("{:.0f}", cold_rows));
  for (size_t v = 0; v < plan.variants.size(); ++v) {
    TableRow cells{plan.variants[v].name};
    for (const auto& bucket : buckets(summary.variants[v]))
      cells.push_back(number_at(bucket, "test_positives") > 0 ? figure_text(number_at(bucket, summary.goal_metric))
                                                              : "-");
    cells.push_back(figure_text(summary.variants[v].cold_recall));
    rows.push_back(std::move(cells));
  }
  return fmt::format("{} by popularity of the item\n", summary.goal_metric) + aligned(rows);
}

std::string lists_table(const Plan& plan, const Summary& summary) {
  std::vector<TableRow> rows{{"variant"}};
  const std::vector<std::string> names{"coverage", "gini", "average_popularity", "long_tail_share"};
  for (const auto& name : names) rows[0].push_back(name);
  for (size_t v = 0; v < plan.variants.size(); ++v) {
    TableRow cells{plan.variants[v].name};
    for (const auto& name : names)
      cells.push_back(figure_text(number_at(summary.variants[v].mean, fmt::format("{}@{}", name, summary.k))));
    rows.push_back(std::move(cells));
  }
  return fmt::format("the lists of {} as a whole\n", summary.k) + aligned(rows);
}

}  // namespace

std::string lab_table(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary) {
  const auto& lab = plan.lab;
  std::string out =
      fmt::format("{} test users, {}; means{}, and differences with {:g}% intervals over users\n\n", summary.users,
                  lab.seeds.size() == 1 ? fmt::format("seed {}", lab.seeds[0])
                                        : fmt::format("seeds {}", fmt::join(lab.seeds, ", ")),
                  lab.seeds.size() == 1 ? "" : " ± deviation over seeds", lab.bootstrap.confidence * 100);
  out += compared_table(plan, summary, &VariantSummary::metrics);
  out += "\n" + popularity_table(plan, summary) + "\n" + lists_table(plan, summary);
  if (!lab.truth.empty())
    out += fmt::format("\nagainst the truth of {} users\n", summary.truth_users) +
           compared_table(plan, summary, &VariantSummary::truths);
  for (size_t v = 0; v < runs.size(); ++v)
    if (!runs[v].tried.empty())
      out += fmt::format("{}{}: {}, chosen on validation among {}\n", v == 0 ? "\n" : "", plan.variants[v].name,
                         runs[v].tried[runs[v].chosen].label, runs[v].tried.size());
  out += "\n";
  for (const auto& goal : summary.goals) out += fmt::format("{}: {}\n", goal.name, goal.words);
  return out;
}

}  // namespace pagoda::lab
