#include "tune/output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/config.h"
#include "core/file.h"

namespace pagoda::tune {

namespace {

std::string space_table(const Space& space) {
  std::string out = "key\tas_it_stands\tvalues\n";
  for (const auto& key : space.keys()) {
    std::vector<std::string> texts;
    for (const auto& level : key.levels) texts.push_back(level.text);
    out += fmt::format("{}\t{}\t{}\n", key.name, key.levels[key.standing].text, fmt::join(texts, ", "));
  }
  return out;
}

// A row a trial, then one a repeat.
std::string trials_table(const Outcome& out) {
  std::string text = "trial\torigin\tseed\tepochs\tbest_epoch\t" + out.metric;
  for (const auto& key : out.space.keys()) text += "\t" + key.name;
  text += "\tseconds\n";
  const auto add = [&](size_t trial, std::string_view origin, uint64_t seed, int64_t epochs, const Standing& standing) {
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}", trial, origin, seed, epochs, standing.best_epoch, standing.value);
    const auto& point = out.trials[trial].point;
    const auto active = out.space.active(point);
    for (size_t k = 0; k < point.size(); ++k)
      text += "\t" + (active[k] ? out.space.keys()[k].levels[point[k]].text : std::string("-"));
    text += fmt::format("\t{:.1f}\n", standing.seconds);
  };
  for (size_t t = 0; t < out.trials.size(); ++t) {
    const Standing* last = nullptr;
    for (const auto& stretch : out.stretches)
      if (stretch.job.trial == t) last = &stretch.standing;
    if (last) add(t, name_of(out.trials[t].origin), out.seed, out.epochs(t), *last);
  }
  for (const auto& finalist : out.finalists)
    for (size_t r = 0; r < finalist.repeats.size(); ++r)
      add(finalist.trial, "repeat", out.fresh_seeds[r],
          out.space.options(out.trials[finalist.trial].point).train.epochs, finalist.repeats[r]);
  return text;
}

// A line of a comment, broken at blanks.
std::string comment(std::string_view text) {
  constexpr size_t kColumns = 100;
  std::string out = "#";
  size_t column = 1;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (column + 1 + word.size() > kColumns && column > 1) {
      out += "\n#";
      column = 1;
    }
    out += " " + std::string(word);
    column += 1 + word.size();
  }
  return out + "\n";
}

// `file` is where it will be, `path` the config that was tuned.
std::string best_config(const Outcome& out, const train::WholeConfig& config, const std::string& path,
                        const std::string& file, const std::string& next) {
  const auto& winner = out.trials[out.finalists[out.winner].trial];
  auto best = config;
  best.training = out.space.options(winner.point);
  train::write_paths_beside(file, best);
  best.training.train.refit = config.training.train.refit;
  std::string text = comment(fmt::format("By `pagoda tune` from {}, on the validation part.", path));
  for (const auto& line : verdict(out)) text += comment(line);
  const auto changes = out.space.changes(winner.point);
  text += comment(changes.empty() ? "Nothing differs." : "What differs: " + changes);
  text += fmt::format("# Next: {}\n\n", next);
  return text + to_toml([&](OptionVisitor& f) { describe(f, best); }, true);
}

}  // namespace

std::string signed_text(double difference) { return fmt::format("{:+.4f}", difference); }

std::vector<std::string> verdict(const Outcome& out) {
  const double before = out.finalists[0].mean, after = out.finalists[out.winner].mean;
  const auto seeds = out.fresh_seeds.empty()
                         ? fmt::format("seed {}, the one of the search", out.seed)
                         : fmt::format("the mean of the fresh seeds {}", fmt::join(out.fresh_seeds, " and "));
  std::vector<std::string> lines;
  if (out.winner == 0) {
    lines.push_back(fmt::format("None of {} trials is better than the config as it stands: {} {:.4f} of {} users ({}).",
                                out.trials.size(), out.metric, before, out.users, seeds));
    return lines;
  }
  lines.push_back(fmt::format("{} of {} users: {:.4f} as it stands, {:.4f} with the best of {} trials ({}).",
                              out.metric, out.users, before, after, out.trials.size(), seeds));
  if (std::isnan(out.interval.low)) {
    lines.push_back(
        fmt::format("The difference is {}; how sure it is cannot be said, as the folder states has lost the "
                    "figures of the users.",
                    signed_text(out.difference)));
    return lines;
  }
  lines.push_back(fmt::format("The difference is {}{}; its 95% interval over users {} to {}.",
                              signed_text(out.difference),
                              before > 0 ? fmt::format(" ({:+.1f}%)", 100 * out.difference / before) : std::string(),
                              signed_text(out.interval.low), signed_text(out.interval.high)));
  lines.push_back(out.is_sure() ? "The interval leaves 0 out: it is better for users such as these. The best of many "
                                  "looks a little better than it is; the test part will tell."
                                : "The interval holds 0: it is not significantly better than the config as it stands.");
  return lines;
}

std::string write_outcome(const Outcome& out, const train::WholeConfig& config, const std::string& path,
                          const std::string& folder) {
  const auto next = fmt::format("pagoda train -c {}/best.toml -o model.pagoda", folder);
  write_file(folder + "/space.tsv", space_table(out.space));
  write_file(folder + "/trials.tsv", trials_table(out));
  write_file(folder + "/best.toml", best_config(out, config, path, folder + "/best.toml", next));
  write_file(folder + "/tune.html", tune_page(out, config.training, path));

  std::string table;
  for (const auto& line : verdict(out)) table += line + "\n";
  const auto& space = out.space;
  const auto& point = out.trials[out.finalists[out.winner].trial].point;
  const auto active = space.active(point);
  if (out.winner != 0) table += fmt::format("\n{:<32} {:>20} {:>20}\n", "key", "as it stands", "best");
  for (size_t k = 0; k < point.size(); ++k) {
    const auto& key = space.keys()[k];
    if (!active[k] || point[k] == key.standing) continue;
    table += fmt::format("{:<32} {:>20} {:>20}\n", key.name, key.levels[key.standing].text, key.levels[point[k]].text);
  }
  int64_t epochs = 0;
  const auto importance = key_importance(out, epochs);
  if (!importance.empty())
    table += fmt::format("\n{:<32} {:>20} {:>20}\n",
                         fmt::format("which key mattered, {}/{} epochs", epochs, out.rungs.back()), "explained",
                         "by chance");
  for (const auto& [key, of] : importance)
    table += fmt::format("{:<32} {:>20} {:>20}\n", space.keys()[key].name, fmt::format("{:.0f}%", 100 * of.explained),
                         fmt::format("{:.3f}", of.chance));
  return table;
}

}  // namespace pagoda::tune
