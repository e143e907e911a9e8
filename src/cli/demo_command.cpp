#include <cstdio>

#include "cli/commands.h"
#include "cli/report_input.h"
#include "cli/results.h"
#include "core/log.h"
#include "evaluate/judged_model.h"
#include "retrieval/options.h"
#include "retrieval/retrieval.h"
#include "simulate/world.h"
#include "train/training.h"

namespace pagoda::cli {

namespace {

dataset::Options demo_options(const simulate::WorldSummary& world) {
  dataset::Options o;
  o.data.interactions = {world.interactions};
  o.data.time = "ts";
  o.data.items = world.items;
  o.data.split = {.kind = data::SplitKind::time, .validation = "7d", .test = "7d"};
  o.towers.item.features = {{.column = "title", .kind = features::FeatureKind::text, .hash_buckets = 8192},
                            {.column = "genres", .kind = features::FeatureKind::multi},
                            {.column = "author", .kind = features::FeatureKind::categorical}};
  o.towers.item.hidden = {64};
  o.towers.user.hidden = {64};
  o.train.batch = 2048;
  o.train.epochs = 6;
  o.train.choose_by = "recall@20";
  o.evaluate.k = {20, 100};
  return o;
}

void print_user(const retrieval::Retrieval& retrieval, ThreadPool& pool, const evaluate::TestUsers& test) {
  const auto& bundle = retrieval.bundle();
  uint32_t user = 0;
  for (const auto& id : test.ids)
    if (const auto u = bundle.user_ids().find(id);
        u != columns::Interner::kNone && bundle.user_states().histories[u].size() >= 8) {
      user = u;
      break;
    }
  retrieval::RetrieveRequest request;
  request.user = std::string(bundle.user_ids()[user]);
  const auto answer = retrieval.retrieve(pool, {request}, {.k = 20});
  const auto history = bundle.user_states().histories[user];
  std::printf("\n  user %s\n\n  %-44s  %s\n", request.user->c_str(), "watched, latest first",
              "first twenty candidates");
  for (size_t i = 0; i < 20; ++i) {
    const auto left = i < history.size() ? title_of(bundle, history[history.size() - 1 - i]) : "";
    const auto right = i < answer.found.items[0].size() ? title_of(bundle, answer.found.items[0][i]) : "";
    std::printf("  %-44s  %2zu  %s\n", left.c_str(), i + 1, right.c_str());
  }
}

}  // namespace

void run_demo(const DemoArgs& args) {
  ThreadPool pool(0);
  make_folder(args.folder);
  log_info("simulating a world in {}/world", args.folder);
  const auto world =
      simulate::simulate_world(pool, {.interactions = 200000, .seed = 1, .format = "parquet"}, args.folder + "/world");
  report::ReportInput input;
  input.title = "Pagoda on a synthetic world";
  input.introduction =
      "The same towers trained twice: with the plain softmax, whose in-batch negatives punish popular items for being "
      "popular, and with the sampling-bias correction.";
  struct Row {
    std::string name;
    evaluate::RankingReport report;
  };
  std::vector<Row> rows;
  std::shared_ptr<const model::Bundle> last;
  evaluate::TestUsers test;
  for (const bool corrected : {false, true}) {
    const std::string name = corrected ? "corrected" : "plain";
    const auto path = args.folder + "/" + name + ".pagoda";
    auto options = demo_options(world);
    options.loss.correction = corrected ? loss::Correction::standard : loss::Correction::none;
    log_info("training: {}", corrected ? "softmax with sampling-bias correction" : "plain softmax");
    train::train(options, path, {}, interrupted);
    last = model::Bundle::open(path);
    const auto judged = evaluate::need_judged(last);
    test = evaluate::test_users(*judged, options, {});
    auto judgement = evaluate::evaluate_bundle(pool, *judged, test, {.ks = options.evaluate.k});
    model::write_metrics(path, judgement.json);
    last = model::Bundle::open(path);
    add_model(pool, name, {.served = last, .judged = judged}, test, input);
    rows.push_back({name, std::move(judgement.known)});
  }
  const auto report = args.folder + "/report.html";
  write_file(report, report::render_report(input));
  print_user(retrieval::Retrieval(last), pool, test);
  std::printf("\n  %-12s %12s %12s %12s %22s\n", "", "recall@20", "recall@100", "ndcg@20", "recall@20, top 1% items");
  for (const auto& row : rows)
    std::printf("  %-12s %12.4f %12.4f %12.4f %22.4f\n", row.name.c_str(), row.report.recall[0], row.report.recall[1],
                row.report.ndcg[0], row.report.by_item_popularity[0].recall[0]);
  std::printf("\n  models  %s/plain.pagoda, %s/corrected.pagoda\n  report  %s\n", args.folder.c_str(),
              args.folder.c_str(), report.c_str());
  std::printf("  page    %s serve %s/corrected.pagoda --compare %s/plain.pagoda --ui, then open http://%s/\n",
              args.program.c_str(), args.folder.c_str(), args.folder.c_str(), retrieval::ServeOptions{}.http.c_str());
}

}  // namespace pagoda::cli
