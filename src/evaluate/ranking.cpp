#include "evaluate/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace pagoda::evaluate {
namespace {

constexpr size_t kActivityBuckets = 5;

double discount(size_t rank) { return 1.0 / std::log2(static_cast<double>(rank) + 1.0); }

void add_to(AtK& sum, const AtK& more) {
  for (size_t k = 0; k < sum.size(); ++k) sum[k] += more[k];
}

AtK over(const AtK& sum, uint64_t n) {
  AtK mean(sum.size(), std::numeric_limits<double>::quiet_NaN());
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

RankingAccumulator::RankingAccumulator(std::vector<size_t> ks, const ItemPopularity& popularity, const ItemGroups* ages)
    : ks_(std::move(ks)), popularity_(&popularity) {
  check(!ks_.empty() && ks_[0] > 0 && std::adjacent_find(ks_.begin(), ks_.end(), std::greater_equal<>()) == ks_.end(),
        "K rise from 1");
  for (auto* sum : sums_.all()) sum->assign(ks_.size(), 0.0);
  for (const ItemGroups* groups : {&popularity.buckets(), &popularity.deciles(), &popularity.unseen(), ages}) {
    if (!groups) continue;
    check(groups->of_item.size() == popularity.items(), "groups are of this catalogue");
    const HitCount none{.positives = 0, .hits = std::vector<uint64_t>(ks_.size(), 0)};
    cuts_.push_back({groups, std::vector<HitCount>(groups->names.size(), none)});
  }
  exposure_.assign(ks_.size(), std::vector<uint32_t>(popularity.items(), 0));
}

void RankingAccumulator::keep_users(UserMetrics* users) {
  for (auto* metric : users->all()) metric->resize(ks_.size());
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
  test_positives_ += relevant;
  outside_ += user.relevant_outside;
  in_history_ += user.relevant_in_history;

  find_hits(user);
  auto& activity = by_history_[user.history];
  if (activity.recall.empty()) activity.recall.assign(ks_.size(), 0.0);
  ++activity.users;
  double dcg = 0, ideal = 0, precisions = 0;
  size_t h = 0, rank = 0;
  for (size_t k = 0; k < ks_.size(); ++k) {
    for (; h < hits_.size() && hits_[h].first <= ks_[k]; ++h) {
      dcg += discount(hits_[h].first);
      precisions += static_cast<double>(h + 1) / static_cast<double>(hits_[h].first);
    }
    for (; rank < std::min(ks_[k], relevant); ++rank) ideal += discount(rank + 1);
    const auto hits = static_cast<double>(h), wanted = static_cast<double>(std::min(ks_[k], relevant));
    const PerMetric<double> of_user{.recall = hits / static_cast<double>(relevant),
                                    .ndcg = dcg / ideal,
                                    .hit_rate = h > 0 ? 1.0 : 0.0,
                                    .mrr = h > 0 ? 1.0 / static_cast<double>(hits_[0].first) : 0.0,
                                    .map = precisions / wanted,
                                    .precision = hits / static_cast<double>(ks_[k])};
    for (size_t m = 0; m < kMetricNames.size(); ++m) {
      (*sums_.all()[m])[k] += *of_user.all()[m];
      if (kept_) (*kept_->all()[m])[k].push_back(*of_user.all()[m]);
    }
    activity.recall[k] += of_user.recall;
    for (const uint32_t item : user.items.first(std::min(ks_[k], user.items.size()))) ++exposure_[k][item];
  }

  for (auto& cut : cuts_) {
    const auto& group_of = cut.groups->of_item;
    for (const uint32_t item : user.relevant)
      if (group_of[item] != ItemGroups::kNone) ++cut.counts[group_of[item]].positives;
    for (const auto& [at, item] : hits_)
      for (size_t k = 0; k < ks_.size(); ++k)
        if (at <= ks_[k] && group_of[item] != ItemGroups::kNone) ++cut.counts[group_of[item]].hits[k];
  }
}

void RankingAccumulator::merge(const RankingAccumulator& later) {
  check(ks_ == later.ks_ && popularity_ == later.popularity_ && cuts_.size() == later.cuts_.size(),
        "parts of one evaluation");
  users_ += later.users_;
  test_positives_ += later.test_positives_;
  outside_ += later.outside_;
  in_history_ += later.in_history_;
  for (size_t m = 0; m < kMetricNames.size(); ++m) add_to(*sums_.all()[m], *later.sums_.all()[m]);
  for (size_t c = 0; c < cuts_.size(); ++c)
    for (size_t g = 0; g < cuts_[c].counts.size(); ++g) {
      auto& count = cuts_[c].counts[g];
      count.positives += later.cuts_[c].counts[g].positives;
      for (size_t k = 0; k < ks_.size(); ++k) count.hits[k] += later.cuts_[c].counts[g].hits[k];
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

std::vector<ItemBucket> RankingAccumulator::bucket_reports(const Cut& cut) const {
  std::vector<ItemBucket> buckets;
  for (size_t g = 0; g < cut.counts.size(); ++g) {
    const auto& count = cut.counts[g];
    buckets.push_back({.name = cut.groups->names[g],
                       .test_positives = count.positives,
                       .recommended = AtK(ks_.size()),
                       .recall = over(AtK(count.hits.begin(), count.hits.end()), count.positives)});
  }
  for (uint32_t i = 0; i < popularity_->items(); ++i) {
    if (cut.groups->of_item[i] == ItemGroups::kNone) continue;
    auto& bucket = buckets[cut.groups->of_item[i]];
    ++bucket.items;
    bucket.train_positives += popularity_->count(i);
    for (size_t k = 0; k < ks_.size(); ++k) bucket.recommended[k] += exposure_[k][i];
  }
  for (size_t k = 0; k < ks_.size(); ++k) {
    const double total = std::accumulate(exposure_[k].begin(), exposure_[k].end(), 0.0);
    if (total > 0)
      for (auto& bucket : buckets) bucket.recommended[k] /= total;
  }
  return buckets;
}

RankingReport RankingAccumulator::report() const {
  RankingReport report;
  report.ks = ks_;
  report.users = users_;
  report.items = popularity_->items();
  report.test_positives = test_positives_;
  report.outside_catalogue = outside_;
  report.in_history = in_history_;
  for (size_t m = 0; m < kMetricNames.size(); ++m) *report.all()[m] = over(*sums_.all()[m], users_);

  report.by_item_popularity = bucket_reports(cuts_[0]);
  report.by_popularity_decile = bucket_reports(cuts_[1]);
  report.zero_train_positives = bucket_reports(cuts_[2])[0];
  if (cuts_.size() > 3) report.by_item_age = bucket_reports(cuts_[3]);

  // A part ends with the length that brings the users so far to the next fifth.
  ActivityBucket part;
  AtK sum(ks_.size(), 0.0);
  uint64_t before = 0, next = 1;
  for (const auto& [length, activity] : by_history_) {
    if (part.users == 0) part.shortest = length;
    part.longest = length;
    part.users += activity.users;
    before += activity.users;
    add_to(sum, activity.recall);
    if (before * kActivityBuckets < users_ * next) continue;
    next = before * kActivityBuckets / users_ + 1;
    part.recall = over(sum, part.users);
    report.by_user_activity.push_back(std::exchange(part, {}));
    sum.assign(ks_.size(), 0.0);
  }

  for (size_t k = 0; k < ks_.size(); ++k) {
    uint64_t shown = 0, total = 0, tail = 0, popularity = 0;
    for (uint32_t i = 0; i < popularity_->items(); ++i) {
      const uint64_t times = exposure_[k][i];
      shown += times > 0;
      total += times;
      popularity += times * popularity_->count(i);
      if (popularity_->in_long_tail(i)) tail += times;
    }
    const auto share = [](uint64_t a, uint64_t b) { return b ? static_cast<double>(a) / static_cast<double>(b) : 0.0; };
    // Without a list there is nothing to say of lists.
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    report.coverage.push_back(users_ ? share(shown, popularity_->items()) : nothing);
    report.gini.push_back(users_ ? gini(exposure_[k]) : nothing);
    report.average_popularity.push_back(users_ ? share(popularity, total) : nothing);
    report.long_tail_share.push_back(users_ ? share(tail, total) : nothing);
  }
  return report;
}

std::string ranking_json(const RankingReport& report, const EvaluationRun& run) {
  using Json = nlohmann::ordered_json;
  const auto put = [&](Json& json, std::string_view name, const AtK& values) {
    for (size_t k = 0; k < report.ks.size(); ++k) json[fmt::format("{}@{}", name, report.ks[k])] = values[k];
  };
  Json json;
  json["split"] = run.split;
  json["users"] = report.users;
  json["items"] = report.items;
  json["chosen_on"] = run.chosen_on;
  json["test_positives"] = report.test_positives;
  json["test_positives_outside_catalogue"] = report.outside_catalogue;
  json["test_positives_in_history"] = report.in_history;
  json["repeats"] = run.repeats;
  json["test_rows"] = run.test_rows;
  Json metrics;
  for (size_t m = 0; m < kMetricNames.size(); ++m) put(metrics, kMetricNames[m], *report.all()[m]);
  json["metrics"] = std::move(metrics);
  const auto add_buckets = [&](const char* key, const char* name, const std::vector<ItemBucket>& buckets) {
    json[key] = Json::array();
    for (const auto& bucket : buckets) {
      Json entry{{name, bucket.name},
                 {"items", bucket.items},
                 {"test_positives", bucket.test_positives},
                 {"train_positives", bucket.train_positives}};
      put(entry, "recall", bucket.recall);
      put(entry, "recommended", bucket.recommended);
      json[key].push_back(std::move(entry));
    }
  };
  add_buckets("by_item_popularity", "bucket", report.by_item_popularity);
  add_buckets("by_popularity_decile", "decile", report.by_popularity_decile);
  add_buckets("by_item_age", "age", report.by_item_age);
  const auto& zero = report.zero_train_positives;
  json["zero_train_positives"] = Json{{"items", zero.items}, {"test_positives", zero.test_positives}};
  put(json["zero_train_positives"], "recall", zero.recall);
  put(json["zero_train_positives"], "recommended", zero.recommended);
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

}  // namespace pagoda::evaluate
