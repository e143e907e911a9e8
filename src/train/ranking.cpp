#include "train/ranking.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace pagoda {
namespace {

constexpr size_t kActivityBuckets = 5;

double discount(size_t rank) { return 1.0 / std::log2(static_cast<double>(rank) + 1.0); }

void add_to(AtK& sum, const AtK& more) {
  for (size_t k = 0; k < sum.size(); ++k) sum[k] += more[k];
}

AtK over(const AtK& sum, uint64_t n) {
  AtK mean(sum.size(), 0.0);
  if (n > 0)
    for (size_t k = 0; k < sum.size(); ++k) mean[k] = sum[k] / static_cast<double>(n);
  return mean;
}

// G = 2 sum_i i x_i / (n sum x) - (n + 1) / n over the counts in rising order, i from 1; 0 when nothing was counted.
double gini(std::vector<uint32_t> counts) {
  std::sort(counts.begin(), counts.end());
  double weighted = 0, sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    weighted += static_cast<double>(i + 1) * counts[i];
    sum += counts[i];
  }
  const double n = static_cast<double>(counts.size());
  return sum > 0 ? 2.0 * weighted / (n * sum) - (n + 1.0) / n : 0.0;
}

}  // namespace

ItemPopularity::ItemPopularity(std::vector<uint32_t> train_counts)
    : counts_(std::move(train_counts)), buckets_(counts_.size()), long_tail_(counts_.size()) {
  const size_t n = counts_.size();
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return counts_[a] > counts_[b]; });
  const auto share = [&](size_t percent) { return (n * percent + 99) / 100; };  // rounded up: no top is empty
  for (size_t i = 0; i < n; ++i) {
    buckets_[order[i]] = static_cast<uint8_t>((i >= share(1)) + (i >= share(5)) + (i >= share(20)) + (i >= share(50)));
    long_tail_[order[i]] = i >= share(20);
  }
}

const char* ItemPopularity::bucket_name(size_t bucket) {
  constexpr const char* kNames[kBuckets] = {"top 1%", "1-5%", "5-20%", "20-50%", "bottom 50%"};
  return kNames[bucket];
}

RankingAccumulator::RankingAccumulator(std::vector<size_t> ks, const ItemPopularity& popularity)
    : ks_(std::move(ks)), popularity_(&popularity) {
  check(!ks_.empty() && ks_[0] > 0 && std::adjacent_find(ks_.begin(), ks_.end(), std::greater_equal<>()) == ks_.end(),
        "K rise from 1");
  recall_.assign(ks_.size(), 0.0);
  ndcg_ = hit_rate_ = mrr_ = recall_;
  buckets_.assign(ItemPopularity::kBuckets + 1, {.positives = 0, .hits = std::vector<uint64_t>(ks_.size(), 0)});
  exposure_.assign(ks_.size(), std::vector<uint32_t>(popularity.items(), 0));
}

void RankingAccumulator::keep_users(UserMetrics* users) {
  for (auto* metric : {&users->recall, &users->ndcg, &users->hit_rate, &users->mrr}) metric->resize(ks_.size());
  kept_ = users;
}

// Fills hits_ with the relevant items of the list, at the ranks where their groups of equal scores leave them.
void RankingAccumulator::find_hits(const RankedUser& user) {
  hits_.clear();
  const size_t n = user.items.size();
  const bool complete = n <= ks_.back();
  for (size_t begin = 0; begin < n && begin < ks_.back();) {
    size_t end = begin + 1;
    while (end < n && user.scores[end] == user.scores[begin]) ++end;
    if (end < n || complete) {
      const size_t first = hits_.size();
      for (size_t i = begin; i < end; ++i)
        if (std::binary_search(user.relevant.begin(), user.relevant.end(), user.items[i]))
          hits_.emplace_back(0, user.items[i]);
      for (size_t h = first; h < hits_.size(); ++h) hits_[h].first = end - (hits_.size() - h) + 1;
    }
    begin = end;
  }
}

void RankingAccumulator::add(const RankedUser& user) {
  check(user.items.size() == user.scores.size(), "each ranked item has its score");
  const size_t relevant = user.relevant.size() + user.relevant_outside;
  if (relevant == 0) return;
  ++users_;
  test_positives_ += relevant, outside_ += user.relevant_outside;

  find_hits(user);
  auto& activity = by_history_[user.history];
  if (activity.recall.empty()) activity.recall.assign(ks_.size(), 0.0);
  ++activity.users;
  double dcg = 0, ideal = 0;
  size_t h = 0, rank = 0;
  for (size_t k = 0; k < ks_.size(); ++k) {
    for (; h < hits_.size() && hits_[h].first <= ks_[k]; ++h) dcg += discount(hits_[h].first);
    for (; rank < std::min(ks_[k], relevant); ++rank) ideal += discount(rank + 1);
    const double recall = static_cast<double>(h) / static_cast<double>(relevant);
    recall_[k] += recall;
    activity.recall[k] += recall;
    ndcg_[k] += dcg / ideal;
    if (h > 0) hit_rate_[k] += 1.0, mrr_[k] += 1.0 / static_cast<double>(hits_[0].first);
    if (kept_) {
      kept_->recall[k].push_back(recall), kept_->ndcg[k].push_back(dcg / ideal);
      kept_->hit_rate[k].push_back(h > 0),
          kept_->mrr[k].push_back(h > 0 ? 1.0 / static_cast<double>(hits_[0].first) : 0);
    }
    for (const uint32_t item : user.items.first(std::min(ks_[k], user.items.size()))) ++exposure_[k][item];
  }

  auto& unseen = buckets_[ItemPopularity::kBuckets];
  for (const uint32_t item : user.relevant) {
    ++buckets_[popularity_->bucket(item)].positives;
    if (popularity_->count(item) == 0) ++unseen.positives;
  }
  for (const auto& [at, item] : hits_)
    for (size_t k = 0; k < ks_.size(); ++k) {
      if (at > ks_[k]) continue;
      ++buckets_[popularity_->bucket(item)].hits[k];
      if (popularity_->count(item) == 0) ++unseen.hits[k];
    }
}

void RankingAccumulator::merge(const RankingAccumulator& later) {
  check(ks_ == later.ks_ && popularity_ == later.popularity_, "parts of one evaluation");
  users_ += later.users_, test_positives_ += later.test_positives_, outside_ += later.outside_;
  add_to(recall_, later.recall_);
  add_to(ndcg_, later.ndcg_);
  add_to(hit_rate_, later.hit_rate_);
  add_to(mrr_, later.mrr_);
  for (size_t b = 0; b < buckets_.size(); ++b) {
    buckets_[b].positives += later.buckets_[b].positives;
    for (size_t k = 0; k < ks_.size(); ++k) buckets_[b].hits[k] += later.buckets_[b].hits[k];
  }
  for (const auto& [length, more] : later.by_history_) {
    auto& activity = by_history_[length];
    if (activity.recall.empty()) activity.recall.assign(ks_.size(), 0.0);
    activity.users += more.users;
    add_to(activity.recall, more.recall);
  }
  for (size_t k = 0; k < ks_.size(); ++k)
    for (size_t i = 0; i < popularity_->items(); ++i) exposure_[k][i] += later.exposure_[k][i];
}

PopularityBucket RankingAccumulator::bucket_report(const HitCount& count) const {
  PopularityBucket bucket;
  bucket.test_positives = count.positives;
  bucket.recall = over(AtK(count.hits.begin(), count.hits.end()), count.positives);
  return bucket;
}

RankingReport RankingAccumulator::report() const {
  RankingReport report;
  report.ks = ks_, report.users = users_, report.items = popularity_->items();
  report.test_positives = test_positives_, report.outside_catalogue = outside_;
  report.recall = over(recall_, users_), report.ndcg = over(ndcg_, users_);
  report.hit_rate = over(hit_rate_, users_), report.mrr = over(mrr_, users_);

  for (size_t b = 0; b < ItemPopularity::kBuckets; ++b) {
    report.by_item_popularity.push_back(bucket_report(buckets_[b]));
    report.by_item_popularity[b].name = ItemPopularity::bucket_name(b);
  }
  report.zero_train_positives = bucket_report(buckets_[ItemPopularity::kBuckets]);
  report.zero_train_positives.name = "no train positives";
  for (uint32_t i = 0; i < popularity_->items(); ++i) {
    auto& bucket = report.by_item_popularity[popularity_->bucket(i)];
    ++bucket.items, bucket.train_positives += popularity_->count(i);
    report.zero_train_positives.items += popularity_->count(i) == 0;
  }

  // A part ends with the length that brings the users so far to the next fifth.
  ActivityBucket part;
  AtK sum(ks_.size(), 0.0);
  uint64_t before = 0, next = 1;
  for (const auto& [length, activity] : by_history_) {
    if (part.users == 0) part.shortest = length;
    part.longest = length;
    part.users += activity.users, before += activity.users;
    add_to(sum, activity.recall);
    if (before * kActivityBuckets < users_ * next) continue;
    next = before * kActivityBuckets / users_ + 1;
    part.recall = over(sum, part.users);
    report.by_user_activity.push_back(std::exchange(part, {}));
    sum.assign(ks_.size(), 0.0);
  }

  for (size_t k = 0; k < ks_.size(); ++k) {
    uint64_t shown = 0, total = 0, tail = 0, popularity = 0;
    std::array<uint64_t, ItemPopularity::kBuckets> by_bucket{};
    for (uint32_t i = 0; i < popularity_->items(); ++i) {
      const uint64_t times = exposure_[k][i];
      shown += times > 0, total += times;
      by_bucket[popularity_->bucket(i)] += times;
      popularity += times * popularity_->count(i);
      if (popularity_->in_long_tail(i)) tail += times;
    }
    const auto share = [](uint64_t a, uint64_t b) { return b ? static_cast<double>(a) / static_cast<double>(b) : 0.0; };
    report.coverage.push_back(share(shown, popularity_->items()));
    report.gini.push_back(gini(exposure_[k]));
    report.average_popularity.push_back(share(popularity, total));
    report.long_tail_share.push_back(share(tail, total));
    for (size_t b = 0; b < by_bucket.size(); ++b)
      report.by_item_popularity[b].recommended.push_back(share(by_bucket[b], total));
  }
  return report;
}

std::string ranking_json(const RankingReport& report, const EvaluationRun& run) {
  using Json = nlohmann::ordered_json;
  const auto put = [&](Json& json, const char* name, const AtK& values) {
    for (size_t k = 0; k < report.ks.size(); ++k) json[fmt::format("{}@{}", name, report.ks[k])] = values[k];
  };
  Json json;
  json["split"] = run.split;
  json["users"] = report.users;
  json["items"] = report.items;
  json["chosen_on"] = run.chosen_on;
  json["test_positives"] = report.test_positives;
  json["test_positives_outside_catalogue"] = report.outside_catalogue;
  Json metrics;
  put(metrics, "recall", report.recall);
  put(metrics, "ndcg", report.ndcg);
  put(metrics, "hit_rate", report.hit_rate);
  put(metrics, "mrr", report.mrr);
  json["metrics"] = std::move(metrics);
  json["by_item_popularity"] = Json::array();
  for (const auto& bucket : report.by_item_popularity) {
    Json entry{{"bucket", bucket.name},
               {"items", bucket.items},
               {"test_positives", bucket.test_positives},
               {"train_positives", bucket.train_positives}};
    put(entry, "recall", bucket.recall);
    put(entry, "recommended", bucket.recommended);
    json["by_item_popularity"].push_back(std::move(entry));
  }
  const auto& zero = report.zero_train_positives;
  json["zero_train_positives"] = Json{{"items", zero.items}, {"test_positives", zero.test_positives}};
  put(json["zero_train_positives"], "recall", zero.recall);
  json["by_user_activity"] = Json::array();
  for (const auto& bucket : report.by_user_activity) {
    Json entry{{"shortest_history", bucket.shortest}, {"longest_history", bucket.longest}, {"users", bucket.users}};
    put(entry, "recall", bucket.recall);
    json["by_user_activity"].push_back(std::move(entry));
  }
  put(json, "coverage", report.coverage);
  put(json, "gini", report.gini);
  put(json, "average_popularity", report.average_popularity);
  put(json, "long_tail_share", report.long_tail_share);
  json["seconds"] = run.seconds;
  json["model"] = Json{{"fingerprint", run.fingerprint}};
  return json.dump(2) + "\n";
}

}  // namespace pagoda
