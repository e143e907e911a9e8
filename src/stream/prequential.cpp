#include "stream/prequential.h"

#include <algorithm>
#include <map>

#include "evaluate/baselines.h"
#include "evaluate/evaluation.h"
#include "model/ensemble.h"

namespace pagoda::stream {

SegmentJudgement judge_segment(ThreadPool& pool, const model::Bundle& bundle, const std::vector<Event>& events,
                               const dataset::EvaluateOptions& options, size_t most_users) {
  struct Judged {
    uint32_t user;
    std::vector<uint32_t> items;
    std::vector<std::string> outside;
  };
  std::vector<Judged> judged;
  std::map<uint32_t, size_t> at;  // user of the bundle to its place in `judged`
  const auto& states = bundle.user_states();
  for (const auto& event : events) {
    const uint32_t user = bundle.user_ids().find(event.user);
    if (user == columns::Interner::kNone || states.histories[user].empty()) continue;
    if (!at.contains(user) && judged.size() >= most_users) continue;
    const auto [place, added] = at.emplace(user, judged.size());
    if (added) judged.push_back({user, {}, {}});
    auto& of = judged[place->second];
    const uint32_t item = bundle.item_ids().find(event.item);
    if (item == columns::Interner::kNone)
      of.outside.push_back(event.item);
    else
      of.items.push_back(item);
  }
  std::vector<uint32_t> users, outside;
  math::Ragged<uint32_t> items;
  for (auto& of : judged) {
    const auto distinct = [](auto& list) {
      std::ranges::sort(list);
      list.erase(std::unique(list.begin(), list.end()), list.end());
    };
    distinct(of.items);
    distinct(of.outside);
    const auto history = states.histories[of.user];
    const bool reachable =
        options.repeats == dataset::Repeats::keep || !of.outside.empty() ||
        std::ranges::any_of(of.items, [&](uint32_t item) { return std::ranges::find(history, item) == history.end(); });
    if (!reachable) continue;
    users.push_back(of.user);
    items.push(of.items);
    outside.push_back(static_cast<uint32_t>(of.outside.size()));
  }
  SegmentJudgement out;
  out.ks = options.k;
  if (users.empty()) return out;
  const auto vectors = model::known_user_vectors(pool, bundle, bundle.user_ids(), users);
  const evaluate::ItemPopularity popularity({bundle.item_counts().begin(), bundle.item_counts().end()});
  const evaluate::EvaluationInput input{users, &items, outside, options.repeats};
  const auto model = evaluate::rank_users(pool, bundle.index(), vectors, states, input, options.k, popularity);
  const auto popular = evaluate::rank_by_popularity(pool, states, input, options.k, popularity);
  out.users = model.users;
  for (const int64_t k : options.k) {
    const auto place = std::ranges::find(model.ks, static_cast<size_t>(k)) - model.ks.begin();
    out.recall.push_back(model.recall[static_cast<size_t>(place)]);
    out.popularity.push_back(popular.recall[static_cast<size_t>(place)]);
  }
  return out;
}

}  // namespace pagoda::stream
