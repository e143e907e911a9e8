#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/config.h"
#include "core/rng.h"
#include "loss/accidental_hits.h"
#include "loss/loss.h"

namespace pagoda {
namespace {

constexpr Correction kCorrections[] = {Correction::none, Correction::standard, Correction::negatives,
                                       Correction::leave_one_out};

// A batch and what it gives.
template <class T>
struct Scene {
  LossOptions options;
  Matrix<T> users, items, d_users, d_items;
  Ragged<uint32_t> positives, masked, row_columns;
  std::vector<double> weights, log_count, log_multiplicity, row_log_count;
  size_t shared_columns = SIZE_MAX, frozen_begin = 0, frozen_end = 0;
  double draws = 0, temperature = 0.1;
  LossOutput<T> output;

  Scene(uint64_t seed, size_t batch, size_t columns, size_t dim, Correction correction, size_t most_positives = 1)
      : users(batch, dim), items(columns, dim), d_users(batch, dim), d_items(columns, dim) {
    options.correction = correction;
    Rng rng(seed, Stream::test);
    for (auto* m : {&users, &items})
      for (size_t i = 0; i < m->rows(); ++i) {
        double norm = 0;
        for (T& x : m->row(i)) x = static_cast<T>(rng.normal()), norm += x * x;
        for (T& x : m->row(i)) x /= static_cast<T>(std::sqrt(norm));
      }
    for (size_t i = 0; i < batch; ++i) {
      const size_t wanted = 1 + rng.below(most_positives);
      std::vector<uint32_t> own;
      while (own.size() < std::min(wanted, columns)) {
        const auto p = static_cast<uint32_t>(rng.below(columns));
        if (std::ranges::find(own, p) == own.end()) own.push_back(p), weights.push_back(0.2 + rng.uniform());
      }
      positives.push(own);
      for (uint32_t j = 0; j < columns; ++j)
        if (rng.uniform() < 0.1 && std::ranges::find(own, j) == own.end()) masked.values.push_back(j);
      masked.close();
    }
    for (size_t j = 0; j < columns; ++j) log_count.push_back(std::log(0.01 + 0.9 * rng.uniform()));
    draws = static_cast<double>(columns);
  }

  // Own columns for each row but the second: some of the last `apart`, which are no longer shared (one of them each row's,
  // one named twice), and one of the shared ones. Constant vectors among the shared and the others.
  void give_rows_own_columns(size_t apart) {
    Rng rng(17, Stream::test);
    shared_columns = items.rows() - apart;
    frozen_begin = shared_columns - 5, frozen_end = shared_columns + 2;
    const auto last = static_cast<uint32_t>(items.rows() - 1);
    for (size_t i = 0; i < users.rows(); ++i) {
      const auto add = [&](uint64_t column) {
        const auto j = static_cast<uint32_t>(column);
        if (std::ranges::find(std::as_const(positives)[i], j) != std::as_const(positives)[i].end()) return;
        row_columns.values.push_back(j);
        row_log_count.push_back(std::log(0.1 + rng.uniform()));
      };
      if (i != 1) {
        for (int k = 0; k < 3; ++k) add(shared_columns + rng.below(apart));
        add(rng.below(shared_columns)), add(last);
        add(row_columns.values.back());
      }
      row_columns.close();
    }
  }

  LossInput<T> input() const {
    LossInput<T> input;
    input.users = users, input.items = items;
    input.positives = &positives, input.positive_weights = weights, input.masked = &masked;
    input.log_count = log_count, input.log_multiplicity = log_multiplicity;
    input.negatives_drawn = draws, input.temperature = temperature;
    input.shared_columns = shared_columns, input.frozen_begin = frozen_begin, input.frozen_end = frozen_end;
    if (row_columns.size() > 0) input.row_columns = &row_columns, input.row_log_count = row_log_count;
    return input;
  }
  void run(ThreadPool& pool) { run(pool, input()); }
  void run(ThreadPool& pool, const LossInput<T>& input) {
    output.d_users = d_users, output.d_items = d_items;
    make_loss<T>(options)->run(pool, input, output);
  }
};

// The formulas of loss.h, one logit at a time. `sg`: 1 - P of each row, kept when it is not empty, else filled.
template <class T>
double reference(const Scene<T>& scene, std::vector<double>& sg, bool frozen) {
  const auto& o = scene.options;
  double total = 0;
  size_t at = 0;
  for (size_t i = 0; i < scene.users.rows(); ++i) {
    const auto own = scene.positives[i], masked = scene.masked[i];
    const auto is = [](auto list, size_t j) { return std::ranges::find(list, j) != list.end(); };
    const auto logit = [&](size_t j) {
      double s = 0;
      for (size_t d = 0; d < scene.users.cols(); ++d) s += double{scene.users[i][d]} * double{scene.items[j][d]};
      return s / scene.temperature;
    };
    const auto multiplicity = [&](size_t j) {
      return scene.log_multiplicity.empty() ? 0.0 : scene.log_multiplicity[j];
    };
    const double q_own = std::exp(scene.log_count[own[0]]) / scene.draws;
    const auto corrected = [&](size_t j, double log_count, double log_multiplicity) {
      if (o.correction == Correction::leave_one_out)
        return logit(j) + log_multiplicity - std::log(std::exp(log_count) / scene.draws / (1 - q_own));
      if (o.correction == Correction::negatives && is(own, j)) return logit(j);
      const double beta = o.correction == Correction::none ? 0 : o.popularity_dial;
      return logit(j) + log_multiplicity - beta * log_count;
    };
    const auto z = [&](size_t j) { return corrected(j, scene.log_count[j], multiplicity(j)); };
    double sum = 0;
    for (size_t j = 0; j < scene.items.rows(); ++j) {
      const bool shared = j < scene.shared_columns && !is(masked, j);
      const bool counts = is(own, j) ? o.correction != Correction::leave_one_out : shared;
      if (counts) sum += std::exp(z(j));
    }
    if (i < scene.row_columns.size())
      for (size_t k = scene.row_columns.offsets[i]; k < scene.row_columns.offsets[i + 1]; ++k)
        sum += std::exp(corrected(scene.row_columns.values[k], scene.row_log_count[k], 0));
    const double lse = std::log(sum);
    if (o.correction == Correction::leave_one_out) {
      const double weight = scene.weights[at++];
      const double p = std::exp(logit(own[0]));
      if (!frozen) sg.push_back(1 - p / (p + sum / scene.draws));
      if (sum == 0) continue;
      total += weight * sg[i] * (lse - logit(own[0]));
    } else {
      for (const auto p : own) total += scene.weights[at++] * (o.temperature_ratio * lse - z(p));
    }
  }
  return total / static_cast<double>(scene.users.rows());
}

TEST(SampledSoftmax, OneRowByHand) {
  // Logits 0.2/0.1 = 2 and 1; bias -log(1/2) and -log(1/4): weights e^2 2 and e^1 4.
  LossOptions options;
  ThreadPool pool(1);
  Matrix<double> users(1, 1), items(2, 1), d_users(1, 1), d_items(2, 1);
  users[0][0] = 1, items[0][0] = 0.2, items[1][0] = 0.1;
  const Ragged<uint32_t> positives{{0, 1}, {0}};
  const std::vector<double> log_count{std::log(0.5), std::log(0.25)};
  LossInput<double> input;
  input.users = users, input.items = items, input.positives = &positives, input.log_count = log_count;
  LossOutput<double> output;
  output.d_users = d_users, output.d_items = d_items;
  make_loss<double>(options)->run(pool, input, output);
  const double p = std::exp(2) * 2 / (std::exp(2) * 2 + std::exp(1) * 4);
  EXPECT_NEAR(output.value, -std::log(p), 1e-14);
  EXPECT_NEAR(d_items[0][0], (p - 1) / 0.1, 1e-13);
  EXPECT_NEAR(d_items[1][0], (1 - p) / 0.1, 1e-13);
  EXPECT_NEAR(d_users[0][0], ((p - 1) * 0.2 + (1 - p) * 0.1) / 0.1, 1e-13);
  EXPECT_NEAR(output.d_log_temperature, -((p - 1) * 2 + (1 - p) * 1), 1e-13);
}

void expect_slopes_of_the_reference(Scene<double>& scene) {
  ThreadPool pool(2);
  constexpr double kUntouched = 7;
  scene.d_items.fill(kUntouched);
  scene.run(pool);
  std::vector<double> sg;
  EXPECT_NEAR(scene.output.value, reference(scene, sg, false), 1e-12);
  const double step = 1e-5;
  const auto slope = [&](double& x) {
    const double old = x;
    x = old + step;
    const double high = reference(scene, sg, true);
    x = old - step;
    const double low = reference(scene, sg, true);
    x = old;
    return (high - low) / (2 * step);
  };
  for (size_t k = 0; k < scene.users.size(); ++k)
    ASSERT_NEAR(scene.d_users.values()[k], slope(scene.users.values()[k]), 1e-6) << "dU " << k;
  for (size_t j = 0; j < scene.items.rows(); ++j) {
    const bool frozen = j >= scene.frozen_begin && j < scene.frozen_end;
    for (size_t d = 0; d < scene.items.cols(); ++d)
      ASSERT_NEAR(scene.d_items[j][d], frozen ? kUntouched : slope(scene.items[j][d]), 1e-6) << "dV " << j << ", " << d;
  }
  ASSERT_NEAR(scene.output.d_log_temperature, slope(scene.temperature) * scene.temperature, 1e-6);
}

TEST(SampledSoftmax, GradientsAreTheSlopesOfTheReference) {
  for (const auto correction : kCorrections) {
    for (const double ratio : {1.0, 1.3}) {
      const bool alone = correction == Correction::leave_one_out;
      if (alone && ratio != 1.0) continue;
      Scene<double> scene(7, 5, 140, 3, correction, alone ? 1 : 3);  // two tiles of columns
      scene.options.temperature_ratio = ratio, scene.options.popularity_dial = alone ? 1.0 : 0.7;
      scene.log_multiplicity.assign(140, 0.0);
      for (size_t j = 0; j < 140; ++j) scene.log_multiplicity[j] = 0.01 * static_cast<double>(j);
      expect_slopes_of_the_reference(scene);
      scene.give_rows_own_columns(7);
      expect_slopes_of_the_reference(scene);
      scene.shared_columns = 0, scene.frozen_begin = scene.frozen_end = 0;  // own columns alone
      expect_slopes_of_the_reference(scene);
    }
  }
}

TEST(SampledSoftmax, FloatAgreesWithDoubleOverManyBlocksAndTiles) {
  ThreadPool pool(2);
  for (const auto correction : kCorrections) {
    const size_t most = correction == Correction::leave_one_out ? 1 : 4;
    Scene<double> exact(11, 600, 900, 16, correction, most);  // three blocks of rows
    Scene<float> fast(11, 600, 900, 16, correction, most);
    for (size_t k = 0; k < exact.users.size(); ++k) exact.users.values()[k] = fast.users.values()[k];
    for (size_t k = 0; k < exact.items.size(); ++k) exact.items.values()[k] = fast.items.values()[k];
    exact.give_rows_own_columns(90), fast.give_rows_own_columns(90);
    exact.run(pool), fast.run(pool);
    EXPECT_NEAR(fast.output.value, exact.output.value, 1e-6 * exact.output.value);
    EXPECT_NEAR(fast.output.d_log_temperature, exact.output.d_log_temperature, 1e-6);
    for (size_t k = 0; k < exact.users.size(); ++k)
      ASSERT_NEAR(fast.d_users.values()[k], exact.d_users.values()[k], 3e-7);
    for (size_t k = 0; k < exact.items.size(); ++k)
      ASSERT_NEAR(fast.d_items.values()[k], exact.d_items.values()[k], 3e-7);
  }
}

TEST(SampledSoftmax, OneThreadAndTwoGiveTheSameBits) {
  ThreadPool one(1), two(2);
  for (const auto correction : kCorrections) {
    const size_t most = correction == Correction::leave_one_out ? 1 : 3;
    Scene<float> a(5, 520, 1100, 24, correction, most), b(5, 520, 1100, 24, correction, most);
    a.give_rows_own_columns(300), b.give_rows_own_columns(300);
    a.run(one), b.run(two);
    EXPECT_EQ(std::memcmp(&a.output.value, &b.output.value, sizeof(double)), 0);
    EXPECT_EQ(std::memcmp(&a.output.d_log_temperature, &b.output.d_log_temperature, sizeof(double)), 0);
    EXPECT_EQ(std::memcmp(a.d_users.data(), b.d_users.data(), a.d_users.size() * sizeof(float)), 0);
    EXPECT_EQ(std::memcmp(a.d_items.data(), b.d_items.data(), a.d_items.size() * sizeof(float)), 0);
  }
}

TEST(SampledSoftmax, AWorkspaceOfABiggerBatchLeavesNoTrace) {
  ThreadPool pool(1);
  Scene<float> big(1, 300, 700, 8, Correction::standard), small(2, 20, 90, 8, Correction::standard);
  big.give_rows_own_columns(50);
  const auto loss = make_loss<float>(small.options);
  big.output.d_users = big.d_users, big.output.d_items = big.d_items;
  small.run(pool);
  const Matrix<float> alone = small.d_items;
  const double value = small.output.value;
  loss->run(pool, big.input(), big.output);
  loss->run(pool, small.input(), small.output);
  EXPECT_EQ(small.output.value, value);
  EXPECT_TRUE(std::ranges::equal(small.d_items.values(), alone.values()));
}

TEST(SampledSoftmax, TheSharpestTemperatureStaysFinite) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    Scene<float> scene(3, 50, 260, 8, correction);
    scene.temperature = 0.01;
    scene.log_count[7] = -700, scene.log_count[8] = 3;
    scene.run(pool);
    EXPECT_TRUE(std::isfinite(scene.output.value));
    for (const float d : scene.d_users.values()) ASSERT_TRUE(std::isfinite(d));
    for (const float d : scene.d_items.values()) ASSERT_TRUE(std::isfinite(d));
  }
}

TEST(SampledSoftmax, WithoutANegativeThereIsNothingToLearn) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    Scene<float> scene(3, 4, 200, 8, correction);
    scene.masked.clear();
    for (size_t i = 0; i < 4; ++i) {
      for (uint32_t j = 0; j < 200; ++j)
        if (j != scene.positives[i][0]) scene.masked.values.push_back(j);
      scene.masked.close();
    }
    scene.run(pool);
    EXPECT_NEAR(scene.output.value, 0, 1e-12);
    for (const float d : scene.d_users.values()) ASSERT_NEAR(d, 0, 1e-12);
    for (const float d : scene.d_items.values()) ASSERT_NEAR(d, 0, 1e-12);
  }
}

TEST(SampledSoftmax, OneItemInAllIsNothingToLearn) {
  ThreadPool pool(1);
  for (const auto correction : kCorrections) {
    Scene<double> scene(3, 3, 1, 4, correction);
    scene.log_count = {0.0}, scene.draws = 1;  // every draw is the positive
    scene.run(pool);
    EXPECT_EQ(scene.output.value, 0);
    for (const double d : scene.d_items.values()) EXPECT_EQ(d, 0);
  }
}

TEST(SampledSoftmax, ARowWithoutPositivesAddsNothing) {
  ThreadPool pool(1);
  Scene<double> scene(9, 2, 30, 4, Correction::standard);
  Scene<double> one(9, 2, 30, 4, Correction::standard);
  scene.positives = {{0, 1, 1}, {scene.positives[0][0]}};
  scene.weights.resize(1);
  one.weights[1] = 0;
  scene.run(pool), one.run(pool);
  EXPECT_EQ(scene.output.value, one.output.value);
  for (const double d : scene.d_users.row(1)) EXPECT_EQ(d, 0);
  EXPECT_GT(scene.output.value, 0);
}

TEST(SampledSoftmax, AnEmptyBatchHasAZeroGradient) {
  ThreadPool pool(1);
  Scene<double> scene(9, 0, 5, 4, Correction::standard);
  scene.d_items.fill(7);
  scene.run(pool);
  EXPECT_EQ(scene.output.value, 0);
  for (const double d : scene.d_items.values()) EXPECT_EQ(d, 0);
}

TEST(SampledSoftmax, ColumnsBeforeTheFirstNegativeAreNegativesOfNoRow) {
  ThreadPool pool(2);
  for (const auto correction : kCorrections) {
    // Every row's positive lies among the first 300 columns; then the same with those columns masked.
    Scene<double> apart(6, 300, 700, 4, correction), masked(6, 300, 700, 4, correction);
    for (auto* scene : {&apart, &masked}) {
      scene->masked.clear();
      for (uint32_t i = 0; i < 300; ++i) {
        scene->positives.values[i] = i;
        for (uint32_t j = 0; j < 300 && scene == &masked; ++j)
          if (j != i) scene->masked.values.push_back(j);
        scene->masked.close();
      }
    }
    auto input = apart.input();
    input.first_negative = 300;
    apart.d_items.fill(NAN);
    apart.run(pool, input), masked.run(pool);
    EXPECT_NEAR(apart.output.value, masked.output.value, 1e-11);
    for (size_t k = 0; k < apart.users.size(); ++k)
      ASSERT_NEAR(apart.d_users.values()[k], masked.d_users.values()[k], 1e-13);
    for (size_t k = 0; k < apart.items.size(); ++k)
      ASSERT_NEAR(apart.d_items.values()[k], masked.d_items.values()[k], 1e-13);
  }
}

TEST(SampledSoftmax, AColumnNamedTwiceAddsUpItsWeights) {
  ThreadPool pool(1);
  Scene<double> twice(4, 1, 40, 4, Correction::standard), once(4, 1, 40, 4, Correction::standard);
  const uint32_t p = twice.positives[0][0];
  twice.positives = {{0, 2}, {p, p}}, twice.weights = {0.5, 1.25}, once.weights = {1.75};
  twice.run(pool), once.run(pool);
  EXPECT_NEAR(twice.output.value, once.output.value, 1e-13);
  for (size_t k = 0; k < once.items.size(); ++k)
    EXPECT_NEAR(twice.d_items.values()[k], once.d_items.values()[k], 1e-13);
}

TEST(SampledSoftmax, AMultiplicityIsThatManyEqualColumns) {
  ThreadPool pool(1);
  Scene<double> weighted(4, 1, 10, 4, Correction::standard);
  weighted.masked = {{0, 0}, {}};
  const uint32_t other = weighted.positives[0][0] == 3 ? 4 : 3;
  weighted.log_multiplicity.assign(10, 0.0);
  weighted.log_multiplicity[other] = std::log(3.0);
  Scene<double> copied(4, 1, 12, 4, Correction::standard);
  copied.masked = weighted.masked, copied.positives = weighted.positives, copied.weights = weighted.weights;
  copied.users = weighted.users;
  for (size_t j = 0; j < 12; ++j) {
    const size_t from = j < 10 ? j : other;
    std::ranges::copy(weighted.items.row(from), copied.items[j]);
    copied.log_count[j] = weighted.log_count[from];
  }
  weighted.run(pool), copied.run(pool);
  EXPECT_NEAR(weighted.output.value, copied.output.value, 1e-12);
  for (size_t d = 0; d < 4; ++d) {
    EXPECT_NEAR(weighted.d_users[0][d], copied.d_users[0][d], 1e-12);
    EXPECT_NEAR(weighted.d_items[other][d], copied.d_items[other][d] + copied.d_items[10][d] + copied.d_items[11][d],
                1e-12);
  }
}

TEST(SampledSoftmax, APositiveLearnedWellKeepsAnExactGradient) {
  // softmax - 1 is about -1e-9 here: far below what float can tell from 1 - 1.
  ThreadPool pool(1);
  Matrix<float> users(1, 1), items(2, 1), d_users(1, 1), d_items(2, 1);
  users[0][0] = 1, items[0][0] = 2, items[1][0] = 0;
  const Ragged<uint32_t> positives{{0, 1}, {0}};
  LossOptions options;
  options.correction = Correction::none;
  LossInput<float> input;
  input.users = users, input.items = items, input.positives = &positives;
  LossOutput<float> output;
  output.d_users = d_users, output.d_items = d_items;
  make_loss<float>(options)->run(pool, input, output);
  const double p = 1 / (1 + std::exp(-20.0));
  EXPECT_NEAR(d_items[0][0] / ((p - 1) / 0.1), 1, 1e-5);
  EXPECT_NEAR(d_items[1][0] / ((1 - p) / 0.1), 1, 1e-5);
}

TEST(LossOptions, AreReadFromAConfigAndWrittenBack) {
  LossOptions options;
  Config::from_text("loss = { temperature = 'learned', correction = 'leave_one_out', kind = 'sampled_softmax' }", "t")
      .read([&](Fields& f) { f.section("loss", "", [&](Fields& g) { describe(g, options); }); });
  EXPECT_FALSE(options.temperature);
  EXPECT_EQ(options.correction, Correction::leave_one_out);
  const auto text = to_toml([&](Fields& f) { describe(f, options); }, true);
  LossOptions again;
  Config::from_text(text, "t").read([&](Fields& f) { describe(f, again); });
  EXPECT_FALSE(again.temperature);
  EXPECT_EQ(again.correction, Correction::leave_one_out);
}

TEST(LossOptions, AreCheckedWithARemedy) {
  LossOptions options;
  EXPECT_NO_THROW(validate(options));
  options.temperature.reset();
  EXPECT_NO_THROW(validate(options));
  options.temperature = 0;
  EXPECT_THROW(validate(options), Error);
  options = {};
  options.popularity_dial = -0.1;
  EXPECT_THROW(validate(options), Error);
  options = {};
  options.temperature_ratio = 0;
  EXPECT_THROW(validate(options), Error);
  options = {};
  options.correction = Correction::leave_one_out;
  EXPECT_NO_THROW(validate(options));
  options.popularity_dial = 0.5;
  EXPECT_THROW(validate(options), Error);
}

}  // namespace
}  // namespace pagoda
