#include "propose/proposal.h"

#include <filesystem>

#include "propose/column_lines.h"
#include "propose/log_proposal.h"
#include "propose/table_proposal.h"
#include "train/suited.h"
#include "train/whole_config.h"

namespace pagoda::propose {

std::vector<std::string> Proposal::lines() const {
  std::vector<std::string> lines;
  for (const auto& line : questions) lines.push_back("? " + comment_line(line));
  for (const auto& line : seen) lines.push_back(comment_line(line));
  for (const auto& line : choices) lines.push_back("- " + comment_line(line));
  return lines;
}

std::string Proposal::comments(std::string_view next) const {
  std::string text =
      "# Written by `pagoda init`. What it saw, what it made of that, and why; all of it may be corrected here.\n#\n";
  for (const auto& line : questions) text += "# ? " + comment_line(line) + "\n";
  if (!questions.empty()) text += "#\n";
  for (const auto& line : seen) text += "# " + comment_line(line) + "\n";
  text += "#\n";
  for (const auto& line : choices) text += "# - " + comment_line(line) + "\n";
  text += "#\n# Next: " + comment_line(next) + "\n";
  return text;
}

namespace {

// The tables that are given; else those that the log's own columns make.
void take_tables(Proposal& p, const Request& request, const Log& log) {
  const auto stem =
      request.config.ends_with(".toml") ? request.config.substr(0, request.config.size() - 5) : request.config;
  for (const bool of_items : {true, false}) {
    const auto& given = of_items ? request.items : request.users;
    const auto& ids = of_items ? log.survey.items : log.survey.users;
    const auto& columns = of_items ? log.of_item : log.of_user;
    if (!given.empty()) {
      take_table(p, given, ids, of_items);
      if (!columns.empty())
        p.say("'{}' of the log {} the same in all rows of {}, and left out, as {} is the table of {}.",
              fmt::join(columns, "', '"), columns.size() == 1 ? "is" : "are", of_items ? "an item" : "a user", given,
              of_items ? "items" : "users");
    } else if (!columns.empty()) {
      take_owned_columns(p, log.files, columns, ids, stem + (of_items ? ".items.csv" : ".users.csv"), of_items);
    }
    for (const auto& path : of_items ? request.item_vectors : request.user_vectors)
      take_vectors(p, path, ids, of_items);
  }
}

void propose(Proposal& p, const Request& request) {
  const auto log = take_log(p, request);
  auto& o = p.options;
  if (!log.survey.time_us.empty() && !request.split_told)
    p.choices.push_back(train::suit_split(
        o.data.split,
        {.time_us = log.survey.time_us, .user = log.survey.user_of_time, .users = log.survey.users.size()}));
  take_tables(p, request, log);
  look_for_users_among_items(p, log.survey);

  auto& towers = o.towers;
  const bool user_table = towers.user.features.size() > o.data.context.size();
  if (!towers.item.features.empty() || user_table) {
    towers.item.hidden = towers.user.hidden = {128};
    p.say("A hidden layer of 128 in both towers reads the features; ids and the history are added to it.");
  }
  for (const auto& source : o.sampling.negatives)
    if (source.source == "uniform" && !towers.item.features.empty())
      p.say(
          "Items that nobody clicked are negatives, too, and come last. If new ones must be found by their features, "
          "write items = \"clicked\" beside \"uniform\"; docs/howto/new-items.md says what that costs.");
  const double several = log.survey.share_of_users_with_several();
  const bool other_events = std::ranges::any_of(o.data.events, data::has_own_history);
  if (several < 0.05 && !towers.user.features.empty() && !other_events) {
    towers.user.history.last = 0;
    p.say("No history: {:.1f}% of the users have more than one row.", 100 * several);
  } else if (several < 0.05 && !other_events) {
    p.say(
        "Only {:.1f}% of the users have more than one row, and nothing else is known of them: there is little to learn "
        "from.",
        100 * several);
  }
  if (!o.data.time.empty() && o.train.half_life.empty()) p.choices.push_back(train::suit_half_life(o));
  train::suit_history(o);
  if (o.data.time.empty() && o.data.split.kind == data::SplitKind::random)
    p.say(
        "Split at random: the log has no times. If it has, name their column with --time and split by time: what is "
        "asked of a model is the future.");
  for (auto& line : train::suit_size(o, {log.survey.rows, log.survey.items.size()}))
    p.choices.push_back(std::move(line));
  dataset::name_vector_columns(o);
  dataset::validate(o);
}

}  // namespace

Proposal propose_config(const Request& request, dataset::Options told) {
  Proposal p;
  p.options = std::move(told);
  try {
    propose(p, request);
  } catch (...) {
    p.remove_written();
    throw;
  }
  return p;
}

Proposal propose_config_with(const Request& request, const std::vector<std::string>& set) {
  train::WholeConfig config{.training = train::suited_options(), .serve = {}};
  train::read_config("", set, config);
  auto asked = request;
  asked.split_told |= std::ranges::any_of(set, [](const auto& a) { return a.starts_with("data.split"); });
  auto proposal = propose_config(asked, std::move(config.training));
  config.training = std::move(proposal.options);
  train::read_config("", set, config);
  proposal.options = std::move(config.training);
  return proposal;
}

void Proposal::remove_written() const {
  for (const auto& path : written) std::filesystem::remove(path);
}

}  // namespace pagoda::propose
