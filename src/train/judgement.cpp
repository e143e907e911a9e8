#include "train/judgement.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/config.h"
#include "model/cascade.h"
#include "model/ensemble.h"

namespace pagoda {

Options bundle_options(const Bundle& bundle, const std::vector<std::string>& set) {
  Options options;
  auto config = Config::from_text(bundle.config(), bundle.file().path() + ": section 'config'");
  for (const auto& assignment : set) config.set(assignment);
  config.read([&](Fields& f) { describe(f, options); });
  return options;
}

TestUsers test_users(const Bundle& bundle, const Options& options, const std::vector<std::string>& files) {
  Interactions log;
  std::vector<Part> parts;
  if (files.empty()) {
    auto data = load_dataset(options.data);
    log = std::move(data.log), parts = std::move(data.parts);
  } else {
    auto interactions = interaction_options(options.data);
    interactions.paths = files;
    log = load_interactions(interactions);
  }
  std::vector<uint32_t> item_row(log.items.size());
  for (uint32_t i = 0; i < log.items.size(); ++i) item_row[i] = bundle.item_ids().find(log.items[i]);
  auto relevant = relevant_items(log, item_row, [&](size_t row) { return parts.empty() || parts[row] == Part::test; });
  if (relevant.users.empty())
    fail(ErrorKind::usage, "the test part is empty: data.split keeps none; give interactions to judge by with --data");
  TestUsers test{.ids = {}, .users = {}, .items = std::move(relevant.items), .outside = std::move(relevant.outside)};
  for (const auto user : relevant.users) {
    test.ids.emplace_back(log.users[user]);
    test.users.push_back(bundle.user_ids().find(log.users[user]));
  }
  return test;
}

Judgement judge(ThreadPool& pool, const Bundle& bundle, const TestUsers& test, const std::vector<int64_t>& ks,
                const Bundle* second, size_t rescore_from) {
  const auto start = std::chrono::steady_clock::now();
  if (second) check_cascade_length(static_cast<size_t>(*std::max_element(ks.begin(), ks.end())), rescore_from);
  const auto cascade = second ? make_cascade(bundle, *second, rescore_from) : nullptr;
  const ItemPopularity popularity({bundle.item_counts().begin(), bundle.item_counts().end()});
  Judgement judgement;
  for (const bool strangers : {false, true}) {
    std::vector<uint32_t> users, outside;
    Ragged<uint32_t> items;
    for (size_t i = 0; i < test.users.size(); ++i) {
      const auto user = test.users[i];
      if ((user == Interner::kNone || bundle.user_states().histories[user].empty()) != strangers) continue;
      users.push_back(user), outside.push_back(test.outside[i]), items.push(test.items[i]);
    }
    auto vectors = known_user_vectors(pool, bundle, bundle.user_ids(), users);
    if (second) vectors = cascade_queries(vectors, known_user_vectors(pool, *second, bundle.user_ids(), users));
    (strangers ? judgement.strangers : judgement.known) =
        rank_users(pool, cascade ? *cascade : bundle.index(), vectors, bundle.user_states(), {users, &items, outside},
                   ks, popularity);
  }
  judgement.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto json = nlohmann::ordered_json::parse(
      ranking_json(judgement.known, {"test", bundle.info().chosen_on, judgement.seconds, bundle.fingerprint()}));
  json["refit"] = bundle.info().refit;
  json["uses_order"] = bundle.info().uses_order;
  if (second) json["rescored_by"] = {{"fingerprint", second->fingerprint()}, {"from", rescore_from}};
  auto& unknown = json["unknown_users"];
  unknown["users"] = judgement.strangers.users;
  for (size_t i = 0; i < judgement.strangers.ks.size(); ++i)
    unknown[fmt::format("recall@{}", judgement.strangers.ks[i])] = judgement.strangers.recall[i];
  judgement.json = json.dump(1);
  return judgement;
}

}  // namespace pagoda
