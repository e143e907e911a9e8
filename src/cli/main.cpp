#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "cli/commands.h"
#include "cli/commit.h"
#include "cli/pages.h"
#include "cli/set_option.h"
#include "cli/simulate_command.h"
#include "cli/tune_command.h"
#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/progress.h"
#include "core/suggest.h"
#include "math/environment.h"
#include "math/simd_level.h"

namespace pagoda::cli {

std::atomic<bool> interrupted{false};

namespace {

extern "C" void on_signal(int signal) {
  if (interrupted.exchange(true)) {  // a second Ctrl-C ends at once
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

// Adds a subcommand whose arguments live as long as the parser.
template <class Args>
CLI::App* command(CLI::App& app, const char* name, const char* what, const char* examples, Args& args,
                  void (*run)(const Args&)) {
  auto* sub = app.add_subcommand(name, what);
  sub->footer(std::string("\nExamples:\n") + examples);
  sub->callback([&args, run] { run(args); });
  return sub;
}

// Reads a renamed option under its former name, too, which --help does not show, and warns.
void add_former_name(CLI::App& command, const std::string& former, CLI::Option* now, std::string& value) {
  const auto take = [former, now, &value](const std::string& given) {
    log_warning("{} is called {} now; a later version will not know the former name", former, now->get_name());
    value = given;
  };
  command.add_option_function<std::string>(former, take)->group("")->excludes(now);
}

// Allows an option of the whole program behind the command, too.
void add_quiet(CLI::App& app, bool& quiet) {
  app.add_flag("-q,--quiet", quiet, "warnings and results only");
  for (auto* command : app.get_subcommands([](const CLI::App*) { return true; })) add_quiet(*command, quiet);
}

// The command that the arguments name, and an error for the first argument it does not know, with the nearest one it
// does; "" when it knows all.
std::pair<std::string, std::string> first_unknown_word(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  std::string command = app.get_name();
  for (const auto& word : words) {
    if (word.size() > 1 && word[0] == '-' && !std::isdigit(static_cast<unsigned char>(word[1]))) {
      const auto name = word[1] == '-' ? word.substr(0, word.find('=')) : word.substr(0, 2);
      std::vector<std::string> known;
      for (const auto* from : {at, &app})
        for (const auto* option : from->get_options()) {
          for (const auto& text : option->get_lnames()) known.push_back("--" + text);
          for (const auto& text : option->get_snames()) known.push_back("-" + text);
        }
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      // Every letter is one edit away from any other, so no letter is the nearest.
      if (name.size() == 2) std::erase_if(known, [](const auto& other) { return other.size() != 2; });
      std::ranges::sort(known);
      known.erase(std::unique(known.begin(), known.end()), known.end());
      const auto which =
          name.size() == 2 ? fmt::format("; known: {}", fmt::join(known, ", ")) : suggestion(name, known);
      return {command, fmt::format("{} has no option '{}'{}", command, name, which)};
    } else if (const auto commands = at->get_subcommands([](const CLI::App*) { return true; }); !commands.empty()) {
      std::vector<std::string> known;
      for (const auto* c : commands) known.push_back(c->get_name());
      const auto found = std::find(known.begin(), known.end(), word);
      if (found == known.end())
        return {command, fmt::format("{} has no command '{}'{}", command, word, suggestion(word, known))};
      at = commands[static_cast<size_t>(found - known.begin())];
      command += " " + word;
    }
  }
  return {command, ""};
}

// "pagoda 0.2.0, commit 42657da, kernels avx512": what a bug report needs.
std::string version_text() {
  return fmt::format("{}, kernels {}", program_text(), math::name_of(math::usable_simd_levels().back()));
}

int run(int argc, char** argv) {
  CLI::App app{"Pagoda: the recall stage of a recommender. A log of who clicked what goes in; candidates come out.",
               "pagoda"};
  app.require_subcommand(1);
  app.set_version_flag("--version", [] { return version_text(); });
  app.get_formatter()->column_width(36);
  bool quiet = false;
  app.parse_complete_callback([&] {
    if (quiet) {
      set_log_level(LogLevel::warning);
      Progress::set_quiet(true);
    }
  });

  InitArgs init;
  auto* c = command(app, "init", "inspect the data and write a commented config",
                    "  pagoda init clicks.csv.gz --items items.csv -o pagoda.toml\n", init, run_init);
  c->add_option("interactions", init.request.interactions, "the log: files or globs")->required();
  c->add_option("--items", init.request.items, "the item table");
  c->add_option("--users", init.request.users, "the user table");
  c->add_option("--item-vectors", init.request.item_vectors,
                "files of vectors of the items, such as embeddings of their texts or images: .npy or .fbin with ids in "
                "FILE.ids.txt, or .parquet");
  c->add_option("--user-vectors", init.request.user_vectors, "the same of users");
  c->add_option("--user", init.request.user, "column of the user's id; found otherwise, as are the others");
  c->add_option("--item", init.request.item, "column of the item's id");
  c->add_option("--time", init.request.time, "column of the time");
  c->add_option("--weight", init.request.weight, "column of the reward");
  c->add_option("--clicked", init.request.clicked, "column of the answer: 0 where a row was shown and not taken");
  c->add_option("--positive", init.request.positive, "which rows are positives, such as 'rating >= 4'");
  c->add_option("--events", init.request.events,
                "what the rows of each kind of event are: 'buy=positive,view=history,skip=negative'")
      ->delimiter(',');
  c->add_option("--event", init.request.event, "column of the kinds of events; found otherwise");
  c->add_option("--where", init.request.where, "which rows are read, such as 'country = \"DE\"'");
  c->add_option("--context", init.request.context, "columns known at the moment of a request; '' for none")
      ->delimiter(',')
      ->allow_extra_args(false);
  c->add_option("--format", init.request.format,
                "of the log: csv, tsv, jsonl, parquet, arrow, adjacency, mind, netflix");
  c->add_option("--encoding", init.request.encoding, "of the log's text: utf-8, latin-1, windows-1252, ...");
  c->add_option("--separator", init.request.separator, "between the cells of the log, such as ';' or '::'");
  c->add_flag("--no-header", init.request.no_header, "the log's first line is a row; name the columns with --columns");
  c->add_option("--columns", init.request.columns, "the names of all columns of the log, such as user_id,item_id,ts")
      ->delimiter(',')
      ->allow_extra_args(false);
  add_set_option(*c, init.set, "a.b=v, any key of the config; may be repeated");
  c->add_option("-o,--output", init.output, "the config to write")->capture_default_str();

  DiagnoseArgs diagnose;
  c = command(app, "diagnose", "measure a log, and recommend its negatives",
              "  pagoda diagnose clicks.csv.gz --items items.csv\n"
              "  pagoda diagnose clicks.parquet --user customer --item product --time ts --batch 8192\n"
              "  pagoda diagnose -c pagoda.toml --json diagnosis.json\n",
              diagnose, run_diagnose);
  c->add_option("interactions", diagnose.interactions, "the log: files or globs");
  c->add_option("--items", diagnose.items,
                "the item table, whose items belong to the catalogue even if nobody clicked them");
  c->add_option("--user", diagnose.user, "column of the user id; inferred otherwise, like the other two");
  c->add_option("--item", diagnose.item, "column of the item id");
  c->add_option("--time", diagnose.time, "column of the time");
  c->add_option("--format", diagnose.format,
                "csv, tsv, jsonl, parquet, arrow or adjacency; otherwise by the extension");
  c->add_option("-c,--config", diagnose.config,
                "a config in place of the flags: its data without the test part, and its batch");
  c->add_option("--batch", diagnose.batch,
                "rows of a batch; otherwise the config's, or the one that `pagoda init` chooses")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  c->add_option("--json", diagnose.json, "write all figures and the advice as JSON (- for stdout, without the table)");

  ConfigArgs config;
  c = command(app, "config", "every key of a config, with its default and its purpose",
              "  pagoda config\n  pagoda config -c pagoda.toml --set loss.temperature=0.07\n", config, run_config);
  c->add_option("-c,--config", config.config, "show this config in full instead of the defaults");
  add_set_option(*c, config.set);

  TrainArgs train;
  c = command(app, "train", "train the two towers and write one bundle",
              "  pagoda train -c pagoda.toml -o model.pagoda\n"
              "  pagoda train -c pagoda.toml --set loss.temperature=0.07 -o model.pagoda --resume\n"
              "  pagoda train --from monday.pagoda --interactions tuesday.csv -o tuesday.pagoda\n"
              "  pagoda train --interactions clicks.parquet --user user_id --item item_id --time ts -o model.pagoda\n",
              train, run_train);
  c->add_option("-c,--config", train.config, "the config, as `pagoda init` writes it");
  add_set_option(*c, train.set);
  c->add_option("-o,--output", train.output, "the bundle to write; its run folder is OUTPUT.run")->required();
  c->add_flag("--resume", train.resume, "continue from the last checkpoint, if there is one");
  c->add_option("--from", train.from,
                "go on from this bundle, with what is new in the log; its config holds where -c gives none");
  c->add_option(
      "--forget", train.forget,
      "with --from: give the rows of users and items that had no event for so long, such as 180d, to new ones");
  c->add_flag("--profile", train.profile, "print a table of where the time of the steps went");
  c->add_option("--interactions", train.interactions, "the log, in place of data.interactions");
  c->add_option("--user", train.user, "column of the user's id");
  c->add_option("--item", train.item, "column of the item id");
  c->add_option("--time", train.time, "column of the time");
  c->add_option("--weight", train.weight, "column of the reward");
  c->add_option("--items", train.items, "the item table");
  c->add_option("--users", train.users, "the user table");
  c->add_option("--item-vectors", train.item_vectors, "files of vectors of the items, in place of data.item_vectors");
  c->add_option("--user-vectors", train.user_vectors, "files of vectors of the users");

  SplitArgs split;
  c = command(app, "split", "write the rows that train, choose and judge, for other programs",
              "  pagoda split -c pagoda.toml -o parts\n  pagoda split -c pagoda.toml --format parquet -o parts\n",
              split, run_split);
  c->add_option("-c,--config", split.config, "the config, as `pagoda init` writes it")->required();
  add_set_option(*c, split.set);
  c->add_option("--format", split.format, "csv, tsv, jsonl, parquet or arrow")->capture_default_str();
  c->add_option("-o,--output", split.output, "the folder of train, validation and test")->required();

  EvaluateArgs evaluate;
  c = command(
      app, "evaluate", "evaluate a model by exact ranking over the full catalogue",
      "  pagoda evaluate model.pagoda\n  pagoda evaluate model.pagoda --data june.csv --k 20,100 --json metrics.json\n",
      evaluate, run_evaluate);
  c->add_option("model", evaluate.model, "the bundle")->required();
  c->add_option("--data", evaluate.data, "interactions to evaluate on, in place of the config's test part");
  c->add_option("--k", evaluate.k, "list lengths, such as 20,100,1000");
  c->add_option("--json", evaluate.json, "write the metrics as JSON (- for stdout)");
  c->add_option(
       "--repeats", evaluate.repeats,
       "miss: the lists leave out what a user had before, so it counts as a miss; keep: they do not. Otherwise as "
       "evaluate.repeats")
      ->check(CLI::IsMember({"miss", "keep"}));
  c->add_option("--context", evaluate.context,
                "last: a user's context is that of the latest row before the test part; request: that of the user's "
                "first row in it, and its time. Otherwise as evaluate.context")
      ->check(CLI::IsMember({"last", "request"}));
  auto* judged_second = c->add_option("--rescore", evaluate.rescore,
                                      "a second bundle: evaluate the cascade that `retrieve --rescore` searches");
  c->add_option("--rescore-from", evaluate.rescore_from, "candidates of the first bundle that the second reranks")
      ->needs(judged_second)
      ->capture_default_str();
  c->add_option("--per-user", evaluate.per_user,
                "write a Parquet table: a row a user of the test part, with its history, hits and metrics");
  c->add_flag("--no-baselines", evaluate.no_baselines,
              "judge the model alone, without popularity, item-kNN and intervals");
  add_set_option(*c, evaluate.set, "a.b=v over the bundle's config: data.interactions when the files have moved");

  IndexArgs index;
  c = command(app, "index", "rebuild the index of a bundle, or make one from your own vectors",
              "  pagoda index model.pagoda --kind partitioned --recall 0.95 --k 2000\n"
              "  pagoda index --vectors items.npy --ids ids.txt --attributes items.csv -o items.pagoda\n",
              index, run_index);
  c->add_option("model", index.model, "the bundle to rebuild");
  c->add_option("--kind", index.kind,
                "exact: scores every vector; partitioned: scores those near the query, for many items, and implied by "
                "each of its "
                "flags; otherwise as before, and exact for --vectors");
  c->add_option(
      "--recall", index.recall,
      "partitioned: the share of the true top k that a search must find, 1: all; otherwise as before, or 0.95");
  c->add_option("--k", index.k,
                "partitioned: the k that it is calibrated for, among others; otherwise as before, or 1000");
  c->add_option("--queries", index.queries,
                "partitioned: query vectors to calibrate with; otherwise those of the users");
  c->add_option("--lists", index.lists, "partitioned: number of inverted lists (nlist); otherwise about 4 sqrt(items)");
  c->add_option("--seed", index.seed, "partitioned: another seed gives other lists; otherwise 1");
  auto* own = c->add_option("--vectors", index.vectors,
                            "vectors of the items: .npy or .fbin (float32, one row per item), or .parquet");
  auto* ids = c->add_option("--ids", index.ids,
                            "their ids, one a line; otherwise those of the file, or of FILE.ids.txt, or row numbers")
                  ->needs(own);
  c->add_option("--id", index.id, "the column of their ids in a .parquet; item_id, or the only one, otherwise")
      ->needs(own)
      ->excludes(ids);
  c->add_option("--vector", index.vector, "the column of the vectors in a .parquet; the only one otherwise")
      ->needs(own);
  c->add_option("--attributes", index.attributes, "their item table, for filters; joined by its column item_id")
      ->needs(own);
  c->add_option("--metric", index.metric, "inner_product, or cosine (rows to unit length)")
      ->needs(own)
      ->capture_default_str();
  c->add_option("--precision", index.precision,
                "of the stored vectors: f32, or f16 in half the space; otherwise as before, and f32 for --vectors");
  c->add_option("-o,--output", index.output, "the bundle to write");

  EnsembleArgs ensemble;
  c = command(app, "ensemble", "several models as one bundle: the score is the weighted sum of their cosines",
              "  pagoda ensemble a.pagoda b.pagoda --weights 0.7,0.3 -o both.pagoda\n"
              "  pagoda ensemble a.pagoda b.pagoda --choose recall@100 -o both.pagoda\n",
              ensemble, run_ensemble);
  c->add_option("models", ensemble.models, "the bundles, which have one catalogue")->required();
  c->add_option("--weights", ensemble.weights, "one number per bundle, such as 0.7,0.3; otherwise equal weights");
  c->add_option("--choose", ensemble.choose, "choose the weights by this metric on the first bundle's validation part");
  c->add_option("-o,--output", ensemble.output, "the bundle to write")->required();

  RetrieveArgs retrieve;
  c = command(app, "retrieve", "candidates for users",
              "  pagoda retrieve model.pagoda --users users.txt --k 1000 -o candidates.tsv\n"
              "  echo '{\"history\": [\"i7\", \"i9\"]}' | pagoda retrieve model.pagoda --users - --k 20\n"
              "  pagoda retrieve model.pagoda --users users.txt --filter 'year >= 1990 and not seen'\n"
              "  pagoda retrieve model.pagoda --rescore second.pagoda --rescore-from 1000 --users users.txt --k 100\n",
              retrieve, run_retrieve);
  c->add_option("model", retrieve.model, "the bundle")->required();
  c->add_option("--users", retrieve.users,
                "one user a line: an id, or a JSON object with user, history, recent, context, features (- for stdin); "
                "FILE:COLUMN: the ids in a column of a table, each once; all: every user of the model");
  auto* queries =
      c->add_option("--vectors", retrieve.vectors, "query vectors (.npy, .fbin or .parquet) in place of users");
  c->add_option("--id", retrieve.id, "the column of their ids in a .parquet; user_id, or the only one, otherwise")
      ->needs(queries);
  c->add_option("--vector", retrieve.vector, "the column of the vectors in a .parquet; the only one otherwise")
      ->needs(queries);
  c->add_option("--k", retrieve.k, "candidates per user")->capture_default_str();
  c->add_option("--filter", retrieve.filter, "an expression over item attributes");
  c->add_option("--exclude", retrieve.exclude, "seen (the user's history), none, or a file of item ids")
      ->delimiter(',')
      ->capture_default_str();
  auto* second =
      c->add_option("--rescore", retrieve.rescore, "a second bundle, which reranks the best candidates of the first");
  c->add_option("--rescore-from", retrieve.rescore_from, "candidates of the first bundle that the second reranks")
      ->needs(second)
      ->capture_default_str();
  auto* max_unknown = c->add_option(
      "--max-unknown", retrieve.max_unknown,
      "fail when nothing is known of more than this share of the users, 0 to 1; 1: never; by default 0.1, and "
      "1 for fewer than ten lines");
  max_unknown->check(CLI::Range(0.0, 1.0));
  c->add_option("--most-unknown", retrieve.max_unknown, "the former name of --max-unknown")
      ->check(CLI::Range(0.0, 1.0))
      ->group("")
      ->excludes(max_unknown);
  c->add_option("--shards", retrieve.shards,
                "write so many files into the folder of -o; the same command goes on where one was stopped")
      ->check(CLI::Range(1, 100'000))
      ->excludes(queries);
  c->add_flag("--explain", retrieve.explain, "print to stderr what the search read, and how long it took");
  c->add_option("--format", retrieve.format, "jsonl, tsv or parquet; otherwise by the output's extension");
  c->add_option("-o,--output", retrieve.output, "- for stdout")->capture_default_str();

  SimilarArgs similar;
  c = command(app, "similar", "the nearest neighbours of items",
              "  echo i7 | pagoda similar model.pagoda --items - --k 20\n", similar, run_similar);
  c->add_option("model", similar.model, "the bundle")->required();
  c->add_option("--items", similar.items, "one item id a line (- for stdin)")->required();
  c->add_option("--k", similar.k, "neighbours per item")->capture_default_str();
  c->add_option("--format", similar.format, "jsonl, tsv or parquet; otherwise by the output's extension");
  c->add_option("-o,--output", similar.output, "- for stdout")->capture_default_str();

  EncodeArgs encode;
  c = command(app, "encode", "write the towers' vectors with their ids",
              "  pagoda encode model.pagoda items -o items.npy\n  pagoda encode model.pagoda users --input users.jsonl "
              "-o users.parquet\n",
              encode, run_encode);
  c->add_option("model", encode.model, "the bundle")->required();
  c->add_option("what", encode.what, "users or items")->required();
  c->add_option("--input", encode.input,
                "users: lines as for retrieve; items: an item table, also of new items. Otherwise all known ones");
  c->add_option("-o,--output", encode.output, ".npy or .fbin (ids in OUTPUT.ids.txt), or .parquet")->required();

#ifdef PAGODA_SERVER
  ServeArgs serve;
  c = command(app, "serve", "answer requests over HTTP and gRPC",
              "  pagoda serve model.pagoda\n  pagoda serve model.pagoda --http 127.0.0.1:9000 --set serve.k=500\n"
              "  pagoda serve model.pagoda --ui --compare other.pagoda\n",
              serve, run_serve);
  c->add_option("model", serve.model, "the bundle; the server reloads it when another is renamed into its place")
      ->required();
  c->add_option("--http", serve.http, "address and port, in place of serve.http (127.0.0.1:8080)");
  c->add_option("--grpc", serve.grpc, "address and port for gRPC, in place of serve.grpc (none)");
  c->add_flag("--ui", serve.ui, "GET / is a page to explore the model");
  auto* compare = c->add_option("--compare", serve.compare,
                                "a second bundle, whose calls begin with /compare; the page compares both");
  add_former_name(*c, "--beside", compare, serve.compare);
  c->add_option("--keys", serve.keys, "file of API keys, in place of serve.keys");
  c->add_option("-c,--config", serve.config, "a config, whose section [serve] is read");
  add_set_option(*c, serve.set);
#endif

#ifdef PAGODA_STREAM
  StreamArgs stream;
  c = command(app, "stream", "learn from a log that grows, and publish the model as it goes",
              "  pagoda stream -c pagoda.toml --set stream.files=events/ -o live.pagoda\n"
              "  pagoda stream -c pagoda.toml --set stream.topic=clicks --from monday.pagoda -o live.pagoda\n"
              "  pagoda stream -c pagoda.toml --set stream.topic=clicks --set stream.messages=arrow -o live.pagoda\n",
              stream, run_stream_command);
  c->add_option("-c,--config", stream.config, "the config, with a section [stream]")->required();
  c->add_option(
       "-o,--output", stream.output,
       "the bundle that is published; what the stream has learnt lies in OUTPUT.stream, and it goes on from there")
      ->required();
  c->add_option("--from", stream.from, "the bundle to begin with; otherwise with random weights");
  c->add_flag("--once", stream.once, "learn what is there, publish it and end");
  add_set_option(*c, stream.set);

  PublishArgs publish;
  c = command(app, "publish", "which of the models that a stream has published is served",
              "  pagoda publish live.pagoda\n  pagoda publish live.pagoda --rollback\n"
              "  pagoda publish live.pagoda --version 12\n",
              publish, run_publish);
  c->add_option("model", publish.model, "the bundle that the stream publishes")->required();
  auto* rollback = c->add_flag("--rollback", publish.rollback, "serve the version before the one that is served");
  c->add_option("--version", publish.version, "serve this one of those that are kept")->excludes(rollback);
#endif

  ReportArgs report;
  c = command(
      app, "report", "one self-contained page about a model, or several side by side",
      "  pagoda report model.pagoda -o report.html\n  pagoda report plain.pagoda corrected.pagoda -o report.html\n",
      report, run_report);
  c->add_option("models", report.models, "the bundles")->required();
  c->add_option("-o,--output", report.output, "the page")->capture_default_str();

  LabArgs lab;
  c = command(app, "lab", "several training variants side by side: one table, one report",
              "  pagoda lab -c lab.toml -o lab\n"
              "  pagoda lab -c lab.toml --set train.epochs=2 -o quick\n"
              "\nlab.toml:\n"
              "  base = \"pagoda.toml\"\n"
              "  seeds = [1, 2, 3]\n"
              "  tune = { \"loss.temperature\" = [0.05, 0.1, 0.2] }\n"
              "  [[variant]]\n"
              "  name = \"plain\"\n"
              "  set = { \"loss.correction\" = \"none\" }\n"
              "  [[variant]]\n"
              "  name = \"corrected\"\n",
              lab, run_lab_command);
  c->add_option("-c,--config", lab.config, "the lab: a base config and what its variants change")->required();
  c->add_option("-o,--output", lab.output, "folder of the runs, lab.json and report.html; a run in it is continued")
      ->required();
  add_set_option(*c, lab.set, "a.b=v over the base config; may be repeated");

  add_tune_command(app);

  InspectArgs inspect;
  c = command(app, "inspect", "what a bundle contains", "  pagoda inspect model.pagoda --json\n", inspect, run_inspect);
  c->add_option("model", inspect.model, "the bundle")->required();
  c->add_flag("--json", inspect.json, "as JSON");

  add_simulate_command(app);

  DemoArgs demo{.program = argv[0]};
  c = command(app, "demo", "a synthetic world, from its log to a report", "  pagoda demo\n", demo, run_demo);
  c->add_option("--folder", demo.folder, "where its files go")->capture_default_str();

  app.add_subcommand("doctor", "what this machine offers, and whether Pagoda can use it")->callback([] {
    run_doctor();
  });

  add_quiet(app, quiet);

  // For installers and shells; hidden from help and completion.
  std::string shell, folder;
  auto* hidden = app.add_subcommand("completion", "the completion script of a shell")->group("");
  hidden->add_option("shell", shell, "bash, zsh or fish")->required();
  hidden->callback([&] { std::fputs(completion(app, shell).c_str(), stdout); });
  hidden = app.add_subcommand("pages", "manual pages and completion scripts, into a folder")->group("");
  hidden->add_option("folder", folder, "the folder")->required();
  hidden->callback([&] { write_pages(app, folder); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e, std::cout, std::cerr);  // --help, --version
    const auto [command, unknown] = first_unknown_word(app, {argv + 1, argv + argc});
    std::fprintf(stderr, "error: %s; see `%s --help`\n", printable_lines(unknown.empty() ? e.what() : unknown).c_str(),
                 command.c_str());
    return exit_code(ErrorKind::usage);
  }
  return 0;
}

}  // namespace
}  // namespace pagoda::cli

int main(int argc, char** argv) {
  struct sigaction action{};
  action.sa_handler = pagoda::cli::on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // so that reaching a file-size limit is an error with a path
  pagoda::math::take_environment();
  try {
    return pagoda::cli::run(argc, argv);
  } catch (const pagoda::Error& e) {
    pagoda::log_message(pagoda::LogLevel::error, e.what());
    return pagoda::exit_code(e.kind());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "error: out of memory\n");
    return 1;
  } catch (const std::exception& e) {
    pagoda::log_message(pagoda::LogLevel::error, e.what());
    return 1;
  }
}
