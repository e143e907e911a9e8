#include "dataset/options.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/config.h"
#include "core/error.h"

namespace pagoda::dataset {

namespace {

void describe(OptionVisitor& f, columns::TableForm& o) {
  f.field("separator", o.separator,
          "between the cells of csv and tsv files: \",\", \"\\t\", \";\", \"|\", \"::\", ...; \"auto\": as the file's "
          "lines say");
  f.choice("quoting", o.quoting,
           {{"doubled", columns::Quoting::doubled},
            {"backslash", columns::Quoting::backslash},
            {"none", columns::Quoting::none}},
           "how quotes in quoted cells of csv and tsv files are written: \"\" or \\\"; none: a quote is a letter like "
           "others");
  f.field("comment", o.comment,
          "lines of csv and tsv files that begin with it are skipped; auto: those with '#' before the first row");
  f.field(
      "encoding", o.encoding,
      "of text files: \"utf-8\", \"latin-1\", \"windows-1252\", ...; auto: UTF-8, or UTF-16 with a byte order mark");
  f.choice(
      "header", o.header,
      {{"auto", columns::Header::automatic}, {"true", columns::Header::yes}, {"false", columns::Header::no}},
      "whether the first line of csv and tsv files names the columns; auto: it does, and a line of values is an error");
  f.field("columns", o.columns,
          "the names of all columns of csv and tsv files, where their first line does not say them");
  f.field("null_values", o.null_values,
          "words that mean missing, such as \"NA\", \"\\\\N\", \"-\", beside the empty cell");
}

void describe(OptionVisitor& f, DataOptions& o) {
  f.field(
      "interactions", o.interactions,
      "the log: files, folders, globs, files in archives (\"a.zip/log.csv\"); csv, tsv, jsonl, parquet, arrow, ...");
  f.field("format", o.format,
          "of the log, if its content does not show it: csv, tsv, jsonl, parquet, arrow, adjacency (lines of user item "
          "item ...), mind, netflix");
  describe(f, o.form);
  f.field("user", o.user, "column of the user's id");
  f.field("item", o.item, "column of the item's id");
  f.field("time", o.time, "column of the time; \"\": there is none");
  columns::describe(f, o.times);
  f.choice(
      "clock", o.trust_clock, {{"check", false}, {"trust", true}},
      "check: a row in the future, or before 1971 where most are after 1980, is a bad row; trust: it is taken as it "
      "stands");
  f.field("weight", o.weight, "column of the reward of a row, above 0; \"\": all the same");
  f.field("context", o.context, "columns known at the moment of a request, for [[user.features]]");
  f.field(
      "clicked", o.clicked,
      "column: 0 or false for rows that were shown and not clicked (source = \"impressions\"); \"\": all were clicked");
  f.field(
      "where", o.where,
      "which rows are read, as \"event in ('cart', 'purchase')\": an expression in the language of filters; \"\": all");
  f.field("positive", o.positive,
          "which of them are positives, as \"rating >= 4\"; the others count as shown and not clicked; \"\": all");
  f.field("event", o.event, "column of the kind of event of a row, for [[data.events]]; \"\": there is none");
  f.list<data::EventOptions>(
      "events", o.events, "kinds of events; a row is of the first that holds for it. None: every row is a positive",
      [](OptionVisitor& f, data::EventOptions& one) {
        f.field("name", one.name, "the value in the column data.event, if `when` does not say which rows are of it");
        f.choice("role", one.role,
                 {{"positive", data::EventRole::positive},
                  {"history", data::EventRole::history},
                  {"negative", data::EventRole::negative}},
                 "positive: learnt and judged; history: known of the user, with embeddings of its own, and never asked "
                 "for (views before purchases); negative: shown and not clicked (source = \"impressions\")");
        f.field("weight", one.weight, "positive: of its examples");
        f.field("history", one.history, "negative: histories read it, too, with embeddings of its own: dislikes");
        f.field("when", one.when, "which rows are of it, as \"rating <= 2\"; \"\": data.event has the name");
      },
      OptionVisitor::IfEmpty::unwritten);
  f.field("impressions", o.impressions,
          "files of what was shown and not clicked, columns named as in the interactions (source = \"impressions\")");
  f.field("items", o.items, "file of the item table; \"\": there is none");
  f.field("items_id", o.items_id, "its id column; \"\": named as in the interactions");
  f.field("users", o.users, "file of the user table; \"\": there is none");
  f.field("users_id", o.users_id, "its id column; \"\": named as in the interactions");
  f.field("item_vectors", o.item_vectors,
          "files of vectors of items (.npy, .fbin with ids in FILE.ids.txt; .parquet): each is a column for "
          "[[item.features]] of kind = \"vector\", named like the file, or like the column of a .parquet");
  f.field("user_vectors", o.user_vectors, "the same of users");
  f.section("items_form", "the form of the item table, as of the log above", [&](OptionVisitor& f) {
    f.field("format", o.items_format, "as of the log");
    describe(f, o.items_form);
  });
  f.section("users_form", "the form of the user table", [&](OptionVisitor& f) {
    f.field("format", o.users_format, "as of the log");
    describe(f, o.users_form);
  });
  f.section("split", "which rows train, which choose the model, which judge it",
            [&](OptionVisitor& f) { data::describe(f, o.split); });
  f.choice("on_bad_row", o.bad_rows.on_bad_row, {{"fail", data::OnBadRow::fail}, {"skip", data::OnBadRow::skip}},
           "a row that cannot be used: fail, or skip and count it");
  f.field("bad_row_limit", o.bad_rows.limit, "with skip: more bad rows than this, and it fails all the same");
}

void describe(OptionVisitor& f, SamplingOptions& o) {
  f.field("downsample_positives", o.downsample_positives,
          "word2vec's t, such as 0.001: positives on items with a greater share are thinned out; 0: off. It thins them "
          "out as in-batch negatives, too: prefer source = \"hot\" beside in_batch");
  f.choice(
      "correct_by", o.correct_by, {{"mixture", sampling::CorrectBy::mixture}, {"source", sampling::CorrectBy::source}},
      "what corrects a column: all sources together; \"source\", the one that brought it, is wrong, for experiments");
  f.section("frequency", "how often an item is drawn: the q of the correction",
            [&](OptionVisitor& f) { sampling::describe(f, o.frequency); });
  f.list<sampling::NegativesOptions>(
      "negatives", o.negatives, "where negatives come from; the correction is that of their mixture",
      [](OptionVisitor& f, sampling::NegativesOptions& one) { sampling::describe(f, one); });
}

void describe(OptionVisitor& f, TrainOptions& o) {
  f.choice("rows", o.rows, {{"interaction", TrainingRows::interaction}, {"user", TrainingRows::user}},
           "interaction: each row of the log is an example; user: each user with all its targets at once");
  f.choice("history", o.history, {{"before", HistoryMode::before}, {"others", HistoryMode::others}},
           "rows = interaction: the history of an example: what was before it, or the user's other items (no times)");
  f.choice("targets", o.targets, {{"half", Targets::half}, {"window", Targets::window}},
           "rows = user: a random half of the list, or what follows a random moment");
  f.field("target_window", o.target_window, "targets = window: how long after the moment; as long as the test part");
  f.choice("repeats", o.repeats,
           {{"auto", LearnRepeats::automatic}, {"skip", LearnRepeats::skip}, {"learn", LearnRepeats::learn}},
           "rows = interaction: whether a row whose item the user had before is an example; auto: if evaluate.repeats "
           "= \"keep\"");
  f.field("user_balance", o.user_balance,
          "each of a user's n examples or targets weighs n^-this; 0: every row the same, 1: every user");
  f.field(
      "target_recency", o.target_recency,
      "rows = user: a target of age n in the user's list weighs (1 + n)^-this; 0.3 where taste moves on, 0: all alike");
  f.field(
      "half_life", o.half_life,
      "a row of this age weighs half, one of twice the age a quarter: 7d where what is popular changes by the week; "
      "\"auto\": what foretells the validation part best, if recent popularity does better there than item-kNN; "
      "\"\": all rows weigh the same");
  f.field("mask_history_items", o.mask_history_items,
          "what the user had before is not pushed away as a negative: right where lists leave it out");
  f.choice("order", o.order, {{"shuffled", Order::shuffled}, {"time", Order::time}, {"sequences", Order::sequences}},
           "shuffled epochs, or one pass in time order");
  f.field("batch", o.batch, "examples a step: more in-batch negatives, fewer steps");
  f.field("epochs", o.epochs, "passes over the training part, at most");
  nn::describe(f, o.optimizer);
  f.field("choose_by", o.choose_by,
          "validation metric that chooses the model: recall@k, ndcg@k, hit_rate@k, mrr@k, map@k, "
          "precision@k");
  f.field(
      "patience", o.patience,
      "evaluations without a better value before training stops; up to three times as many where few users cannot tell "
      "them apart");
  f.field("evaluate_every", o.evaluate_every, "epochs between evaluations on the validation part");
  // "true" is how version 0.1 wrote "validation"; of two names of a value the last is written.
  f.choice(
      "refit", o.refit,
      {{"true", Refit::validation}, {"all", Refit::all}, {"validation", Refit::validation}, {"false", Refit::none}},
      "what is written once the epochs are chosen; all: a model of all rows, whose twin without the test part is "
      "judged; validation (true): one of train and validation; false: the chosen one");
  f.choice("refit_by", o.refit_by,
           {{"auto", RefitBy::automatic}, {"anew", RefitBy::anew}, {"going_on", RefitBy::going_on}},
           "anew: each refit trains from random weights, with all of its rows; going_on: from the model before it, "
           "with the rows held out from that one: half the time, and the newest rows are learnt last; auto: "
           "going_on where the split is by time or leave_last");
  int64_t seed = static_cast<int64_t>(o.seed);
  f.field("seed", seed, "same seed, same bits, on any number of threads");
  o.seed = static_cast<uint64_t>(seed);
  f.field("threads", o.threads, "0: as many as there are CPUs");
  f.field("checkpoint_seconds", o.checkpoint_seconds, "time between checkpoints, for --resume; 0: after every step");
  f.field("keep_state", o.keep_state,
          "write OUTPUT.state beside the bundle, from which `train --from` goes on without loss");
}

}  // namespace

void at_least(const char* key, int64_t value, int64_t least) {
  if (value < least) fail(ErrorKind::usage, "{} = {} must be at least {}", key, value, least);
}

void name_vector_columns(Options& o) {
  o.data.item_vector_columns = features::vector_columns(o.towers.item.features);
  o.data.user_vector_columns = features::vector_columns(o.towers.user.features);
}

void name_event_histories(Options& o) {
  o.towers.user.event_kinds.clear();
  for (const auto& kind : o.data.events)
    o.towers.user.event_kinds.push_back({.name = kind.name,
                                         .history = kind.role == data::EventRole::positive
                                                        ? features::EventHistory::main
                                                    : data::has_own_history(kind) ? features::EventHistory::own
                                                                                  : features::EventHistory::none});
}

void describe(OptionVisitor& f, Options& o) {
  f.section("data", "what to read", [&](OptionVisitor& f) { describe(f, o.data); });
  model::describe(f, o.towers);
  f.section("loss", "what training minimises, and its correction of the sampling bias",
            [&](OptionVisitor& f) { loss::describe(f, o.loss); });
  f.section("sampling", "negatives and their frequencies", [&](OptionVisitor& f) { describe(f, o.sampling); });
  f.section("train", "the training run", [&](OptionVisitor& f) { describe(f, o.train); });
  f.section("neighbours", "items that go with those of a history, beside the towers",
            [&](OptionVisitor& f) { model::describe(f, o.neighbours); });
  f.section("evaluate", "how models are judged", [&](OptionVisitor& f) {
    f.field("k", o.evaluate.k, "lengths of the lists that are judged");
    f.choice(
        "repeats", o.evaluate.repeats, {{"miss", Repeats::miss}, {"keep", Repeats::keep}},
        "what a user had before: left out of the lists, so that it counts as a miss where it comes back; or kept in");
    f.choice("context", o.evaluate.context, {{"last", JudgedContext::last}, {"request", JudgedContext::request}},
             "context that a user is judged with: of the latest row before the judged part; or of the first row in it, "
             "with its time, as a request would bring them");
    f.field("baselines", o.evaluate.baselines,
            "judge popularity, recent popularity and item-kNN on the same users, too, with bootstrap intervals");
  });
  name_vector_columns(o);
  name_event_histories(o);
}

void validate(const Options& o) {
  if (o.data.interactions.empty())
    fail(ErrorKind::usage, "data.interactions names no file; set it in the config or with --interactions");
  if (o.data.user.empty() || o.data.item.empty())
    fail(ErrorKind::usage, "data.user and data.item must name the columns of the ids");
  data::validate(o.data.events, o.data.event);
  const bool reads_negatives =
      std::ranges::any_of(o.sampling.negatives, [](const auto& n) { return n.source == "impressions"; });
  for (const auto& kind : o.data.events) {
    if (data::has_own_history(kind) && o.towers.user.history.last == 0)
      fail(ErrorKind::usage,
           "[[data.events]] name = \"{}\" is for histories, and user.history.last = 0 turns them off; leave the kind "
           "out with data.where",
           kind.name);
    if (kind.role == data::EventRole::negative && !kind.history && !reads_negatives)
      fail(
          ErrorKind::usage,
          "[[data.events]] name = \"{}\" is negative, and nothing reads it: add a [[sampling.negatives]] with source = "
          "\"impressions\", or set history = true",
          kind.name);
  }
  model::validate(o.towers.model);
  features::validate(o.towers.user, o.towers.item);
  loss::validate(o.loss);
  sampling::validate(o.sampling.frequency);
  if (!(o.sampling.downsample_positives >= 0 && o.sampling.downsample_positives < 1))
    fail(ErrorKind::usage,
         "sampling.downsample_positives is {}, expected a share in [0, 1); 0.001 is usual, 0 turns it off",
         o.sampling.downsample_positives);
  for (const auto& n : o.sampling.negatives) {
    sampling::validate(n);
    if (n.items == sampling::DrawnItems::clicked && o.train.order == Order::time)
      fail(ErrorKind::usage,
           "sampling.negatives: items = \"clicked\" looks at rows to come, which train.order = \"time\" does not; set "
           "\"all\": an item of the log is then drawn from its first row on");
  }
  nn::validate(o.train.optimizer);
  model::validate(o.neighbours);
  if (!(o.train.target_recency >= 0 && std::isfinite(o.train.target_recency)))
    fail(ErrorKind::usage, "train.target_recency is {}, expected 0 or more; 0 turns it off", o.train.target_recency);
  at_least("train.batch", o.train.batch, 1);
  at_least("train.epochs", o.train.epochs, 1);
  at_least("train.patience", o.train.patience, 1);
  at_least("train.evaluate_every", o.train.evaluate_every, 1);
  at_least("train.threads", o.train.threads, 0);
  at_least("train.checkpoint_seconds", o.train.checkpoint_seconds, 0);
  if (o.evaluate.k.empty()) fail(ErrorKind::usage, "evaluate.k is empty: name at least one list length");
  for (auto k : o.evaluate.k) at_least("evaluate.k", k, 1);
  if (o.sampling.negatives.empty())
    fail(ErrorKind::usage,
         "sampling.negatives is empty: give at least one [[sampling.negatives]], such as source = \"in_batch\"");
  const bool catalogue = o.sampling.negatives[0].source == "catalogue";
  if (o.train.rows == TrainingRows::user && o.loss.correction == loss::Correction::leave_one_out)
    fail(ErrorKind::usage,
         "loss.correction = \"leave_one_out\" has one positive a row: use train.rows = \"interaction\"");
  if (catalogue && o.loss.correction == loss::Correction::leave_one_out)
    fail(ErrorKind::usage, "loss.correction = \"leave_one_out\" corrects draws; source = \"catalogue\" draws nothing");
  const bool needs_time =
      o.train.order == Order::time || (o.train.rows == TrainingRows::user && o.train.targets == Targets::window);
  if (needs_time && o.data.time.empty())
    fail(ErrorKind::usage, "train.order = \"time\" and train.targets = \"window\" need data.time");
  if (o.train.order == Order::sequences &&
      (o.train.rows != TrainingRows::interaction || o.train.history != HistoryMode::before))
    fail(ErrorKind::usage,
         "train.order = \"sequences\" is for rows with what was before them: set train.rows = \"interaction\" and "
         "train.history = \"before\"");
  const auto& history = o.towers.user.history;
  if (history.last > 0 && history.encoder == features::HistoryEncoder::transformer) {
    int64_t dim = history.table == features::HistoryTable::shared ? o.towers.item.id.dim : history.dim;
    if (dim == 0) dim = o.towers.model.dim;
    if (dim % history.heads != 0)
      fail(ErrorKind::usage,
           "user.history.heads = {} does not divide {}, the width of the history's embeddings; a transformer's heads "
           "share it evenly",
           history.heads, dim);
  }
  if (!o.train.half_life.empty() && o.train.half_life != "auto" &&
      columns::parse_duration_us(o.train.half_life).value_or(0) <= 0)
    fail(ErrorKind::usage, "train.half_life = \"{}\" is no duration; write 7d, 12h, ..., \"auto\" or \"\"",
         o.train.half_life);
  if (!columns::parse_duration_us(o.train.target_window))
    fail(ErrorKind::usage, "train.target_window = \"{}\" is no duration; write 30d, 12h, ...", o.train.target_window);
}

bool skips_repeats(const Options& o) {
  if (o.train.rows != TrainingRows::interaction) return false;
  return o.train.repeats == LearnRepeats::skip ||
         (o.train.repeats == LearnRepeats::automatic && o.evaluate.repeats == Repeats::miss);
}

bool refits_going_on(const Options& o) {
  const bool by_time = o.data.split.kind == data::SplitKind::time || o.data.split.kind == data::SplitKind::leave_last;
  return o.train.refit_by == RefitBy::going_on || (o.train.refit_by == RefitBy::automatic && by_time);
}

bool reads_histories_apart(const Options& o) {
  return o.towers.user.history.last > 0 && o.towers.user.history.encoder == features::HistoryEncoder::transformer &&
         o.train.rows == TrainingRows::interaction && o.train.history == HistoryMode::before &&
         o.train.order == Order::shuffled;
}

std::string_view name_of(Repeats repeats) { return repeats == Repeats::keep ? "keep" : "miss"; }

std::string_view name_of(JudgedContext context) { return context == JudgedContext::request ? "request" : "last"; }

std::string to_toml(const Options& options, bool with_comments) {
  auto copy = options;
  return pagoda::to_toml([&](OptionVisitor& f) { describe(f, copy); }, with_comments);
}

std::string resume_record(const Options& options) {
  // A section and a line of it, as a new run writes it; "": the line that opens the section.
  constexpr std::string_view kForm[] = {"separator = \"auto\"", "quoting = \"doubled\"", "comment = \"auto\"",
                                        "encoding = \"auto\"",  "header = \"auto\"",     "columns = []",
                                        "null_values = []"};
  std::set<std::pair<std::string_view, std::string_view>> later;
  for (const auto line : kForm) later.emplace("[data]", line);
  for (const auto line :
       {"time_unit = \"auto\"", "date_order = \"auto\"", "clock = \"check\"", "where = \"\"", "positive = \"\""})
    later.emplace("[data]", line);
  for (const auto line : {"item_vectors = []", "user_vectors = []", "event = \"\""}) later.emplace("[data]", line);
  later.emplace("[[sampling.negatives]]", "items = \"all\"");
  for (const auto section : {"[user.id]", "[item.id]"}) later.emplace(section, "dropout = 0.0");
  for (const auto line : {"encoder = \"mean\"", "heads = 2", "blocks = 1"}) later.emplace("[user.history]", line);
  later.emplace("[evaluate]", "repeats = \"miss\"");
  later.emplace("[evaluate]", "context = \"last\"");
  for (const auto line :
       {"top_k = 0", "top_k_temperature = 0.2", "top_k_start = 0.6", "top_k_refresh = 5", "negative_weight = 150.0"})
    later.emplace("[loss]", line);
  later.emplace("[train]", "half_life = \"\"");
  later.emplace("[train]", "repeats = \"learn\"");
  later.emplace("[train]", "keep_state = true");
  later.emplace("[model]", "combine = \"concat\"");
  later.emplace("[evaluate]", "baselines = true");
  later.emplace("[train]", "refit_by = \"anew\"");
  later.emplace("[neighbours]", "");
  for (const auto line :
       {"kind = \"none\"", "count = 100", "shrinkage = \"auto\"", "history = 100", "weight = \"auto\""})
    later.emplace("[neighbours]", line);
  for (const auto section : {"[data.items_form]", "[data.users_form]"}) {
    later.emplace(section, "");
    later.emplace(section, "format = \"auto\"");
    for (const auto line : kForm) later.emplace(section, line);
  }
  std::string record, section, opening;
  const std::string text = with_former_keys(to_toml(options, false));
  for (std::string_view rest = text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty()) {
      opening = "\n";
    } else if (line.starts_with('[')) {
      section = line;
      opening += section + "\n";
      if (!later.contains({section, ""})) record += std::exchange(opening, "");
    } else if (!later.contains({section, line})) {
      record += std::exchange(opening, "");
      record.append(line == "refit = \"validation\"" ? "refit = true" : line) += '\n';  // as version 0.1 wrote it
    }
  }
  return record;
}

data::InteractionOptions interaction_options(const DataOptions& data) {
  return {.paths = data.interactions,
          .format = files::format_or_automatic(data.format),
          .user = data.user,
          .item = data.item,
          .time = data.time,
          .weight = data.weight,
          .clicked = data.clicked,
          .where = data.where,
          .positive = data.positive,
          .event = data.event,
          .events = data.events,
          .context = data.context,
          .times = data.times,
          .trust_clock = data.trust_clock,
          .form = data.form,
          .bad_rows = data.bad_rows};
}

}  // namespace pagoda::dataset
