#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "core/file.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/warnings.h"
#include "data/id_overlap.h"
#include "dataset/dataset.h"
#include "diagnose/advice.h"
#include "diagnose/figures.h"
#include "files/byte_sink.h"
#include "propose/log_roles.h"
#include "text/form_survey.h"
#include "train/suited.h"
#include "train/whole_config.h"

namespace pagoda::cli {

namespace {

// The rows that training would use, and the catalogue that would be served.
struct Rows {
  std::string name;
  std::vector<uint32_t> user, item;
  std::vector<int64_t> time_us;
  uint32_t users = 0, catalogue_items = 0;
};

// The number of items of the table that the log does not have.
uint32_t items_outside(const columns::Interner& log_items, const std::string& path, const std::string& id) {
  auto files = propose::one_file(path);
  files.columns = {id};
  const auto reader = formats::open_reader(files);
  columns::Interner outside;
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch))
    for (size_t row = 0; row < batch.rows; ++row)
      if (const auto text = batch.columns[0].as_text(row, scratch);
          !text.empty() && log_items.find(text) == columns::Interner::kNone)
        outside.add(text);
  reader->notices().say();
  return outside.size();
}

Rows read_log(const DiagnoseArgs& args) {
  data::InteractionOptions options;
  options.paths = args.interactions;
  const auto survey =
      text::survey_form(options.paths, args.format.empty() ? "auto" : args.format, columns::TableForm{});
  for (const auto* said : {&survey.guesses, &survey.found})
    for (const auto& text : *said) log_info("{}", text);
  options.format = files::format_or_automatic(survey.format);
  options.form = survey.form;
  propose::LogColumns told{args.user, args.item, args.time, "", ""};
  if (told.user.empty() || told.item.empty() || told.time.empty())
    told = propose::log_columns(
        data::guess_interactions({.paths = options.paths, .format = options.format, .form = options.form}), told,
        args.interactions[0], "Say it with --user COLUMN --item COLUMN");
  options.user = told.user;
  options.item = told.item;
  options.time = told.time;
  options.bad_rows.on_bad_row = data::OnBadRow::skip;
  auto log = data::load_interactions(options);
  Rows rows{args.interactions[0],   std::move(log.user), std::move(log.item),
            std::move(log.time_us), log.users.size(),    log.items.size()};
  if (!args.items.empty()) {
    const auto table = propose::one_file(args.items);
    const auto survey = propose::survey_table(table, log.items);
    const auto& id = propose::id_column(survey, data::guess_table(table), log.items, table, told.item);
    data::report_overlap(
        {.asked = log.items.size(), .met = id.known, .known = survey.rows, .missing = {}, .others = {}, .change = {}},
        {args.items, "items of the log", ""});
    rows.catalogue_items += items_outside(log.items, args.items, id.name);
  }
  log_info("{}: users by '{}', items by '{}', {}", rows.name, told.user, told.item,
           told.time.empty() ? "no times" : fmt::format("times by '{}'", told.time));
  return rows;
}

// The rows that a config's judged model is trained on: all but the test part.
Rows read_config(const DiagnoseArgs& args, dataset::Options& options) {
  train::WholeConfig config;
  read_config(args.config, {}, config);
  options = std::move(config.training);
  auto& data = options.data;
  if (!args.interactions.empty()) data.interactions = args.interactions;
  if (!args.items.empty()) data.items = args.items;
  if (!args.user.empty()) data.user = args.user;
  if (!args.item.empty()) data.item = args.item;
  if (!args.time.empty()) data.time = args.time;
  if (!args.format.empty()) data.format = args.format;
  dataset::validate(options);
  const auto dataset = dataset::load_dataset(data);
  Rows rows;
  rows.name = data.interactions[0];
  rows.users = dataset.users.size();
  rows.catalogue_items = dataset.catalogue.size();
  for (size_t row = 0; row < dataset.log.size(); ++row) {
    if (dataset.parts[row] == data::Part::test) continue;
    rows.user.push_back(dataset.user_row[dataset.log.user[row]]);
    rows.item.push_back(dataset.item_row[dataset.log.item[row]]);
    if (dataset.log.has_time()) rows.time_us.push_back(dataset.log.time_us[row]);
  }
  log_info("{}: all but the test part of the split of {}", rows.name, args.config);
  return rows;
}

// --batch, or the config's batch; with rows = "user", a row has as many columns as targets.
int64_t columns_of_batch(const DiagnoseArgs& args, const dataset::Options& options, const Rows& rows) {
  if (args.batch > 0) return args.batch;
  const auto& train = options.train;
  if (args.config.empty()) {
    const int64_t batch = train::batch_for(train.batch, rows.user.size());
    if (batch != train.batch)
      log_info("a batch of {}, as `pagoda init` would take, so that an epoch of {} rows has enough steps", batch,
               rows.user.size());
    return batch;
  }
  if (train.rows == dataset::TrainingRows::interaction) return train.batch;
  const double targets = static_cast<double>(rows.user.size()) / static_cast<double>(rows.users) / 2;
  const auto batch = static_cast<int64_t>(static_cast<double>(train.batch) * std::max(1.0, targets));
  log_info(
      "rows = \"user\": {} users of {} targets each (half of their rows) are measured as a batch of {} rows; say it "
      "with --batch",
      train.batch, diagnose::significant(targets), batch);
  return batch;
}

// A bar of at most `cells` cells, an eighth of a cell at a time.
std::string bar(double share, size_t cells) {
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<size_t>(std::llround(std::clamp(share, 0.0, 1.0) * static_cast<double>(8 * cells)));
  std::string text;
  for (size_t i = 0; i < eighths / 8; ++i) text += "█";
  return text + kEighths[eighths % 8];
}

void print_line(const char* what, const std::string& value, const std::string& note = "") {
  std::printf("  %-34s %12s%s%s\n", what, value.c_str(), note.empty() ? "" : "  ", note.c_str());
}

void print_popularity(const diagnose::Diagnosis& d) {
  std::printf("\npopularity\n");
  for (const auto& [name, part, share] :
       {std::tuple("top 1% of the items", 0.01, d.top_1_share), std::tuple("top 5%", 0.05, d.top_5_share),
        std::tuple("top 20%", 0.2, d.top_20_share)})
    print_line(name, diagnose::percent(share) + " of clicks", bar(share, 24));
  print_line("Gini, items without clicks included", fmt::format("{:.2f}", d.gini));
  std::printf("\n  %-12s %10s %9s %-14s %18s %14s %14s\n", "", "items", "clicks", "", "in-batch columns",
              "beside a row", "with uniform");
  for (const auto& s : d.strata) {
    const double share = static_cast<double>(s.clicks) / static_cast<double>(d.rows);
    const auto strip = bar(share, 14);
    // A bar has more bytes than columns on the screen.
    const size_t cells = std::count_if(strip.begin(), strip.end(), [](char c) { return (c & 0xc0) != 0x80; });
    std::printf("  %-12s %10s %9s %s%*s %18s %14s %14s\n", s.name, diagnose::grouped(s.items).c_str(),
                diagnose::percent(share).c_str(), strip.c_str(), static_cast<int>(14 - cells), "",
                diagnose::significant(s.in_batch_columns).c_str(), diagnose::percent(s.in_batch_chance).c_str(),
                diagnose::percent(s.with_uniform_chance).c_str());
  }
  std::printf(
      "  in-batch columns: of one item, in a batch; beside a row: the chance that an item is a column for it\n");
}

void print_batch(const diagnose::Diagnosis& d) {
  const auto whole = [](double x) { return diagnose::grouped(static_cast<uint64_t>(std::llround(x))); };
  std::printf("\nin-batch negatives at a batch of %s (expected, exact for shuffled epochs)\n",
              diagnose::grouped(d.batch).c_str());
  print_line("steps of an epoch", diagnose::grouped(d.steps));
  print_line("different items in a batch", whole(d.items_in_batch),
             fmt::format("of {}", diagnose::grouped(d.catalogue_items)));
  const uint64_t never = d.catalogue_items - d.clicked_items;
  print_line("items in no batch of an epoch", whole(d.items_absent_epoch),
             never > 0 ? fmt::format("{} of them never clicked, so in no epoch", diagnose::grouped(never))
                       : "every item has clicks; these are left over by chance");
  print_line(
      "items the median user never meets", whole(d.items_absent_user),
      fmt::format("in the {} rows of an epoch; {} with {} uniform columns", diagnose::grouped(d.median_user_rows),
                  whole(d.items_absent_user_with_uniform), diagnose::grouped(d.uniform_count)));
  const auto& tail = d.strata.back();
  print_line("an item of the bottom half is beside", diagnose::significant(d.beside_median_user(tail.in_batch_chance)),
             fmt::format("of these rows; {} with them",
                         diagnose::significant(d.beside_median_user(tail.with_uniform_chance))));
  print_line("accidental hits", diagnose::percent(d.accidental_hits),
             "of a row's columns: its own item, or its user's; masked");
  if (d.accidental_hits_in_time_order)
    print_line("  in order of time", diagnose::percent(*d.accidental_hits_in_time_order),
               "counted over the batches of one pass");
  print_line("liked at another time", diagnose::percent(std::max(0.0, d.liked_in_batch - d.accidental_hits)),
             fmt::format("of a row's columns, not masked; {} of uniform ones", diagnose::percent(d.liked_uniform)));
  print_line("log q, top 1% over the median item", fmt::format("{:.2f}", d.log_q_gap));
  print_line("effective items, in_batch", whole(d.effective_items), "1 / sum q^2");
  print_line(fmt::format("  with {} uniform", diagnose::grouped(d.uniform_count)).c_str(),
             whole(d.with_uniform.different));
  print_line("columns once corrected, in_batch", whole(d.in_batch.columns),
             fmt::format("uniform ones they are worth while logits are alike, over {} items",
                         diagnose::grouped(d.in_batch.reached)));
  print_line(fmt::format("  with {} uniform", diagnose::grouped(d.uniform_count)).c_str(),
             whole(d.with_uniform.columns), "over all items");
}

void print_drift(const diagnose::Diagnosis& d) {
  if (!d.drift) return;
  const auto& drift = *d.drift;
  const auto days = [](double us) { return fmt::format("{} d", diagnose::significant(us / 86400e6)); };
  const auto shared = [](const std::optional<double>& o) {
    return o ? diagnose::percent(*o) : std::string("too sparse");
  };
  std::printf("\ndrift of popularity, between tenths of the rows in order of time (%s apart)\n",
              days(static_cast<double>(drift.period_us)).c_str());
  double variation = 0, chance = 0;
  for (size_t p = 0; p < drift.next_variation.size(); ++p) {
    variation += drift.next_variation[p];
    chance += drift.next_chance[p];
  }
  const auto n = static_cast<double>(drift.next_variation.size());
  print_line("total variation to the next tenth", fmt::format("{:.2f}", variation / n),
             fmt::format("{:.2f} by chance alone", chance / n));
  print_line("in common with the next", shared(drift.next_overlap), "1 is what chance leaves");
  print_line("first and last", shared(drift.ends_overlap));
  if (drift.half_life_us) print_line("half-life of what is common", days(*drift.half_life_us));
  print_line("clicks on items unseen before", diagnose::percent(drift.unseen.back()), "in the last tenth");
}

// Breaks lines at spaces, and indents those after the first.
void print_wrapped(const std::string& text, size_t indent, size_t width) {
  std::string line = text.substr(0, indent);
  size_t words = 0;
  for (size_t at = indent; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (words > 0 && line.size() + 1 + end - at > width) {
      std::printf("%s\n", line.c_str());
      line.assign(indent, ' ');
      words = 0;
    }
    if (words++ > 0) line += ' ';
    line += text.substr(at, end - at);
    at = end + 1;
  }
  std::printf("%s\n", line.c_str());
}

void print_all(const std::string& name, const diagnose::Diagnosis& d, const diagnose::Advice& advice) {
  std::printf("%s\n", name.c_str());
  print_line("rows", diagnose::grouped(d.rows));
  print_line("users", diagnose::grouped(d.users),
             fmt::format("{} rows the median one", diagnose::grouped(d.median_user_rows)));
  print_line("items of the catalogue", diagnose::grouped(d.catalogue_items),
             fmt::format("{} never clicked", diagnose::grouped(d.catalogue_items - d.clicked_items)));
  print_line("items with fewer than 5 clicks", diagnose::grouped(d.items_below_5_clicks),
             diagnose::percent(static_cast<double>(d.items_below_5_clicks) / static_cast<double>(d.catalogue_items)));
  print_popularity(d);
  print_batch(d);
  print_drift(d);
  std::printf("\nan epoch\n");
  const auto encoded = [](double items) {
    return fmt::format("multiply-adds at the logits, {} encoded items", human_count(items));
  };
  print_line(fmt::format("{} sampled columns a row", diagnose::grouped(d.batch + d.uniform_count)).c_str(),
             human_count(d.sampled_cost), encoded(d.sampled_encoded));
  print_line("the catalogue, for each row", human_count(d.catalogue_cost), encoded(d.catalogue_encoded));
  print_line("the catalogue, for each user", human_count(d.catalogue_by_user), encoded(d.catalogue_by_user_encoded));
  for (const auto& [verdict, title] : {std::pair(diagnose::Verdict::take, "negatives to take"),
                                       std::pair(diagnose::Verdict::leave_out, "negatives to leave out"),
                                       std::pair(diagnose::Verdict::set, "settings")}) {
    std::printf("\n%s\n", title);
    for (const auto& p : advice.points)
      if (p.verdict == verdict) print_wrapped(fmt::format("  {:<16} {}", p.subject, p.text), 19, 118);
  }
  for (size_t b = 0; b < advice.blocks.size(); ++b)
    std::printf("\n# ---- %s: %s\n%s", b == 0 ? "start with" : "compare with", advice.blocks[b].title.c_str(),
                advice.blocks[b].toml.c_str());
}

const char* word_of(diagnose::Verdict verdict) {
  return verdict == diagnose::Verdict::take ? "take" : verdict == diagnose::Verdict::leave_out ? "leave_out" : "set";
}

nlohmann::ordered_json json_of(const std::string& name, const diagnose::Diagnosis& d, const diagnose::Advice& advice) {
  using json = nlohmann::ordered_json;
  const auto optional = [](const std::optional<double>& x) { return x ? json(*x) : json(); };
  json strata = json::array(), points = json::array(), blocks = json::array();
  for (const auto& s : d.strata)
    strata.push_back({{"bucket", s.name},
                      {"items", s.items},
                      {"clicks", s.clicks},
                      {"in_batch_columns", s.in_batch_columns},
                      {"chance_beside_row", s.in_batch_chance},
                      {"chance_beside_row_with_uniform", s.with_uniform_chance}});
  for (const auto& p : advice.points)
    points.push_back({{"subject", p.subject}, {"verdict", word_of(p.verdict)}, {"text", p.text}});
  for (const auto& b : advice.blocks) blocks.push_back({{"title", b.title}, {"toml", b.toml}});
  json drift;
  if (d.drift)
    drift = {{"periods", diagnose::kPeriods},
             {"period_seconds", static_cast<double>(d.drift->period_us) / 1e6},
             {"total_variation_to_next", d.drift->next_variation},
             {"total_variation_by_chance", d.drift->next_chance},
             {"overlap_next", optional(d.drift->next_overlap)},
             {"overlap_first_last", optional(d.drift->ends_overlap)},
             {"half_life_seconds", d.drift->half_life_us ? json(*d.drift->half_life_us / 1e6) : json()},
             {"unseen_items_click_share", d.drift->unseen}};
  return {
      {"log", name},
      {"rows", d.rows},
      {"users", d.users},
      {"items", d.catalogue_items},
      {"items_never_clicked", d.catalogue_items - d.clicked_items},
      {"items_below_5_clicks", d.items_below_5_clicks},
      {"median_user_rows", d.median_user_rows},
      {"popularity",
       {{"top_1_percent", d.top_1_share},
        {"top_5_percent", d.top_5_share},
        {"top_20_percent", d.top_20_share},
        {"gini", d.gini},
        {"log_q_gap", d.log_q_gap},
        {"by_item_popularity", strata}}},
      {"batch", d.batch},
      {"steps", d.steps},
      {"items_in_batch", d.items_in_batch},
      {"items_absent_from_epoch", d.items_absent_epoch},
      {"items_absent_from_median_user", d.items_absent_user},
      {"items_absent_from_median_user_with_uniform", d.items_absent_user_with_uniform},
      {"accidental_hits", d.accidental_hits},
      {"accidental_hits_in_time_order", optional(d.accidental_hits_in_time_order)},
      {"liked_in_batch", d.liked_in_batch},
      {"liked_uniform", d.liked_uniform},
      {"uniform_count", d.uniform_count},
      {"effective_negatives",
       {{"in_batch", {{"items", d.effective_items}, {"columns", d.in_batch.columns}, {"reached", d.in_batch.reached}}},
        {"with_uniform",
         {{"items", d.with_uniform.different},
          {"columns", d.with_uniform.columns},
          {"reached", d.with_uniform.reached}}}}},
      {"drift", drift},
      {"multiply_adds_an_epoch",
       {{"sampled", d.sampled_cost}, {"catalogue", d.catalogue_cost}, {"catalogue_by_user", d.catalogue_by_user}}},
      {"encoded_items_an_epoch",
       {{"sampled", d.sampled_encoded},
        {"catalogue", d.catalogue_encoded},
        {"catalogue_by_user", d.catalogue_by_user_encoded}}},
      {"advice", points},
      {"blocks", blocks},
      {"warnings", warnings_so_far()}};
}

struct Diagnosed {
  std::string name;
  diagnose::Diagnosis diagnosis;
  diagnose::Advice advice;
};

Diagnosed diagnose_rows(const DiagnoseArgs& args) {
  if (args.interactions.empty() && args.config.empty())
    fail(ErrorKind::usage, "name the log to look at, as in `pagoda diagnose clicks.csv`, or a config with -c");
  if (args.batch < 0) fail(ErrorKind::usage, "--batch {} must be at least 1", args.batch);
  dataset::Options options;
  const auto rows = args.config.empty() ? read_log(args) : read_config(args, options);
  const diagnose::ClickLog log{rows.user, rows.item, rows.time_us, rows.users, rows.catalogue_items};
  const auto batch = columns_of_batch(args, options, rows);
  if (static_cast<uint64_t>(batch) > rows.user.size())
    log_warning("a batch of {} is longer than the log; measured with one of all {} rows", batch, rows.user.size());
  Diagnosed found{.name = rows.name,
                  .diagnosis = diagnose::diagnose(log, {.batch = batch, .dim = options.towers.model.dim}),
                  .advice = {}};
  found.advice = diagnose::advise(found.diagnosis);
  return found;
}

}  // namespace

std::string diagnosis_json(const DiagnoseArgs& args) {
  const auto found = diagnose_rows(args);
  return json_of(found.name, found.diagnosis, found.advice).dump(2);
}

void run_diagnose(const DiagnoseArgs& args) {
  files::check_output_name(args.json);
  const auto found = diagnose_rows(args);
  const auto json = json_of(found.name, found.diagnosis, found.advice).dump(2);
  if (args.json == "-")
    std::printf("%s\n", json.c_str());
  else
    print_all(found.name, found.diagnosis, found.advice);
  if (!args.json.empty() && args.json != "-") files::write_text(args.json, json + "\n");
}

}  // namespace pagoda::cli
