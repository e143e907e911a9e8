#include "model/two_towers.h"

#include "loss/loss.h"
#include "model/model_test.h"

namespace pagoda::model {
namespace {

// One step of a small model: its batches, and the sampled softmax over them with in-batch and drawn columns.
template <class T>
struct Step {
  TwoTowers<T> towers;
  features::EncodedBatch users, items;
  math::Ragged<uint32_t> positives;
  std::vector<double> log_count;
  typename Tower<T>::Pass user_pass, item_pass;
  math::Matrix<T> d_users, d_items;
  std::unique_ptr<loss::Loss<T>> loss = loss::make_loss<T>({});
  double dropout = 0;

  explicit Step(const SmallWorld& w) {
    const auto model = w.make();
    towers = TwoTowers<T>(w.model, w.user, w.item, model.user_encoder.layout(), model.item_encoder.layout());
    ThreadPool pool(1);
    towers.initialise(pool, 5);
    const SmallRequests requests(8, model.item_encoder.id_vocabulary().rows());
    model.user_encoder.encode(model.user_encoder.cells(w.user_ids, &w.users), requests.examples, users);
    const std::vector<uint32_t> columns{3, 1, 4, 1, 5, 9, 2, 6, 0, 7, 8, 10};
    std::vector<int64_t> moments(columns.size());
    for (size_t j = 0; j < moments.size(); ++j) moments[j] = static_cast<int64_t>(j * 3) * SmallWorld::kDay;
    model.item_encoder.encode(model.item_encoder.cells(w.item_ids, &w.items), columns, moments, items);
    for (uint32_t i = 0; i < 8; ++i) positives.push({&i, 1});
    for (size_t j = 0; j < columns.size(); ++j) log_count.push_back(-.1 * static_cast<double>(j));
    dropout = w.model.dropout;
  }

  double value(ThreadPool& pool) {
    towers.forward_users(pool, users, {dropout, 1, 2, 1}, user_pass);
    towers.forward_items(pool, items, {dropout, 1, 2, 2}, item_pass);
    d_users.resize(users.size, towers.dim());
    d_items.resize(items.size, towers.dim());
    loss::LossInput<T> input;
    input.users = user_pass.output;
    input.items = item_pass.output;
    input.positives = &positives;
    input.log_count = log_count;
    input.temperature = .4;
    loss::LossOutput<T> output{.d_users = d_users, .d_items = d_items};
    loss->run(pool, input, output);
    return output.value;
  }
  void gradients(ThreadPool& pool, TwoTowersGradients<T>& out) {
    value(pool);
    towers.backward(pool, users, user_pass, d_users, items, item_pass, d_items, out);
  }
};

// Each table's gradient as a whole matrix, then each layer's and those of what reads the history, in the order of
// parameters().
std::vector<math::Matrix<double>> dense(TwoTowers<double>& towers, const TwoTowersGradients<double>& g) {
  std::vector<math::Matrix<double>> all;
  for (size_t t = 0; t < towers.tables().size(); ++t) {
    const auto& values = towers.tables()[t].values();
    auto& m = all.emplace_back(values.rows(), values.cols());
    m.fill(0);
    for (size_t i = 0; i < g.tables[t].rows.size(); ++i)
      std::copy_n(g.tables[t].values[i], values.cols(), m[g.tables[t].rows[i]]);
  }
  for (const auto* side : {&g.user, &g.item}) {
    for (size_t l = 0; l < side->layers.weights.size(); ++l) {
      all.push_back(side->layers.weights[l]);
      all.push_back(side->layers.biases[l]);
    }
    if (side == &g.user && towers.user().transformer())
      nn::HistoryTransformer<double>::for_each_parameter(
          *towers.user().transformer(),
          [&](const std::string&, auto&, const auto& gradient_of) { all.push_back(gradient_of(side->transformer)); });
    if (side == &g.user && towers.user().attention())
      nn::HistoryAttention<double>::for_each_parameter(
          *towers.user().attention(), [&](const char*, auto&, auto of) { all.push_back(side->attention.*of); });
  }
  return all;
}

void sweep(const SmallWorld& w) {
  ThreadPool pool(1);
  Step<double> step(w);
  // Away from the kinks of the ReLU at zero: a zero input must not meet a zero bias.
  Rng rng(8, Stream::test);
  for (auto& p : step.towers.parameters())
    if (!p.table)
      for (auto& v : *p.floats) v += .05 * rng.normal();
  TwoTowersGradients<double> gradients;
  step.gradients(pool, gradients);
  const auto expected_of = dense(step.towers, gradients);
  const auto parameters = step.towers.parameters();
  ASSERT_EQ(parameters.size(), expected_of.size());
  double squares = 0, largest = 0;
  size_t moved = 0;
  constexpr double kStep = 1e-6;
  for (size_t p = 0; p < parameters.size(); ++p)
    for (size_t n = 0; n < parameters[p].floats->size(); ++n) {
      double& x = parameters[p].floats->data()[n];
      const double kept = x, gradient = expected_of[p].data()[n];
      x = kept + kStep;
      const double above = step.value(pool);
      x = kept - kStep;
      const double below = step.value(pool);
      x = kept;
      const double expected = (above - below) / (2 * kStep);
      ASSERT_NEAR(gradient, expected, 1e-7 + 1e-5 * std::abs(expected)) << parameters[p].name << " " << n;
      squares += gradient * gradient;
      largest = std::max(largest, std::abs(gradient));
      moved += gradient != 0;
    }
  EXPECT_GT(largest, 1e-3);
  EXPECT_GT(moved, 60u);
  EXPECT_NEAR(gradients.squared_norm(), squares, 1e-9 * squares);
}

TEST(TwoTowers, EveryParametersGradientIsThatOfFiniteDifferencesThroughTheLoss) {
  for (auto combine : {Combine::sum, Combine::concat})
    for (auto table : {features::HistoryTable::own, features::HistoryTable::shared})
      for (auto encoder :
           {features::HistoryEncoder::mean, features::HistoryEncoder::attention, features::HistoryEncoder::transformer})
        for (bool normalise : {true, false})
          for (const auto& hidden : std::vector<std::vector<int64_t>>{{}, {5}, {6, 5}}) {
            SCOPED_TRACE(fmt::format("sum {}, shared {}, encoder {}, normalise {}, hidden layers {}",
                                     combine == Combine::sum, table == features::HistoryTable::shared,
                                     static_cast<int>(encoder), normalise, hidden.size()));
            SmallWorld w;
            w.all_features();
            w.user.history.table = table;
            w.user.history.encoder = encoder;
            w.model.combine = combine;
            w.model.normalise = normalise;
            w.user.hidden = w.item.hidden = hidden;
            w.model.dropout = hidden.empty() ? 0 : .2;
            sweep(w);
          }
}

TEST(TwoTowers, WhatReadsAHistoryLearnsAtATenthOfTheRate) {
  for (auto encoder : {features::HistoryEncoder::attention, features::HistoryEncoder::transformer}) {
    SmallWorld w;
    w.all_features();
    w.user.history.encoder = encoder;
    ThreadPool pool(1);
    Step<double> step(w);
    TwoTowersGradients<double> gradients;
    step.gradients(pool, gradients);
    const auto expected_of = dense(step.towers, gradients);
    std::vector<nn::OptimizerState<double>> optimizers;
    std::vector<math::Matrix<double>> before;
    for (const auto& p : step.towers.parameters()) {
      optimizers.emplace_back(pool, nn::OptimizerOptions{.kind = nn::OptimizerKind::sgd}, p.rows(), p.cols(), p.table);
      before.push_back(*p.floats);
    }
    step.towers.update(pool, {.rate = 0.5}, gradients, optimizers);
    const auto parameters = step.towers.parameters();
    size_t slow = 0;
    for (size_t p = 0; p < parameters.size(); ++p) {
      const bool reads_history = !parameters[p].table && parameters[p].name.starts_with("user.history.");
      slow += reads_history;
      for (size_t n = 0; n < before[p].size(); ++n)
        EXPECT_NEAR(before[p].data()[n] - parameters[p].floats->data()[n],
                    (reads_history ? 0.05 : 0.5) * expected_of[p].data()[n], 1e-12)
            << parameters[p].name;
    }
    EXPECT_GT(slow, 0u);
  }
}

TEST(TwoTowers, SumAddsIdsAndHistoriesOfTheModelsWidthToTheLayers) {
  SmallWorld w;
  w.all_features();
  w.model.combine = Combine::sum;
  w.model.normalise = false;
  w.item.hidden = {5};
  const auto model = w.make();
  const auto& tower = model.towers.item();
  ThreadPool pool(1);
  features::EncodedBatch batch;
  const std::vector<uint32_t> rows{2, 0, 7};
  const std::vector<int64_t> moments(rows.size(), 0);
  const auto cells = model.item_encoder.cells(w.item_ids, &w.items);
  model.item_encoder.encode(cells, rows, moments, batch);
  Tower<float>::Pass pass;
  model.towers.forward_items(pool, batch, {}, pass);
  // The last layer begins at zero: at first an item is its id.
  const auto& ids = model.towers.tables()[0].values();
  for (size_t i = 0; i < rows.size(); ++i)
    EXPECT_TRUE(std::ranges::equal(pass.output.row(i), ids.row(batch.bags[0].rows.values[i]))) << i;
  // The layers read what is left of the input.
  EXPECT_EQ(tower.mlp().in(), tower.width() - static_cast<size_t>(w.model.dim));
  // An id of another width is read by the layers.
  w.item.id.dim = w.model.dim + 1;
  const auto narrow = w.make();
  EXPECT_EQ(narrow.towers.item().mlp().in(), narrow.towers.item().width());
}

TEST(TwoTowers, SumOfAHistoryAloneHasABias) {
  SmallWorld w;
  w.model.combine = Combine::sum;
  w.model.normalise = false;
  auto model = w.make();
  auto& mlp = model.towers.user().mlp();
  ASSERT_EQ(mlp.layers(), 1u);
  EXPECT_EQ(mlp.in(), 0u);
  for (size_t k = 0; k < mlp.out(); ++k) mlp.biases(0)[0][k] = static_cast<float>(k);
  ThreadPool pool(1);
  features::EncodedBatch nobody;
  nobody.size = 1;
  nobody.bags.resize(1);
  nobody.bags[0].close();
  Tower<float>::Pass pass;
  model.towers.forward_users(pool, nobody, {}, pass);
  EXPECT_TRUE(std::ranges::equal(pass.output.row(0), mlp.biases(0).row(0)));
}

TEST(TwoTowers, MatrixFactorisationsGradientIsThatOfFiniteDifferences) {
  SmallWorld w;
  w.user.history.table = features::HistoryTable::shared;
  sweep(w);
  w.user.history.last = 0;
  w.user.id.enabled = true;
  sweep(w);
}

TEST(TwoTowers, BitsAreThoseOfOneThread) {
  SmallWorld w;
  w.all_features();
  w.user.hidden = w.item.hidden = {8};
  w.model.dropout = .1;
  TwoTowersGradients<float> gradients[2];
  double values[2] = {};
  for (int t : {0, 1}) {
    ThreadPool pool(t + 1);
    Step<float> step(w);
    values[t] = step.value(pool);
    step.gradients(pool, gradients[t]);
  }
  EXPECT_EQ(values[0], values[1]);
  for (size_t t = 0; t < gradients[0].tables.size(); ++t) {
    EXPECT_EQ(gradients[0].tables[t].rows, gradients[1].tables[t].rows);
    EXPECT_TRUE(std::ranges::equal(gradients[0].tables[t].values.values(), gradients[1].tables[t].values.values()));
  }
  for (size_t l = 0; l < 2; ++l)
    EXPECT_TRUE(
        std::ranges::equal(gradients[0].user.layers.weights[l].values(), gradients[1].user.layers.weights[l].values()));
}

TEST(TwoTowers, WithoutLayersAndAtTheModelsWidthTheEmbeddingIsTheVector) {
  SmallWorld w;
  w.model.normalise = false;
  const auto model = w.make();
  EXPECT_EQ(model.towers.item().mlp().layers(), 0u);
  ThreadPool pool(1);
  const auto vectors = item_vectors(pool, model, model.item_encoder.cells(w.item_ids, nullptr), 0);
  for (uint32_t i = 0; i < SmallWorld::kItems; ++i)
    EXPECT_TRUE(std::ranges::equal(vectors.row(i), model.towers.tables()[0].values().row(i)));
  w.item.id.dim = 6;
  EXPECT_EQ(w.make().towers.item().mlp().layers(), 1u);  // another width: a projection
}

TEST(TwoTowers, ASharedHistoryReadsTheIdTableAtItsWidth) {
  SmallWorld w;
  w.item.id.dim = 6;
  w.user.history.table = features::HistoryTable::shared;
  w.user.history.dim = 9;
  auto shared = w.make();
  EXPECT_EQ(shared.towers.tables().size(), 1u);
  EXPECT_EQ(shared.towers.user().width(), 6u);
  w.user.history.table = features::HistoryTable::own;
  auto own = w.make();
  EXPECT_EQ(own.towers.tables().size(), 2u);
  EXPECT_EQ(own.towers.user().width(), 9u);
}

TEST(TwoTowers, ParametersHaveNamesOfTheirOwn) {
  SmallWorld w;
  w.all_features();
  w.user.hidden = {8};
  w.user.features.push_back({.column = "city"});
  auto model = w.make();
  std::vector<std::string> names;
  for (const auto& p : model.towers.parameters()) names.push_back(p.name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(TwoTowers, WhatTrainingMayNeverReachStartsSmall) {
  SmallWorld w;
  w.item.id.hash_buckets = 3;
  const auto model = w.make();
  const auto& ids = model.towers.tables()[0].values();
  ASSERT_EQ(ids.rows(), 12u + 3);
  const auto length = [&](size_t row) {
    double sum = 0;
    for (float v : ids.row(row)) sum += v * v;
    return std::sqrt(sum);
  };
  for (size_t row = 0; row < 12; ++row) EXPECT_GT(length(row), .1);
  for (size_t row = 12; row < 15; ++row) EXPECT_TRUE(length(row) > 0 && length(row) < .06) << length(row);
}

}  // namespace
}  // namespace pagoda::model
