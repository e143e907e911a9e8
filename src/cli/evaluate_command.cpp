#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "core/file.h"
#include "core/log.h"
#include "core/warnings.h"
#include "evaluate/bundle_evaluation.h"
#include "files/byte_sink.h"
#include "retrieval/journal.h"
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

// A figure, or "-" where nobody could be judged.
std::string figure(double value, int digits = 4) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, digits);
}

void print_table(const evaluate::BundleEvaluation& judgement) {
  const auto& r = judgement.known;
  std::printf("%12s %10s %10s %10s %10s %10s\n", "", "recall", "ndcg", "hit_rate", "mrr", "coverage");
  for (size_t i = 0; i < r.ks.size(); ++i)
    std::printf("%12s %10s %10s %10s %10s %10s\n", fmt::format("@{}", r.ks[i]).c_str(), figure(r.recall[i]).c_str(),
                figure(r.ndcg[i]).c_str(), figure(r.hit_rate[i]).c_str(), figure(r.mrr[i]).c_str(),
                figure(r.coverage[i]).c_str());
  if (r.users == 0) return;
  const auto print_buckets = [&](const char* by, const std::vector<evaluate::ItemBucket>& buckets) {
    std::printf("\nrecall@%zu by %s\n", r.ks[0], by);
    for (const auto& b : buckets)
      std::printf("%12s %10s  of %lu test rows; %lu items\n", b.name.c_str(), figure(b.recall[0]).c_str(),
                  b.test_positives, b.items);
  };
  print_buckets("popularity of the item", r.by_item_popularity);
  print_buckets("tenths of the training rows, hottest first", r.by_popularity_decile);
  if (!r.by_item_age.empty()) {
    const auto by = "age of the item (" + judgement.first_seen.source + ")";
    print_buckets(by.c_str(), r.by_item_age);
  }
  if (r.zero_train_positives.items > 0) print_buckets("rows in training", {r.zero_train_positives});

  std::printf("\nhealth\n");
  std::printf("  mean cosine of two items %s, of two users %s\n", figure(judgement.mean_cosine_items).c_str(),
              figure(judgement.mean_cosine_users).c_str());
  const auto& t = judgement.training;
  if (!t || t->examples == 0) return;
  std::printf("  columns a step %.0f, worth %.0f different items; accidental hits %.4f%%\n", t->columns,
              t->effective_negatives, 100 * t->accidental_hit_rate);
  for (size_t i = 0; i < t->ks.size(); ++i)
    std::printf("  recall@%zu of training rows: %.4f among the batch's columns, %.4f in the catalogue\n", t->ks[i],
                t->batch_recall[i], t->catalogue_recall[i]);
}

std::string with_warnings(const std::string& figures) {
  auto json = nlohmann::ordered_json::parse(figures);
  json["warnings"] = warnings_so_far();
  return json.dump(1);
}

}  // namespace

void run_evaluate(const EvaluateArgs& args) {
  files::check_output_name(args.json);
  const auto bundle = model::Bundle::open(args.model);
  if (const auto journal = retrieval::journal_path(args.model); file_exists(journal))
    log_info("{} is not read: the bundle is judged with the items that it was trained with", journal);
  bundle->members();  // a bundle of bare vectors has no users to judge by
  const auto second = args.rescore.empty() ? nullptr : model::Bundle::open(args.rescore);
  const auto options = evaluate::bundle_options(*bundle, args.set);
  const auto ks = args.k.empty() ? options.evaluate.k : parse_list_lengths(args.k);
  const auto test =
      evaluate::test_users(*bundle, options, args.data.empty() ? std::vector<std::string>{} : std::vector{args.data});
  ThreadPool pool(0);
  const auto repeats = args.repeats.empty()     ? options.evaluate.repeats
                       : args.repeats == "keep" ? dataset::Repeats::keep
                                                : dataset::Repeats::miss;
  const auto judgement =
      evaluate::evaluate_bundle(pool, *bundle, test,
                                {.ks = ks,
                                 .repeats = repeats,
                                 .second = second.get(),
                                 .rescore_from = static_cast<size_t>(std::max<int64_t>(0, args.rescore_from))});
  const auto items = static_cast<int64_t>(bundle->item_ids().size());
  std::vector<int64_t> too_long;
  std::ranges::copy_if(ks, std::back_inserter(too_long),
                       [&](int64_t k) { return !evaluate::tells_models_apart(k, items); });
  if (!too_long.empty())
    log_warning("figures @{} tell little: of {} items such a list holds more than half, whatever the model",
                fmt::join(too_long, " and @"), items);
  const auto json = with_warnings(judgement.json);
  if (args.json == "-") {
    std::printf("%s\n", json.c_str());
  } else {
    print_table(judgement);
    if (!args.json.empty()) files::write_text(args.json, json + "\n");
  }
  log_info("{} users against {} items in {:.2f} s; {} users unknown to the model are judged apart",
           judgement.known.users, judgement.known.items, judgement.seconds, judgement.unknown_users.users);
  // The figures of the bundle's own test part are kept beside it, for report and inspect.
  if (!args.data.empty() || second) return;
  try {
    model::write_metrics(args.model, judgement.json);
  } catch (const Error& e) {  // on a disk that is full or read-only, the figures above still stand
    log_warning("these figures are not kept: {}", e.what());
  }
}

}  // namespace pagoda::cli
