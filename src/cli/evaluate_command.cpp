#include <charconv>
#include <cstdio>

#include "cli/commands.h"
#include "core/file.h"
#include "core/log.h"
#include "train/judgement.h"

namespace pagoda {

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

void print_table(const RankingReport& r) {
  std::printf("%12s %10s %10s %10s %10s %10s\n", "", "recall", "ndcg", "hit_rate", "mrr", "coverage");
  for (size_t i = 0; i < r.ks.size(); ++i)
    std::printf("%12s %10.4f %10.4f %10.4f %10.4f %10.4f\n", fmt::format("@{}", r.ks[i]).c_str(), r.recall[i],
                r.ndcg[i], r.hit_rate[i], r.mrr[i], r.coverage[i]);
  std::printf("\nrecall@%zu by popularity of the item\n", r.ks[0]);
  for (const auto& b : r.by_item_popularity)
    std::printf("%12s %10.4f  of %lu test rows\n", b.name.c_str(), b.recall[0], b.test_positives);
}

}  // namespace

void run_evaluate(const EvaluateArgs& args) {
  const auto bundle = Bundle::open(args.model);
  bundle->members();  // a bundle of bare vectors has no users to judge by
  const auto second = args.rescore.empty() ? nullptr : Bundle::open(args.rescore);
  const auto options = bundle_options(*bundle, args.set);
  const auto ks = args.k.empty() ? options.evaluate.k : parse_list_lengths(args.k);
  const auto test =
      test_users(*bundle, options, args.data.empty() ? std::vector<std::string>{} : std::vector{args.data});
  ThreadPool pool(0);
  const auto judgement =
      judge(pool, *bundle, test, ks, second.get(), static_cast<size_t>(std::max<int64_t>(0, args.rescore_from)));
  if (args.json == "-") {
    std::printf("%s\n", judgement.json.c_str());
  } else {
    print_table(judgement.known);
    if (!args.json.empty()) write_file(args.json, judgement.json + "\n");
  }
  log_info("{} users against {} items in {:.2f} s; {} users unknown to the model are judged apart",
           judgement.known.users, judgement.known.items, judgement.seconds, judgement.strangers.users);
  // The bundle keeps the figures of its own test part, for report and inspect.
  if (!args.data.empty() || second) return;
  try {
    rewrite_bundle(args.model, args.model, {{"metrics", judgement.json}});
  } catch (const Error& e) {  // on a disk that is full or read-only, the figures above still stand
    log_warning("the bundle does not keep these figures: {}", e.what());
  }
}

}  // namespace pagoda
