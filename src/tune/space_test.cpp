#include "tune/space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tune/sequence.h"

namespace pagoda::tune {
namespace {

dataset::Options clicks() {
  dataset::Options options;
  options.data.interactions = {"clicks.csv"};
  options.data.time = "ts";
  return options;
}

const Key* find(const Space& space, const std::string& name) {
  const auto found = std::ranges::find(space.keys(), name, &Key::name);
  return found == space.keys().end() ? nullptr : &*found;
}

std::vector<std::string> texts(const Space& space, const std::string& name) {
  std::vector<std::string> texts;
  if (const auto* key = find(space, name))
    for (const auto& level : key->levels) texts.push_back(level.text);
  return texts;
}

// The point with one key at the level of that text.
Point with(const Space& space, Point point, const std::string& name, const std::string& text) {
  for (size_t k = 0; k < space.keys().size(); ++k)
    if (space.keys()[k].name == name)
      for (size_t i = 0; i < space.keys()[k].levels.size(); ++i)
        if (space.keys()[k].levels[i].text == text) {
          point[k] = i;
          return point;
        }
  ADD_FAILURE() << name << " has no " << text;
  return point;
}

TEST(Space, the_standing_point_is_the_config_to_the_letter) {
  auto options = clicks();
  options.loss.temperature = 0.083;
  options.train.batch = 1000;
  options.towers.user.history.recency = 0.2;
  options.sampling.negatives = {{.source = "in_batch"}, {.source = "cross_batch"}};
  const Space space(options, {.items = 5000});
  EXPECT_EQ(dataset::to_toml(space.options(space.standing()), false), dataset::to_toml(options, false));
  EXPECT_EQ(space.changes(space.standing()), "");
  EXPECT_EQ(texts(space, "loss.temperature"),
            (std::vector<std::string>{"0.03", "0.05", "0.07", "0.083", "0.1", "0.15", "0.2", "0.3"}));
}

TEST(Space, every_point_is_a_valid_config_and_all_levels_can_be_reached) {
  auto learned = clicks();
  learned.loss.temperature.reset();
  auto by_user = clicks();
  by_user.train.rows = dataset::TrainingRows::user;
  by_user.train.targets = dataset::Targets::window;
  auto leave_one_out = clicks();
  leave_one_out.loss.correction = loss::Correction::leave_one_out;
  auto triplet = clicks();
  triplet.loss.kind = loss::LossKind::triplet;
  auto no_times = clicks();
  no_times.data.time.clear();
  no_times.train.history = dataset::HistoryMode::others;
  auto no_history = clicks();
  no_history.towers.user.history.last = 0;
  no_history.towers.user.id.enabled = true;
  for (const auto& options : {clicks(), learned, by_user, leave_one_out, triplet, no_times, no_history}) {
    const Space space(options, {.items = 900});
    std::vector<std::set<size_t>> seen(space.keys().size());
    for (uint64_t n = 0; n < 400; ++n) {
      const auto point = space.at(sequence_point(1, n, space.keys().size()));
      for (size_t k = 0; k < point.size(); ++k) seen[k].insert(point[k]);
      ASSERT_NO_THROW(dataset::validate(space.options(point))) << space.changes(point);
    }
    for (size_t k = 0; k < seen.size(); ++k) EXPECT_EQ(seen[k].size(), space.keys()[k].levels.size());
  }
}

TEST(Space, without_times_there_is_no_recency) {
  auto options = clicks();
  EXPECT_TRUE(find(Space(options, {.items = 900}), "user.history.recency"));
  EXPECT_TRUE(find(Space(options, {.items = 900}), "train.target_recency"));
  options.data.time.clear();
  EXPECT_FALSE(find(Space(options, {.items = 900}), "user.history.recency"));
  EXPECT_FALSE(find(Space(options, {.items = 900}), "train.target_recency"));
}

TEST(Space, without_a_history_there_are_no_keys_of_it_and_the_id_stays) {
  auto options = clicks();
  options.towers.user.history.last = 0;
  options.towers.user.id.enabled = true;
  const Space space(options, {.items = 900});
  EXPECT_FALSE(find(space, "user.history.last"));
  EXPECT_FALSE(find(space, "user.id.enabled"));
}

TEST(Space, there_are_no_more_uniform_negatives_than_items_and_no_exact_softmax_over_many) {
  EXPECT_EQ(texts(Space(clicks(), {.items = 900}), "sampling.negatives"),
            (std::vector<std::string>{"in_batch + uniform", "uniform", "catalogue"}));
  EXPECT_EQ(texts(Space(clicks(), {.items = 900}), "sampling.negatives.uniform.count"),
            (std::vector<std::string>{"64", "256", "1024"}));  // 1024 is that of the config
  EXPECT_EQ(texts(Space(clicks(), {.items = 1000000}), "sampling.negatives"),
            (std::vector<std::string>{"in_batch + uniform", "uniform"}));
  EXPECT_EQ(texts(Space(clicks(), {.items = 1000000}), "sampling.negatives.uniform.count"),
            (std::vector<std::string>{"64", "256", "1024", "4096"}));
}

TEST(Space, sources_that_need_data_of_their_own_stay) {
  auto options = clicks();
  options.sampling.negatives = {{.source = "uniform", .count = 64}, {.source = "impressions"}};
  const Space space(options, {.items = 900});
  EXPECT_FALSE(find(space, "sampling.negatives"));
  const auto changed = space.options(with(space, space.standing(), "sampling.negatives.uniform.count", "256"));
  EXPECT_EQ(changed.sampling.negatives[0].count, 256);
  EXPECT_EQ(changed.sampling.negatives[1].source, "impressions");
}

TEST(Space, rates_go_by_the_optimiser) {
  auto options = clicks();
  options.train.optimizer.kind = nn::OptimizerKind::adam;
  options.train.optimizer.learning_rate = 0.001;
  EXPECT_EQ(texts(Space(options, {.items = 900}), "train.learning_rate").back(), "0.01");
}

TEST(Space, points_that_differ_in_what_means_nothing_are_one) {
  const Space space(clicks(), {.items = 900});
  const auto of_user = with(space, space.standing(), "train.target_recency", "0.3");
  EXPECT_EQ(space.canonical(of_user), space.standing());
  EXPECT_EQ(space.changes(of_user), "");
  const auto by_user = with(space, of_user, "train.rows", "user, 5 times the epochs");
  EXPECT_EQ(space.canonical(by_user), by_user);
  EXPECT_EQ(space.changes(by_user), "train.rows = user, 5 times the epochs, train.target_recency = 0.3");
  EXPECT_EQ(space.options(by_user).train.epochs, 5 * clicks().train.epochs);
  EXPECT_EQ(space.options(by_user).train.evaluate_every, 5);
  auto catalogue = with(space, space.standing(), "sampling.negatives", "catalogue");
  EXPECT_EQ(space.canonical(with(space, catalogue, "sampling.negatives.uniform.count", "64")), catalogue);
}

}  // namespace
}  // namespace pagoda::tune
