#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "core/file.h"
#include "core/log.h"
#include "core/warnings.h"
#include "evaluate/bundle_evaluation.h"
#include "evaluate/comparison_table.h"
#include "evaluate/judged_model.h"
#include "files/byte_sink.h"
#include "retrieval/item_journal.h"
#include "train/suited.h"

namespace pagoda::cli {

namespace {

std::vector<int64_t> parse_list_lengths(const std::string& text) {
  std::vector<int64_t> ks;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    int64_t k = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + comma, k);
    if (error != std::errc() || end != text.data() + comma || k < 1)
      fail(ErrorKind::usage, "--k {}: write list lengths such as 20,100,1000", text);
    ks.push_back(k);
    at = comma + 1;
  }
  return ks;
}

using Json = nlohmann::ordered_json;

// A figure of an object, or "-" if there is none.
std::string figure(const Json& of, const std::string& name) {
  const auto found = of.find(name);
  return found != of.end() && found->is_number() ? fmt::format("{:.4f}", found->get<double>()) : "-";
}

// The JSON of `pagoda evaluate`, new or kept since the training.
void print_table(const Json& j) {
  const Json& metrics = j.at("metrics");
  std::vector<std::string> ks;  // "@20"
  for (const auto& [name, value] : metrics.items())
    if (name.starts_with("recall@")) ks.push_back(name.substr(6));
  std::printf("%12s", "");
  for (const auto name : evaluate::kMetricNames) std::printf(" %10s", std::string(name).c_str());
  std::printf(" %10s\n", "coverage");
  for (const auto& k : ks) {
    std::printf("%12s", k.c_str());
    for (const auto name : evaluate::kMetricNames) std::printf(" %10s", figure(metrics, std::string(name) + k).c_str());
    std::printf(" %10s\n", figure(j, "coverage" + k).c_str());
  }
  if (const auto lines = evaluate::comparison_table(j.dump()); !lines.empty()) {
    std::printf("\n");
    for (const auto& line : lines) std::printf("%s\n", line.c_str());
  }
  if (j.at("users") == 0) return;
  const auto recall = "recall" + ks[0];
  const auto print_bucket = [&](const std::string& name, const Json& b) {
    std::printf("%12s %10s  of %lu test rows; %lu items\n", name.c_str(), figure(b, recall).c_str(),
                b.at("test_positives").get<uint64_t>(), b.at("items").get<uint64_t>());
  };
  const auto print_buckets = [&](const std::string& by, const char* key, const char* name) {
    std::printf("\n%s by %s\n", recall.c_str(), by.c_str());
    for (const auto& b : j.at(key)) print_bucket(b.at(name), b);
  };
  print_buckets("popularity of the item", "by_item_popularity", "bucket");
  print_buckets("tenths of the training rows, hottest first", "by_popularity_decile", "decile");
  if (!j.at("by_item_age").empty())
    print_buckets("age of the item (" + j.at("item_age_source").get<std::string>() + ")", "by_item_age", "age");
  const Json& zero = j.at("zero_train_positives");
  if (zero.at("items") > 0) {
    std::printf("\n%s by rows in training\n", recall.c_str());
    print_bucket("no train positives", zero);
  }

  const Json& health = j.at("health");
  std::printf("\nhealth\n");
  std::printf("  mean cosine of two items %s, of two users %s\n", figure(health, "mean_cosine_items").c_str(),
              figure(health, "mean_cosine_users").c_str());
  if (!health.contains("replayed_examples")) return;
  std::printf("  columns a step %.0f, worth %.0f different items; accidental hits %.4f%%\n",
              health.value("columns", 0.0), health.value("effective_negatives", 0.0),
              100 * health.value("accidental_hit_rate", 0.0));
  for (const auto& k : ks)
    if (health.contains("batch_recall" + k))
      std::printf("  recall%s of training rows: %s among the batch's columns, %s in the catalogue\n", k.c_str(),
                  figure(health, "batch_recall" + k).c_str(), figure(health, "catalogue_recall" + k).c_str());
}

void say_whose_figures(const model::Bundle& served) {
  log_info(
      "{} has learnt from all {} rows; the figures are those of the model that was judged before, trained alike on {} "
      "rows: train.refit = \"all\"",
      served.file().path(), served.info().training_rows, served.judged()->training_rows);
}

// Whether the figures that training stored in the bundle answer the call.
bool may_keep_to_stored(const EvaluateArgs& args, const model::Bundle& served) {
  const bool asks_more = !args.k.empty() || !args.repeats.empty() || !args.context.empty() || !args.rescore.empty() ||
                         !args.set.empty() || !args.per_user.empty() || args.user_table;
  return served.judged() && !asks_more && !served.file().text("metrics").empty();
}

}  // namespace

EvaluatedModel evaluate_model(const EvaluateArgs& args) {
  const auto served = model::Bundle::open(args.model);
  if (const auto journal = retrieval::item_journal_path(args.model); file_exists(journal))
    log_info("{} is not read: the bundle is judged with the items that it was trained with", journal);
  served->members();  // throws for a bundle of bare vectors, which has no users to evaluate
  auto bundle = served, second = args.rescore.empty() ? nullptr : model::Bundle::open(args.rescore);
  if (args.data.empty()) {  // by the test part, so with a model that has not seen it
    if (served->info().all_rows) bundle = evaluate::open_judged(*served);
    if (!bundle && may_keep_to_stored(args, *served)) {
      say_whose_figures(*served);
      log_info("{} is not there: these are the figures kept when it was trained", evaluate::judged_path(args.model));
      return {.json = std::string(served->file().text("metrics")), .users = {}};
    }
    if (!bundle) evaluate::check_test_is_unseen(*served);
    if (bundle != served) say_whose_figures(*served);
    if (second) second = evaluate::need_judged(second);
  }
  const auto options = evaluate::bundle_options(*bundle, args.set);
  const auto ks = args.k.empty() ? options.evaluate.k : parse_list_lengths(args.k);
  const auto test =
      evaluate::test_users(*bundle, options, args.data.empty() ? std::vector<std::string>{} : std::vector{args.data});
  ThreadPool pool(0);
  const auto repeats = args.repeats.empty()     ? options.evaluate.repeats
                       : args.repeats == "keep" ? dataset::Repeats::keep
                                                : dataset::Repeats::miss;
  const auto context = args.context.empty()     ? options.evaluate.context
                       : args.context == "last" ? dataset::JudgedContext::last
                                                : dataset::JudgedContext::request;
  if (context == dataset::JudgedContext::request && test.requests.nothing_known())
    log_warning("the log has neither times nor columns of data.context: --context request judges as --context last");
  auto judgement =
      evaluate::evaluate_bundle(pool, *bundle, test,
                                {.ks = ks,
                                 .repeats = repeats,
                                 .context = context,
                                 .second = second.get(),
                                 .rescore_from = static_cast<size_t>(std::max<int64_t>(0, args.rescore_from)),
                                 .baselines = options.evaluate.baselines && !args.no_baselines,
                                 .user_table = args.user_table || !args.per_user.empty()});
  if (!args.per_user.empty()) evaluate::write_user_table(args.per_user, judgement.users);
  const auto items = static_cast<int64_t>(bundle->item_ids().size());
  std::vector<int64_t> too_long;
  std::ranges::copy_if(ks, std::back_inserter(too_long),
                       [&](int64_t k) { return !evaluate::tells_models_apart(k, items); });
  if (!too_long.empty())
    log_warning("figures @{} tell little: of {} items such a list holds more than half, whatever the model",
                fmt::join(too_long, " and @"), items);
  log_info("{} users against {} items in {:.2f} s; {} users unknown to the model are judged apart",
           judgement.known.users, judgement.known.items, judgement.seconds, judgement.unknown_users.users);
  EvaluatedModel result{.json = std::move(judgement.json), .users = std::move(judgement.users)};
  // Keeps the figures of the bundle's own test part, for report and inspect.
  if (!args.data.empty() || second) return result;
  try {
    model::write_metrics(args.model, result.json);  // of the judged model, which the bundle names
  } catch (const Error& e) {                        // a full or read-only disk; the figures are valid
    log_warning("these figures are not kept: {}", e.what());
  }
  return result;
}

void run_evaluate(const EvaluateArgs& args) {
  files::check_output_name(args.json);
  files::check_not_compressed(args.per_user, "a Parquet table");
  const auto evaluated = evaluate_model(args);
  auto figures = Json::parse(evaluated.json);
  const auto told = [&] {
    figures["warnings"] = warnings_so_far();
    return figures.dump(1);
  };
  if (args.json == "-") {
    std::printf("%s\n", told().c_str());
    return;
  }
  print_table(figures);
  if (!args.json.empty()) files::write_text(args.json, told() + "\n");
}

}  // namespace pagoda::cli
