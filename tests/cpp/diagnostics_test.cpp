#include "evaluate/diagnostics.h"

#include <cmath>

#include "core/rng.h"
#include "dataset/dataset_test.h"
#include "evaluate/bundle_evaluation.h"
#include "loss/accidental_hits.h"
#include "train/training.h"

namespace pagoda {
namespace {

math::Matrix<float> matrix(std::vector<std::vector<float>> rows) {
  math::Matrix<float> m(rows.size(), rows[0].size());
  for (size_t i = 0; i < rows.size(); ++i) std::copy(rows[i].begin(), rows[i].end(), m[i]);
  return m;
}

TEST(MeanPairwiseCosine, OfFewVectorsIsWorkedByHand) {
  // Cosines 0, 1 / sqrt 2, 1 / sqrt 2, whatever the lengths.
  EXPECT_NEAR(evaluate::mean_pairwise_cosine(matrix({{3, 0}, {0, 5}, {2, 2}})), std::sqrt(2.0) / 3, 1e-6);
  EXPECT_NEAR(evaluate::mean_pairwise_cosine(matrix({{1, 0}, {-4, 0}})), -1, 1e-12);
  EXPECT_NEAR(evaluate::mean_pairwise_cosine(matrix({{1, 2}, {2, 4}, {3, 6}, {0, 0}})), 1, 1e-12);
  EXPECT_TRUE(std::isnan(evaluate::mean_pairwise_cosine(matrix({{1, 2}, {0, 0}}))));
}

TEST(MeanPairwiseCosine, IsTheMeanOverAllPairs) {
  Rng rng(1, Stream::test);
  math::Matrix<float> m(40, 5);
  for (float& x : m.values()) x = static_cast<float>(rng.normal() + 0.4);
  double sum = 0;
  for (size_t i = 0; i < m.rows(); ++i)
    for (size_t j = 0; j < m.rows(); ++j) {
      if (i == j) continue;
      double ab = 0, aa = 0, bb = 0;
      for (size_t d = 0; d < m.cols(); ++d) {
        const double a = m[i][d], b = m[j][d];
        ab += a * b;
        aa += a * a;
        bb += b * b;
      }
      sum += ab / std::sqrt(aa * bb);
    }
  EXPECT_NEAR(evaluate::mean_pairwise_cosine(m), sum / (40 * 39), 1e-12);
}

TEST(EffectiveNegatives, AreAllColumnsWhenTheyDifferAndOneWhenTheyDoNot) {
  EXPECT_DOUBLE_EQ(evaluate::effective_negatives(std::vector<uint32_t>{4, 9, 2}, {}), 3);
  EXPECT_DOUBLE_EQ(evaluate::effective_negatives(std::vector<uint32_t>{5, 5, 5, 5}, {}), 1);
  EXPECT_DOUBLE_EQ(evaluate::effective_negatives(std::vector<uint32_t>{5, 1, 5, 2}, {}), 16.0 / (4 + 1 + 1));
  EXPECT_EQ(evaluate::effective_negatives({}, {}), 0);
}

TEST(EffectiveNegatives, AColumnThatStandsForSeveralCountsAsSeveral) {
  const std::vector<double> log_multiplicity{std::log(3.0), 0, 0};
  EXPECT_NEAR(evaluate::effective_negatives(std::vector<uint32_t>{0, 1, 2}, log_multiplicity), 25.0 / (9 + 1 + 1),
              1e-12);
}

TEST(AccidentalHits, AreCountedAgainstThePairsThatCouldBeNegatives) {
  // Four rows, positives 7 8 7 9; rows 1 and 3 are one user's. Two drawn columns: 8 and 5.
  const std::vector<uint32_t> users{1, 2, 3, 2}, items{7, 8, 7, 9, 8, 5};
  math::Ragged<uint32_t> own;
  for (uint32_t i = 0; i < 4; ++i) own.push({&i, 1});
  ThreadPool pool(2);
  const auto masked = loss::accidental_hits(pool, users, own, items);  // {2} {3, 4} {0} {1, 4}
  evaluate::AccidentalHits hits;
  hits.add(masked, own, items.size(), 0);
  EXPECT_EQ(hits.pairs, 4u * 5);
  EXPECT_EQ(hits.masked, 6u);
  EXPECT_DOUBLE_EQ(hits.rate(), 0.3);
  hits = {};
  hits.add(masked, own, items.size(), 4);  // the positives' columns are negatives of no row
  EXPECT_EQ(hits.pairs, 4u * 2);
  EXPECT_EQ(hits.masked, 2u);
  EXPECT_TRUE(std::isnan(evaluate::AccidentalHits().rate()));
}

// Every user takes 8 of a taste's 16 items in turn, a day apart; 6 tastes.
std::string tastes() {
  std::string log = "user_id,item_id,ts\n";
  for (uint64_t user = 0; user < 60; ++user)
    for (uint64_t n = 0; n < 40; ++n)
      log += fmt::format("u{},i{},2024-0{}-{:02}\n", user, (user % 6) * 16 + Rng(3, Stream::test, user, n).below(16),
                         1 + n / 20, 1 + n % 20);
  return log;
}

class Health : public dataset::TrainTest {
 protected:
  std::shared_ptr<const model::Bundle> trained(dataset::Options o) {
    o.train.epochs = 2;
    o.train.refit = dataset::Refit::validation;  // a model of all rows is of no part, and nothing is made again
    o.towers.model.dim = 8;
    const std::atomic<bool> never{false};
    train::train(o, folder_ + "/m.pagoda", {}, never);
    return model::Bundle::open(folder_ + "/m.pagoda");
  }
  evaluate::TrainingDiagnostics replayed(const model::Bundle& bundle, const std::vector<size_t>& ks, int threads = 2) {
    const auto options = evaluate::bundle_options(bundle, {});
    const auto data = dataset::load_dataset(options.data);
    EXPECT_TRUE(evaluate::trained_on(bundle, data));
    ThreadPool pool(threads);
    return evaluate::replay_training(pool, bundle, options, data, ks);
  }
};

TEST_F(Health, InTheBatchAnItemIsNeverHarderToFindThanInTheCatalogue) {
  auto o = options_of(tastes());
  o.train.batch = 32;
  o.sampling.negatives = {{.source = "in_batch"}, {.source = "uniform", .count = 8}};
  const auto bundle = trained(o);
  const auto health = replayed(*bundle, {1, 5, 95});
  EXPECT_EQ(health.steps, 8u);
  EXPECT_EQ(health.examples, 8u * 32);
  EXPECT_EQ(health.columns, 40);
  EXPECT_GT(health.effective_negatives, 10);
  EXPECT_LT(health.effective_negatives, 40);
  EXPECT_GT(health.accidental_hit_rate, 1.0 / 96);  // alone that two rows are of one user
  for (size_t k = 0; k < 3; ++k) EXPECT_GE(health.batch_recall[k], health.catalogue_recall[k]);
  EXPECT_GT(health.batch_recall[0], health.catalogue_recall[0] + 0.05);
  EXPECT_EQ(health.batch_recall[2], 1);
  const auto alone = replayed(*bundle, {1, 5, 95}, 1);
  EXPECT_EQ(alone.batch_recall, health.batch_recall);
  EXPECT_EQ(alone.catalogue_recall, health.catalogue_recall);
}

// The same by a plain loop over all columns and all items.
TEST_F(Health, TheGapAgreesWithAPlainCount) {
  for (const bool in_batch : {true, false}) {
    auto o = options_of(tastes());
    o.train.batch = 16;
    o.sampling.negatives = {{.source = "uniform", .count = 24}};
    if (in_batch) o.sampling.negatives.push_back({.source = "in_batch"});
    const auto bundle = trained(o);
    const auto health = replayed(*bundle, {3});
    EXPECT_EQ(health.columns, in_batch ? 40 : 24);

    const auto options = evaluate::bundle_options(*bundle, {});
    const auto data = dataset::load_dataset(options.data);
    const auto events = data.events(bundle->info().refit);
    const auto& member = bundle->members()[0];
    const auto& model = member.model;
    const dataset::Batcher batcher(
        {&options.train, &data, &events, nullptr, &model.user_encoder, &member.user_cells, member.item_id_rows});
    const auto counts = sampling::make_counts(bundle->item_counts());
    const sampling::Mixture mixture(options.sampling.negatives,
                                    {.catalogue_items = static_cast<uint32_t>(bundle->info().items),
                                     .batch_rows = 16,
                                     .training_counts = bundle->item_counts(),
                                     .frequency = counts.get()});
    ThreadPool pool(1);
    double batch_hits = 0, catalogue_hits = 0, n = 0;
    for (uint64_t s = 0; s < 8; ++s) {
      const uint64_t step = s * batcher.steps_per_epoch() / 8;
      const auto batch = batcher.make(step, batcher.epoch_order(0));
      sampling::Columns columns;
      mixture.draw({.seed = options.train.seed,
                    .step = step,
                    .progress = 0,
                    .positives = batch.positives.values,
                    .users = batch.users},
                   columns);
      model::TwoTowers<float>::Pass users;
      model.towers.forward_users(pool, batch.encoded, {}, users);
      for (size_t i = 0; i < batch.users.size(); ++i, ++n) {
        const uint32_t wanted = batch.positives.values[i];
        const auto own = std::as_const(events.items)[batch.users[i]];
        const auto score = [&](uint32_t item) {
          double sum = 0;
          for (size_t d = 0; d < 8; ++d)
            sum += static_cast<double>(users.output[i][d]) * bundle->item_vectors().f32()[item][d];
          return sum;
        };
        const auto is_above = [&](uint32_t item) {  // ties too: a user without history scores all items alike
          return std::count(own.begin(), own.end(), item) == 0 && score(item) >= score(wanted);
        };
        int above_in_batch = 0, above = 0;
        for (uint32_t item = 0; item < bundle->info().items; ++item) {
          const auto first = columns.items.begin() + static_cast<ptrdiff_t>(columns.first_negative);
          above += is_above(item);
          above_in_batch += is_above(item) && std::count(first, columns.items.end(), item) > 0;
        }
        batch_hits += above_in_batch < 3;
        catalogue_hits += above < 3;
      }
    }
    // A float's rounding may swap two items of all but equal scores.
    EXPECT_NEAR(health.batch_recall[0], batch_hits / n, 1.5 / n);
    EXPECT_NEAR(health.catalogue_recall[0], catalogue_hits / n, 1.5 / n);
  }
}

TEST_F(Health, TheWholeCatalogueAsColumnsLeavesNoGap) {
  auto o = options_of(tastes());
  o.train.rows = dataset::TrainingRows::user;
  o.train.batch = 20;
  o.sampling.negatives = {{.source = "catalogue"}};
  const auto bundle = trained(o);
  const auto health = replayed(*bundle, {1, 10});
  EXPECT_EQ(health.batch_recall, health.catalogue_recall);
  EXPECT_EQ(health.columns, static_cast<double>(bundle->info().items));
  EXPECT_EQ(health.effective_negatives, static_cast<double>(bundle->info().items));
}

TEST_F(Health, ABundleKnowsTheDataItWasTrainedOn) {
  const auto o = options_of(tastes());
  const auto bundle = trained(o);
  EXPECT_TRUE(evaluate::trained_on(*bundle, dataset::load_dataset(o.data)));
  auto fewer = o;
  auto text = tastes();
  text.resize(text.rfind("u59,"));
  fewer.data.interactions = {file("fewer.csv", text)};
  fewer.data.split.test = "9d";
  EXPECT_FALSE(evaluate::trained_on(*bundle, dataset::load_dataset(fewer.data)));
}

TEST_F(Health, ItemsAreAsOldAsTheirColumnSaysOrTheirFirstRow) {
  auto o = options_of(
      "user_id,item_id,ts\na,x,2024-01-05\na,y,2024-01-01\nb,x,2024-01-02\nb,y,2024-01-20\na,z,2024-01-31\n");
  o.train.batch = 2;
  o.data.items = file("items.csv", "item_id,released\nx,2023-05-01\ny,\nq,2024-03-01\n");
  auto bundle = trained(o);
  auto data = dataset::load_dataset(o.data);
  auto births = evaluate::item_first_seen(*bundle, evaluate::bundle_options(*bundle, {}), &data);
  EXPECT_EQ(births.source, "first seen");
  const auto time = [](const char* text) { return *columns::parse_time_us(text); };
  EXPECT_EQ(births.time_us,
            (std::vector<int64_t>{time("2024-01-02"), time("2024-01-01"), features::kNoTime}));  // x y q
  EXPECT_EQ(evaluate::item_first_seen(*bundle, evaluate::bundle_options(*bundle, {}), nullptr).source, "");

  o.towers.item.features = {
      {.column = "released", .kind = features::FeatureKind::time, .part = features::TimePart::age}};
  bundle = trained(o);
  births = evaluate::item_first_seen(*bundle, evaluate::bundle_options(*bundle, {}), nullptr);
  EXPECT_EQ(births.source, "released");
  EXPECT_EQ(births.time_us, (std::vector<int64_t>{time("2023-05-01"), features::kNoTime, time("2024-03-01")}));
}

}  // namespace
}  // namespace pagoda
