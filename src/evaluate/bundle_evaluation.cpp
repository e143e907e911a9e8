#include "evaluate/bundle_evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/config.h"
#include "core/log.h"
#include "data/id_overlap.h"
#include "evaluate/judged_model.h"
#include "model/cascade.h"
#include "model/ensemble.h"

namespace pagoda::evaluate {

namespace {

using Json = nlohmann::ordered_json;

// Figures that nothing was measured for are left out.
Json health_json(const BundleEvaluation& judgement) {
  Json json = Json::object();
  const auto put = [&](const std::string& name, double value) {
    if (std::isfinite(value)) json[name] = value;
  };
  put("mean_cosine_items", judgement.mean_cosine_items);
  put("mean_cosine_users", judgement.mean_cosine_users);
  if (const auto& t = judgement.training; t && t->examples > 0) {
    json["replayed_steps"] = t->steps;
    json["replayed_examples"] = t->examples;
    put("columns", t->columns);
    put("effective_negatives", t->effective_negatives);
    put("accidental_hit_rate", t->accidental_hit_rate);
    for (size_t i = 0; i < t->ks.size(); ++i) put(fmt::format("batch_recall@{}", t->ks[i]), t->batch_recall[i]);
    for (size_t i = 0; i < t->ks.size(); ++i) put(fmt::format("catalogue_recall@{}", t->ks[i]), t->catalogue_recall[i]);
  }
  return json;
}

Json metrics_json(const RankingReport& report) {
  Json json = Json::object();
  for (size_t m = 0; m < kMetricNames.size(); ++m)
    for (size_t k = 0; k < report.ks.size(); ++k)
      json[fmt::format("{}@{}", kMetricNames[m], report.ks[k])] = (*report.all()[m])[k];
  return json;
}

// `less`: the interval is of report less that one.
Json intervals_json(const RankingReport& report, const Intervals& intervals, const RankingReport* less = nullptr) {
  Json json = Json::object();
  for (size_t m = 0; m < kMetricNames.size(); ++m)
    for (size_t k = 0; k < report.ks.size(); ++k) {
      auto& one = json[fmt::format("{}@{}", kMetricNames[m], report.ks[k])];
      if (less) one["mean"] = (*report.all()[m])[k] - (*less->all()[m])[k];
      one["low"] = (*intervals.all()[m])[k].low;
      one["high"] = (*intervals.all()[m])[k].high;
    }
  return json;
}

// The figures once more, under names that MLflow takes, without those that nothing was measured for.
Json mlflow_json(const BundleEvaluation& judgement) {
  Json json = Json::object();
  const auto put = [&](const std::string& before, const RankingReport& report) {
    for (size_t m = 0; m < kMetricNames.size(); ++m)
      for (size_t k = 0; k < report.ks.size(); ++k)
        if (const double value = (*report.all()[m])[k]; std::isfinite(value))
          json[before + plain_name(kMetricNames[m], static_cast<int64_t>(report.ks[k]))] = value;
  };
  put("", judgement.known);
  for (const auto& baseline : judgement.baselines.judged) put(baseline.name + "/", baseline.report);
  return json;
}

void put_baselines(Json& json, const BundleEvaluation& judgement) {
  const auto& known = judgement.known;
  json["intervals"] = intervals_json(known, judgement.intervals);
  json["baselines"] = Json::array();
  for (const auto& one : judgement.baselines.judged)
    json["baselines"].push_back({{"name", one.name},
                                 {"about", one.about},
                                 {"metrics", metrics_json(one.report)},
                                 {"intervals", intervals_json(one.report, one.intervals)},
                                 {"difference", intervals_json(known, one.differences, &one.report)}});
  json["baselines_left_out"] = Json::array();
  for (const auto& [name, why] : judgement.baselines.left_out)
    json["baselines_left_out"].push_back({{"name", name}, {"why", why}});
}

}  // namespace

dataset::Options bundle_options(const model::Bundle& bundle, const std::vector<std::string>& set) {
  dataset::Options options;
  auto config = Config::from_text(bundle.config(), bundle.file().path() + ": section 'config'");
  for (const auto& assignment : set) config.set(assignment);
  config.read([&](OptionVisitor& f) { dataset::describe(f, options); });
  return options;
}

namespace {

// The log that a bundle is judged by may be another than that it was trained on: then its items must be known at least.
// Of its own data, `named` false, nothing is said where all is known.
void meet_bundle(const model::Bundle& bundle, const data::Interactions& log, bool named) {
  const auto say = [&](const columns::Interner& ids, const columns::Interner& known, const std::string& what,
                       const std::string& remedy, bool may_be_unknown) {
    const auto meeting = data::count_overlap({&ids}, {&known});
    if (named || meeting.met < meeting.asked)
      data::report_overlap(meeting, {bundle.file().path(), what, remedy}, may_be_unknown);
  };
  say(log.items, bundle.item_ids(), "items to judge by", "give the interactions of the items that it was trained with",
      false);
  say(log.users, bundle.user_ids(), "users to judge by", "", true);
}

math::Ragged<uint32_t> sorted_lists(math::Ragged<uint32_t> lists) {
  for (size_t i = 0; i + 1 < lists.offsets.size(); ++i)
    std::sort(lists.values.begin() + static_cast<ptrdiff_t>(lists.offsets[i]),
              lists.values.begin() + static_cast<ptrdiff_t>(lists.offsets[i + 1]));
  return lists;
}

// The rows of the test part, or all rows when `parts` is empty.
TestUsers test_users(const model::Bundle& bundle, const data::Interactions& log, const std::vector<data::Part>& parts) {
  std::vector<uint32_t> item_row(log.items.size());
  for (uint32_t i = 0; i < log.items.size(); ++i) item_row[i] = bundle.item_ids().find(log.items[i]);
  auto relevant = dataset::relevant_items(log, item_row,
                                          [&](size_t row) { return parts.empty() || parts[row] == data::Part::test; });
  if (relevant.users.empty())
    fail(ErrorKind::usage, "the test part is empty: data.split keeps none; give interactions to judge by with --data");
  TestUsers test{.ids = {},
                 .users = {},
                 .items = std::move(relevant.items),
                 .outside = std::move(relevant.outside),
                 .requests = JudgedRequests(log, relevant.first_row),
                 .fingerprint = dataset::fingerprint_of_rows(
                     log, [&](size_t row) { return parts.empty() || parts[row] == data::Part::test; }),
                 .data = {}};
  for (const auto user : relevant.users) {
    test.ids.emplace_back(log.users[user]);
    test.users.push_back(bundle.user_ids().find(log.users[user]));
  }
  return test;
}

// Rows that a model has learnt from say nothing about it. A pair of user and item that stands in the user's history is
// such a row, or comes back later; where the log has times they tell which.
void check_rows_are_new(const model::Bundle& bundle, const data::Interactions& log,
                        const std::vector<std::string>& files) {
  const auto from = files.size() == 1 ? files[0] : fmt::format("{} and {} more", files[0], files.size() - 1);
  const auto& info = bundle.info();
  const auto histories = sorted_lists(bundle.user_states().histories);
  uint64_t known = 0;
  for (size_t row = 0; row < log.size(); ++row) {
    const auto user = bundle.user_ids().find(log.users[log.user[row]]);
    const auto item = bundle.item_ids().find(log.items[log.item[row]]);
    if (user == columns::Interner::kNone || item == columns::Interner::kNone) continue;
    if (log.has_time() && log.time_us[row] > info.moment_us) continue;
    known += std::ranges::binary_search(histories[user], item);
  }
  if (known == 0) return;
  const bool nothing_new = info.all_rows && known == log.size();
  if (nothing_new && dataset::fingerprint_of_rows(log, [](size_t) { return true; }) == info.test_rows)
    fail(ErrorKind::usage,
         "--data {}: is the test part of {}, which has learnt from it since it was judged; leave --data out for the "
         "figures of the model that has not",
         from, bundle.file().path());
  if (nothing_new && log.has_time())
    fail(ErrorKind::usage, "--data {}: {} has learnt from each of its {} rows; give rows that came later", from,
         bundle.file().path(), known);
  log_warning("--data {}: {} of {} rows are of a user and an item that {} has learnt from, and judge nothing", from,
              known, log.size(), bundle.file().path());
}

}  // namespace

TestUsers test_users(const model::Bundle& bundle, const dataset::Dataset& data) {
  check_test_is_unseen(bundle);
  auto test = test_users(bundle, data.log, data.parts);
  test.data = std::shared_ptr<const dataset::Dataset>(std::shared_ptr<const dataset::Dataset>(), &data);
  return test;
}

TestUsers test_users(const model::Bundle& bundle, const dataset::Options& options,
                     const std::vector<std::string>& files) {
  if (files.empty()) {
    check_test_is_unseen(bundle);  // before the files are read
    const auto data = std::make_shared<const dataset::Dataset>(dataset::load_dataset(options.data));
    meet_bundle(bundle, data->log, false);
    auto test = test_users(bundle, *data);
    test.data = data;
    return test;
  }
  auto interactions = dataset::interaction_options(options.data);
  interactions.paths = files;
  if (const auto& of_log = bundle.info().times) {
    if (interactions.times.unit == columns::TimeUnit::automatic) interactions.times.unit = of_log->unit;
    if (interactions.times.order == columns::DateOrder::automatic) interactions.times.order = of_log->order;
  }
  const auto log = data::load_interactions(interactions);
  meet_bundle(bundle, log, true);
  check_rows_are_new(bundle, log, files);
  return test_users(bundle, log, {});
}

ItemFirstSeen item_first_seen(const model::Bundle& bundle, const dataset::Options& options,
                              const dataset::Dataset* data) {
  ItemFirstSeen births{.source = {}, .time_us = std::vector<int64_t>(bundle.item_ids().size(), features::kNoTime)};
  for (const auto& feature : options.towers.item.features) {
    const auto* column = bundle.item_attributes().find(feature.column);
    if (feature.kind != features::FeatureKind::time || feature.part != features::TimePart::age || !column) continue;
    births.source = feature.column;
    for (uint32_t item = 0; item < births.time_us.size(); ++item)
      if (const auto row = bundle.attribute_row(item); row != columns::Interner::kNone)
        births.time_us[item] = column->as_time_us(row).value_or(features::kNoTime);
    return births;
  }
  if (!data || !data->log.has_time()) return births;
  births.source = "first seen";
  for (size_t row = 0; row < data->log.size(); ++row) {
    if (data->parts[row] == data::Part::test) continue;
    const auto item = bundle.item_ids().find(data->log.items[data->log.item[row]]);
    if (item == columns::Interner::kNone) continue;
    int64_t& born = births.time_us[item];
    born = born == features::kNoTime ? data->log.time_us[row] : std::min(born, data->log.time_us[row]);
  }
  return births;
}

namespace {

void say_what_was_not_judged(const BundleEvaluation& judgement, dataset::Repeats repeats) {
  const auto& known = judgement.known;
  if (known.users == 0)
    log_warning(
        "nobody can be judged: none of the {} user(s) of the test part has a row before it, so every figure is empty; "
        "unknown users are judged apart",
        judgement.unknown_users.users);
  if (known.in_history == 0) return;
  const auto share = 100 * static_cast<double>(known.in_history) / static_cast<double>(known.test_positives);
  if (repeats == dataset::Repeats::miss)
    log_warning(
        "{} of {} test items ({:.1f}%) are items that their user had before: the lists leave these out, so they count "
        "as "
        "misses; --repeats keep (evaluate.repeats = \"keep\") leaves them in",
        known.in_history, known.test_positives, share);
  else
    log_info("{} of {} test items ({:.1f}%) are items that their user had before", known.in_history,
             known.test_positives, share);
}

// The rows of some test users: their history, test items, hits and metrics.
void put_users(UserTable& table, const model::Bundle& bundle, const TestUsers& test, std::span<const size_t> rows,
               const std::vector<size_t>& ks, const UserMetrics& metrics) {
  if (table.names.empty()) {
    table.users = test.ids;
    table.names = {"history", "test_items"};
    for (const size_t k : ks) table.names.push_back(fmt::format("hits@{}", k));
    for (const auto name : kMetricNames)
      for (const size_t k : ks) table.names.push_back(fmt::format("{}@{}", name, k));
    table.columns.assign(table.names.size(), std::vector<double>(test.ids.size(), std::nan("")));
  }
  for (size_t n = 0; n < rows.size(); ++n) {
    const size_t row = rows[n];
    const auto user = test.users[row];
    const auto items = static_cast<double>(test.items[row].size() + test.outside[row]);
    size_t column = 0;
    const auto put = [&](double value) { table.columns[column++][row] = value; };
    put(user == columns::Interner::kNone ? 0.0 : static_cast<double>(bundle.user_states().histories[user].size()));
    put(items);
    for (size_t k = 0; k < ks.size(); ++k) put(std::round(metrics.recall[k][n] * items));
    for (size_t m = 0; m < kMetricNames.size(); ++m)
      for (size_t k = 0; k < ks.size(); ++k) put((*metrics.all()[m])[k][n]);
  }
}

// Of the metric that chose the model, where it was judged, else of recall in the shortest lists.
void say_doubts(const model::Bundle& bundle, const BundleEvaluation& judgement) {
  const auto& known = judgement.known;
  MetricName metric{"recall", static_cast<int64_t>(known.ks[0])};
  if (const auto& chosen_by = bundle.info().chosen_by; !chosen_by.empty())
    if (const auto name = parse_metric(chosen_by); std::ranges::count(known.ks, static_cast<size_t>(name.k)) > 0)
      metric = name;
  const auto k = static_cast<size_t>(std::ranges::find(known.ks, static_cast<size_t>(metric.k)) - known.ks.begin());
  if (const auto doubts = doubts_about(known, judgement.baselines, metric.kind, k); !doubts.empty())
    log_warning(
        "{}; to try: the negatives that `pagoda diagnose` advises, another loss.temperature, more train.epochs, "
        "features of the items, `pagoda tune`; docs/howto/raise-recall.md says which when",
        doubts);
}

// What baselines learn from: the rows that the model has learnt from, where they are at hand.
Baselines judge_beside(ThreadPool& pool, const model::Bundle& bundle, const TestUsers& test,
                       const ItemPopularity& popularity, const EvaluationInput& judged, const std::vector<int64_t>& ks,
                       const UserMetrics& users, MakeLists towers) {
  BaselineInput input{.states = &bundle.user_states(),
                      .judged = judged,
                      .ks = ks,
                      .popularity = &popularity,
                      .recent = {},
                      .why_no_recent = "the log that the model was trained on was not read",
                      .histories = &bundle.user_states().histories,
                      .model = &users,
                      .knn = {},
                      .towers = std::move(towers)};
  std::optional<dataset::Events> events;
  if (test.data && trained_on(bundle, *test.data)) {
    events = test.data->events(bundle.info().refit);
    input.histories = &events->items;
    input.recent = newest_tenth(events->items.values, events->time_us, popularity.items());
    input.why_no_recent =
        test.data->log.has_time() ? "the training rows are all of one moment" : "the log has no times";
  }
  return judge_baselines(pool, input);
}

}  // namespace

BundleEvaluation evaluate_bundle(ThreadPool& pool, const model::Bundle& bundle, const TestUsers& test,
                                 const BundleEvaluationOptions& how, UserMetrics* known_users) {
  const auto& [ks, repeats, context, second, rescore_from, with_baselines, with_users] = how;
  const auto start = std::chrono::steady_clock::now();
  if (second) model::check_cascade_length(static_cast<size_t>(*std::max_element(ks.begin(), ks.end())), rescore_from);
  const auto cascade = second ? model::make_cascade(bundle, *second, rescore_from) : nullptr;
  const ItemPopularity popularity({bundle.item_counts().begin(), bundle.item_counts().end()});
  const auto options = bundle_options(bundle, {});
  BundleEvaluation judgement;
  UserMetrics metrics;
  RankingReport unknown_popularity;
  judgement.first_seen = item_first_seen(bundle, options, test.data ? &*test.data : nullptr);
  const auto ages = items_by_age(judgement.first_seen.time_us, bundle.info().moment_us);
  const auto index = index::make_exact_index(bundle.item_vectors());
  const auto requests = context == dataset::JudgedContext::request ? test.requests : JudgedRequests();
  for (const bool unknown : {false, true}) {
    std::vector<uint32_t> users, outside;
    std::vector<size_t> rows;  // of `test`
    UserMetrics strangers;
    math::Ragged<uint32_t> items;
    for (size_t i = 0; i < test.users.size(); ++i) {
      const auto user = test.users[i];
      if ((user == columns::Interner::kNone || bundle.user_states().histories[user].empty()) != unknown) continue;
      rows.push_back(i);
      users.push_back(user);
      outside.push_back(test.outside[i]);
      items.push(test.items[i]);
    }
    const auto vectors_of = [&](const model::Bundle& model) {
      return judged_user_vectors(pool, model, bundle.user_ids(), users, requests, rows);
    };
    auto vectors = vectors_of(bundle);
    if (!unknown) judgement.mean_cosine_users = mean_pairwise_cosine(vectors);
    if (second) vectors = model::cascade_queries(vectors, vectors_of(*second));
    const EvaluationInput judged{users, &items, outside, repeats, bundle.neighbours()};
    (unknown ? judgement.unknown_users : judgement.known) =
        rank_users(pool, cascade ? *cascade : *index, vectors, bundle.user_states(), judged, ks, popularity,
                   judgement.first_seen.source.empty() ? nullptr : &ages, unknown ? &strangers : &metrics);
    if (with_users)
      put_users(judgement.users, bundle, test, rows, (unknown ? judgement.unknown_users : judgement.known).ks,
                unknown ? strangers : metrics);
    judgement.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!with_baselines) continue;
    if (unknown) {
      unknown_popularity = rank_by_popularity(pool, bundle.user_states(), judged, ks, popularity);
    } else {
      judgement.intervals = bootstrap_intervals(pool, metrics);
      auto alone = judged;
      alone.neighbours = nullptr;
      judgement.baselines =
          judge_beside(pool, bundle, test, popularity, judged, ks, metrics,
                       bundle.neighbours() && !second ? lists_of_index(pool, *index, vectors, alone) : MakeLists());
    }
  }
  math::Matrix<float> room;
  judgement.mean_cosine_items = mean_pairwise_cosine(math::as_floats(bundle.item_vectors(), room));
  if (test.data && bundle.members().size() == 1 && trained_on(bundle, *test.data))
    judgement.training = replay_training(pool, bundle, options, *test.data, judgement.known.ks);
  auto json =
      nlohmann::ordered_json::parse(ranking_json(judgement.known, {.split = "test",
                                                                   .chosen_on = bundle.info().chosen_on,
                                                                   .seconds = judgement.seconds,
                                                                   .fingerprint = bundle.fingerprint(),
                                                                   .repeats = std::string(dataset::name_of(repeats)),
                                                                   .test_rows = test.fingerprint}));
  json["context"] = dataset::name_of(context);
  json["refit"] = bundle.info().refit;
  json["uses_order"] = bundle.info().uses_order;
  json["item_age_source"] = judgement.first_seen.source;
  if (with_baselines) put_baselines(json, judgement);
  json["mlflow"] = mlflow_json(judgement);
  json["health"] = health_json(judgement);
  if (second) json["rescored_by"] = {{"fingerprint", second->fingerprint()}, {"from", rescore_from}};
  auto& unknown = json["unknown_users"];
  unknown["users"] = judgement.unknown_users.users;
  for (size_t i = 0; i < judgement.unknown_users.ks.size(); ++i)
    unknown[fmt::format("recall@{}", judgement.unknown_users.ks[i])] = judgement.unknown_users.recall[i];
  unknown["metrics"] = metrics_json(judgement.unknown_users);
  if (with_baselines) unknown["popularity"] = metrics_json(unknown_popularity);
  judgement.json = json.dump(1);
  say_what_was_not_judged(judgement, repeats);
  if (with_baselines) say_doubts(bundle, judgement);
  if (known_users) *known_users = std::move(metrics);
  return judgement;
}

}  // namespace pagoda::evaluate
