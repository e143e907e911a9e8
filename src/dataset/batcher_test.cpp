#include "dataset/batcher.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/rng.h"
#include "dataset/dataset_test.h"

namespace pagoda::dataset {
namespace {

using BatcherOf = TrainTest;
using Names = std::vector<std::string>;

// 12 users and 30 items in 40 days of January and February; several events share a moment.
std::string random_log(uint64_t seed) {
  std::string log = "user_id,item_id,ts,w,device\n";
  for (uint64_t row = 0; row < 400; ++row) {
    Rng rng(seed, Stream::test, row);
    const auto day = rng.below(40);
    const auto user = rng.below(12), item = rng.below(30), device = rng.below(3);
    log += fmt::format("u{},i{},2024-{:02}-{:02}T0{}:00:00Z,{},d{}\n", user, item, 1 + day / 28, 1 + day % 28,
                       rng.below(2), 1 + row % 7, device);
  }
  return log;
}

TEST_F(BatcherOf, AnExamplesHistoryIsWhatWasStrictlyBeforeIt) {
  const auto options = options_of(
      "user_id,item_id,ts\nu,a,2024-01-01\nu,b,2024-01-02\nu,c,2024-01-02\nu,d,2024-01-03\nu,b,2024-01-04\nv,a,2024-01-"
      "01\n"
      "u,a,2024-01-15\nu,a,2024-01-31\n");
  const Batches b(options);
  ASSERT_EQ(b.batcher.steps_per_epoch(), 1u);  // 6 events, 4 a batch: two are left over
  std::map<std::string, Names> expected{{"u a 1", {}},
                                        {"u b 2", {"a"}},
                                        {"u c 2", {"a"}},  // b is of the same moment
                                        {"u d 3", {"a", "b", "c"}},
                                        {"u b 4", {"a", "c", "d"}},  // never the target itself
                                        {"v a 1", {}}};
  std::set<std::string> seen;
  for (uint64_t step = 0; step < 20; ++step) {
    const auto batch = b.make(step);
    ASSERT_EQ(batch.users.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      const auto key = b.user(batch, i) + " " + b.targets(batch, i).at(0) + " " +
                       columns::format_time_us(batch.timestamps_us[i]).substr(9, 1);
      ASSERT_TRUE(expected.contains(key)) << key << ": validation and test are not trained on";
      EXPECT_EQ(b.history(batch, i), expected[key]) << key;
      seen.insert(key);
    }
  }
  EXPECT_EQ(seen.size(), expected.size()) << "what an epoch leaves over differs from epoch to epoch";
}

TEST_F(BatcherOf, WithoutTimesTheOrderOfTheFileIsTheOrder) {
  auto options = options_of("user_id,item_id\nu,a\nu,b\nu,c\nu,a\nu,d\nu,e\n");  // leave_last: d validation, e test
  options.train.batch = 1;
  const Batches b(options);
  std::map<std::string, std::set<Names>> seen;
  for (uint64_t step = 0; step < 8; ++step) {
    const auto batch = b.make(step);
    seen[b.targets(batch, 0).at(0)].insert(b.history(batch, 0));
  }
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen["a"], (std::set<Names>{{}, {"b", "c"}}));
  EXPECT_EQ(seen["b"], (std::set<Names>{{"a"}}));
  EXPECT_EQ(seen["c"], (std::set<Names>{{"a", "b"}}));
}

TEST_F(BatcherOf, HistoryOfOthersIsAllButTheTarget) {
  auto options = options_of("user_id,item_id\nu,a\nu,b\nu,c\nu,a\nu,d\nu,e\n");
  options.train.history = HistoryMode::others;
  options.train.batch = 1;
  const Batches b(options);
  for (uint64_t step = 0; step < 8; ++step) {
    const auto batch = b.make(step);
    const auto target = b.targets(batch, 0).at(0);
    EXPECT_EQ(b.history(batch, 0), target == "a"   ? Names({"b", "c"})
                                   : target == "b" ? Names({"a", "c", "a"})
                                                   : Names({"a", "b", "a"}));
  }
}

TEST_F(BatcherOf, SkippedRepeatsAreHistoryAndNoExamples) {
  auto options = options_of(
      "user_id,item_id\nu,a\nu,b\nu,a\nu,c\nu,b\nu,a\nu,x\nu,y\nv,a\nv,a\nv,x\nv,y\n");  // x validation, y test
  options.train.batch = 1;
  options.train.repeats = LearnRepeats::skip;
  const Batches b(options);
  ASSERT_EQ(b.batcher.steps_per_epoch(), 4u);
  std::multiset<std::string> seen;
  for (uint64_t step = 0; step < 4; ++step) {
    const auto batch = b.make(step);
    const auto target = b.targets(batch, 0).at(0);
    seen.insert(b.user(batch, 0) + target);
    if (target == "c") {
      EXPECT_EQ(b.history(batch, 0), Names({"a", "b", "a"}));
    }
  }
  EXPECT_EQ(seen, (std::multiset<std::string>{"ua", "ub", "uc", "va"}));
  const auto count = [&](const std::vector<uint64_t>& counts, const char* item) {
    return counts[b.data.catalogue.find(item)];
  };
  EXPECT_EQ(count(b.fit.item_counts, "a"), 5u);
  EXPECT_EQ(count(b.fit.positive_counts, "a"), 2u) << "log q must describe what is drawn";
  EXPECT_EQ(count(b.fit.positive_counts, "b"), 1u);
}

TEST_F(BatcherOf, RepeatsAreLearntWhereTheyAreJudged) {
  Options options;
  options.train.repeats = LearnRepeats::automatic;
  EXPECT_TRUE(skips_repeats(options));
  options.evaluate.repeats = Repeats::keep;
  EXPECT_FALSE(skips_repeats(options));
  options.train.repeats = LearnRepeats::skip;
  EXPECT_TRUE(skips_repeats(options));
  options.train.rows = TrainingRows::user;  // its targets are each once, and new, by themselves
  EXPECT_FALSE(skips_repeats(options));
}

TEST_F(BatcherOf, UserBalanceDividesAUsersWeightAmongItsExamples) {
  auto options = options_of("user_id,item_id\nu,a\nu,b\nu,c\nu,b\nu,x\nu,y\nv,a\nv,x\nv,y\n");
  options.train.batch = 1;
  options.train.repeats = LearnRepeats::skip;
  options.train.user_balance = 1;
  const Batches b(options);
  std::map<std::string, double> weight;
  for (uint64_t step = 0; step < b.batcher.steps_per_epoch(); ++step) {
    const auto batch = b.make(step);
    weight[b.user(batch, 0)] += batch.weights[0];
  }
  EXPECT_NEAR(weight["u"], 1, 1e-6);
  EXPECT_NEAR(weight["v"], 1, 1e-6);
}

TEST_F(BatcherOf, NothingOfTheFutureOrOfTheSameMomentLeaksIntoAnyExample) {
  auto options = options_of(random_log(5));
  options.train.batch = 64;
  const Batches b(options);
  const auto cut = b.data.train_end_us;
  size_t with_history = 0;
  for (uint64_t step = 0; step < 2 * b.batcher.steps_per_epoch(); ++step) {
    const auto batch = b.make(step);
    for (size_t i = 0; i < batch.users.size(); ++i) {
      EXPECT_LE(batch.timestamps_us[i], cut);
      std::multiset<std::string> before;  // the user's items strictly before, by the log itself
      for (size_t row = 0; row < b.data.log.size(); ++row)
        if (b.data.log.users[b.data.log.user[row]] == b.user(batch, i) &&
            b.data.log.time_us[row] < batch.timestamps_us[i])
          before.emplace(b.data.log.items[b.data.log.item[row]]);
      before.erase(b.targets(batch, i).at(0));
      const auto history = b.history(batch, i);
      EXPECT_EQ(std::multiset<std::string>(history.begin(), history.end()), before);
      with_history += !history.empty();
    }
  }
  EXPECT_GT(with_history, 100u);
}

TEST_F(BatcherOf, ABatchIsAFunctionOfTheSeedAndTheStep) {
  auto options = options_of(random_log(6));
  options.train.batch = 32;
  const Batches a(options), again(options);
  options.train.seed = 2;
  const Batches other(options);
  bool differs = false;
  for (uint64_t step : {0, 3, 11, 4}) {
    const auto x = a.make(step), y = again.make(step), z = other.make(step);
    EXPECT_EQ(x.users, y.users);
    EXPECT_EQ(x.positives.values, y.positives.values);
    EXPECT_EQ(x.encoded.bags[0].rows.values, y.encoded.bags[0].rows.values);
    differs |= x.positives.values != z.positives.values;
  }
  EXPECT_TRUE(differs);
}

TEST_F(BatcherOf, AStreamGivesTheBatchesOfItsStepsInOrderAndEnds) {
  auto options = options_of(random_log(6));
  options.train.batch = 32;
  const Batches b(options);
  const auto per_epoch = b.batcher.steps_per_epoch();
  BatchStream stream(b.batcher, per_epoch - 1, per_epoch + 2);
  for (uint64_t step = per_epoch - 1; step < per_epoch + 2; ++step) {
    const auto batch = stream.next();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->step, step);
    EXPECT_EQ(batch->positives.values, b.make(step).positives.values);
  }
  EXPECT_FALSE(stream.next());
  BatchStream abandoned(b.batcher, 0, 1000000);  // ends with its maker
  EXPECT_TRUE(abandoned.next());
}

TEST_F(BatcherOf, AnEpochHasEachExampleOnceAndDropsThePartialBatch) {
  auto options = options_of(random_log(7));
  options.train.batch = 50;
  const Batches b(options);
  const size_t n = b.fit.events.size();
  ASSERT_NE(n % 50, 0u);
  EXPECT_EQ(b.batcher.steps_per_epoch(), n / 50);
  auto order = b.batcher.epoch_order(0);
  EXPECT_NE(order, b.batcher.epoch_order(1));
  std::sort(order.begin(), order.end());
  for (uint32_t i = 0; i < n; ++i) ASSERT_EQ(order[i], i);
  for (uint64_t step = 0; step < b.batcher.steps_per_epoch(); ++step) EXPECT_EQ(b.make(step).users.size(), 50u);
}

TEST_F(BatcherOf, ABatchLargerThanTheDataIsTheData) {
  auto options = options_of(random_log(7));
  options.train.batch = 100000;
  const Batches b(options);
  EXPECT_EQ(b.batcher.batch_rows(), b.fit.events.size());
  EXPECT_EQ(b.batcher.steps_per_epoch(), 1u);
}

TEST_F(BatcherOf, OrderTimeGoesThroughTheLogInTime) {
  auto options = options_of(random_log(8));
  options.train.order = Order::time;
  options.train.batch = 16;
  const Batches b(options);
  int64_t last = INT64_MIN;
  for (uint64_t step = 0; step < b.batcher.steps_per_epoch(); ++step)
    for (auto moment : b.make(step).timestamps_us) {
      EXPECT_GE(moment, last);
      last = moment;
    }
  EXPECT_EQ(b.batcher.epoch_order(0), b.batcher.epoch_order(1));
}

TEST_F(BatcherOf, OrderSequencesKeepsRowsWhoseHistoriesBeginAlikeTogether) {
  std::string log = "user_id,item_id\n";
  for (const char* item : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "x", "y"})
    log += fmt::format("u,{}\n", item);
  for (const char* item : {"a", "b", "c", "x", "y"}) log += fmt::format("v,{}\n", item);
  auto options = options_of(log);  // leave_last: x validation, y test
  options.towers.user.history.last = 4;
  options.train.order = Order::sequences;
  options.train.batch = 100;
  const Batches b(options);
  ASSERT_EQ(b.batcher.steps_per_epoch(), 1u);
  // Of a list longer than 4, histories begin at every second item: two items at least, four at most.
  const std::vector<std::vector<std::pair<std::string, Names>>> sequences{
      {{"ua", {}}, {"ub", {"a"}}, {"uc", {"a", "b"}}, {"ud", {"a", "b", "c"}}, {"ue", {"a", "b", "c", "d"}}},
      {{"uf", {"c", "d", "e"}}, {"ug", {"c", "d", "e", "f"}}},
      {{"uh", {"e", "f", "g"}}, {"ui", {"e", "f", "g", "h"}}},
      {{"uj", {"g", "h", "i"}}},
      {{"va", {}}, {"vb", {"a"}}, {"vc", {"a", "b"}}}};
  std::set<Names> orders;
  for (uint64_t epoch = 0; epoch < 10; ++epoch) {
    const auto batch = b.make(epoch);
    EXPECT_TRUE(batch.encoded.successive);
    ASSERT_EQ(batch.users.size(), 13u);
    std::map<std::string, size_t> place;
    Names order;
    for (size_t i = 0; i < batch.users.size(); ++i) {
      order.push_back(b.user(batch, i) + b.targets(batch, i).at(0));
      place[order.back()] = i;
    }
    EXPECT_EQ(place.size(), 13u) << "each row once";
    for (const auto& sequence : sequences)
      for (size_t i = 0; i < sequence.size(); ++i) {
        const auto& [row, history] = sequence[i];
        ASSERT_TRUE(place.contains(row)) << row;
        EXPECT_EQ(b.history(batch, place[row]), history) << row;
        EXPECT_EQ(place[row], place[sequence[0].first] + i) << row;
      }
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 3u) << "sequences are shuffled";
}

TEST_F(BatcherOf, WeightsAreTheRewardsOfTheRows) {
  auto options = options_of(random_log(9));
  options.train.batch = 32;
  const Batches b(options);
  const auto order = b.batcher.epoch_order(0);
  const auto batch = b.make(0);
  std::set<double> seen;
  for (size_t i = 0; i < 32; ++i) {
    EXPECT_EQ(batch.weights[i], b.data.log.weight[b.fit.events.log_row[order[i]]]);
    seen.insert(batch.weights[i]);
  }
  EXPECT_GT(seen.size(), 4u);
}

TEST_F(BatcherOf, AnExampleReadsTheContextOfItsOwnRow) {
  auto options = options_of(random_log(10));
  options.train.batch = 32;
  options.towers.user.features = {{.column = "device", .dim = 2, .separator = {}}};
  const Batches b(options);
  const auto order = b.batcher.epoch_order(0);
  const auto batch = b.make(0);
  ASSERT_EQ(batch.encoded.bags.size(), 2u);
  std::map<uint32_t, std::string> device_of_row;  // of the feature's table
  for (size_t i = 0; i < 32; ++i) {
    const auto row = b.fit.events.log_row[order[i]];
    const std::string device(b.data.log.context_values[0][b.data.log.context[0][row]]);
    ASSERT_EQ(batch.encoded.bags[1].rows[i].size(), 1u);
    const auto [at, is_new] = device_of_row.emplace(batch.encoded.bags[1].rows[i][0], device);
    EXPECT_EQ(at->second, device);
  }
  EXPECT_EQ(device_of_row.size(), 3u);
}

Options by_user(Options options, Targets targets) {
  options.train.rows = TrainingRows::user;
  options.train.targets = targets;
  options.train.target_window = "3d";
  options.sampling.negatives = {{.source = "catalogue"}};
  options.train.batch = 5;
  return options;
}

TEST_F(BatcherOf, HalfOfAUsersItemsAreTargetsTheOthersHistory) {
  const Batches b(by_user(options_of(random_log(11)), Targets::half));
  EXPECT_EQ(b.batcher.steps_per_epoch(), 3u);  // 12 users, 5 a batch: the last has 2
  std::set<std::string> users;
  std::set<Names> halves;
  for (uint64_t step = 0; step < 9; ++step) {
    const auto batch = b.make(step);
    EXPECT_EQ(batch.users.size(), step % 3 == 2 ? 2u : 5u);
    EXPECT_EQ(batch.encoded.size, batch.users.size());
    for (size_t i = 0; i < batch.users.size(); ++i) {
      const auto targets = b.targets(batch, i), history = b.history(batch, i), known = b.known(batch, i);
      const std::set<std::string> target_set(targets.begin(), targets.end()),
          history_set(history.begin(), history.end());
      EXPECT_EQ(target_set.size(), targets.size()) << "each target once";
      for (const auto& item : history) EXPECT_FALSE(target_set.contains(item));
      std::set<std::string> had(known.begin(), known.end());
      for (const auto& target : targets) had.erase(target);
      EXPECT_EQ(had, history_set);
      std::set<std::string> all;
      for (auto item : b.fit.events.items[batch.users[i]]) all.emplace(b.data.catalogue[item]);
      auto both = target_set;
      both.insert(history_set.begin(), history_set.end());
      EXPECT_EQ(both, all) << "of train, and all of it";
      if (step < 3) users.insert(b.user(batch, i));
      if (b.user(batch, i) == "u3") halves.insert(targets);
    }
  }
  EXPECT_EQ(users.size(), 12u);
  EXPECT_EQ(halves.size(), 3u) << "another half each epoch";
}

TEST_F(BatcherOf, AUserWithOneItemHasItAsTarget) {
  auto options = options_of("user_id,item_id\nu,a\nv,b\nv,c\nw,a\nw,b\nw,c\n");
  const Batches b(by_user(options, Targets::half));
  const auto batch = b.make(0);
  ASSERT_EQ(batch.users.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(b.targets(batch, i).size(), 1u);
    EXPECT_EQ(b.history(batch, i), Names{});
  }
}

TEST_F(BatcherOf, TargetsOfAWindowFollowItsMomentAndHistoryIsBefore) {
  const Batches b(by_user(options_of(random_log(12)), Targets::window));
  const int64_t window = *columns::parse_duration_us("3d");
  std::set<int64_t> moments;
  size_t examples = 0;
  for (uint64_t step = 0; step < 12; ++step) {
    const auto batch = b.make(step);
    for (size_t i = 0; i < batch.users.size(); ++i, ++examples) {
      const auto moment = batch.timestamps_us[i];
      moments.insert(moment);
      std::set<std::string> before, after;
      for (size_t row = 0; row < b.data.log.size(); ++row) {
        if (b.data.parts[row] != data::Part::train || b.data.log.users[b.data.log.user[row]] != b.user(batch, i))
          continue;
        const auto time = b.data.log.time_us[row];
        const std::string item(b.data.log.items[b.data.log.item[row]]);
        if (time < moment)
          before.insert(item);
        else if (time < moment + window)
          after.insert(item);
      }
      for (const auto& item : before) after.erase(item);
      const auto targets = b.targets(batch, i), history = b.history(batch, i);
      EXPECT_EQ(std::set<std::string>(targets.begin(), targets.end()), after);
      EXPECT_EQ(std::set<std::string>(history.begin(), history.end()), before);
      EXPECT_FALSE(targets.empty());
    }
  }
  EXPECT_GT(moments.size(), 5u);
  EXPECT_GT(examples, 30u);
}

TEST_F(BatcherOf, TargetRecencyWeighsATargetByItsAgeInTheList) {
  auto options = by_user(options_of("user_id,item_id,w\nu,a,2\nu,b,3\nu,c,4\nu,a,5\nu,d,1\nu,e,1\n"), Targets::half);
  options.towers.user.history.last = 0;  // without a history all are targets
  options.train.target_recency = 1;
  const Batches b(options);
  const auto batch = b.make(0);
  std::map<std::string, double> weights;
  for (size_t at = 0; const auto& item : b.targets(batch, 0)) weights[item] = batch.weights[at++];
  // d and e are held out: a is the latest, c of age 1, b of age 2.
  EXPECT_EQ(weights, (std::map<std::string, double>{{"a", 5}, {"b", 3.0 / 3}, {"c", 4.0 / 2}}));
}

TEST_F(BatcherOf, UserBalanceDividesAUsersWeightAmongItsTargets) {
  auto options = by_user(
      options_of("user_id,item_id,w\nu,a,2\nu,b,3\nu,c,4\nu,a,5\nu,d,1\nu,e,1\nv,a,7\nv,c,1\nv,d,1\n"), Targets::half);
  options.towers.user.history.last = 0;  // without a history all are targets
  const auto weights = [&](double balance) {
    options.train.user_balance = balance;
    const Batches b(options);
    const auto batch = b.make(0);
    std::map<std::string, double> out;
    for (size_t i = 0, at = 0; i < batch.users.size(); ++i)
      for (const auto& item : b.targets(batch, i)) out[b.user(batch, i) + item] = batch.weights[at++];
    return out;
  };
  using Weights = std::map<std::string, double>;
  EXPECT_EQ(weights(0), (Weights{{"ua", 5}, {"ub", 3}, {"uc", 4}, {"va", 7}}));  // of a twice, the larger reward
  const auto balanced = weights(1);
  EXPECT_DOUBLE_EQ(balanced.at("ua"), 5.0 / 3);
  EXPECT_DOUBLE_EQ(balanced.at("uc"), 4.0 / 3);
  EXPECT_DOUBLE_EQ(balanced.at("va"), 7);
}

}  // namespace
}  // namespace pagoda::dataset
