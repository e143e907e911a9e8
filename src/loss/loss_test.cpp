// What is true of every loss.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "core/config.h"
#include "core/error.h"
#include "loss/loss_fixture.h"
#include "loss/reference.h"
#include "math/bf16.h"
#include "math/tile_kernels.h"

namespace pagoda::loss {
namespace {

// Each loss with each correction that it has, and its most positives a row.
struct Form {
  LossKind kind;
  Correction correction;
  size_t most_positives;

  bool has_one_positive() const { return most_positives == 1; }
  Form with_one_positive() const { return {kind, correction, 1}; }
};
constexpr Form kForms[] = {
    {LossKind::sampled_softmax, Correction::none, 4},
    {LossKind::sampled_softmax, Correction::standard, 4},
    {LossKind::sampled_softmax, Correction::negatives, 4},
    {LossKind::sampled_softmax, Correction::leave_one_out, 1},
    {LossKind::bce, Correction::none, 4},
    {LossKind::bce, Correction::standard, 4},
    {LossKind::bce, Correction::negatives, 4},
    {LossKind::triplet, Correction::standard, 4},
    {LossKind::cosine_contrastive, Correction::standard, 4},
};

template <class T>
LossFixture<T> make_fixture(const Form& form, uint64_t seed, size_t batch, size_t columns, size_t dim) {
  LossFixture<T> fixture(seed, batch, columns, dim, form.correction, form.most_positives);
  fixture.options.kind = form.kind;
  return fixture;
}

class WithInstructions {
 public:
  explicit WithInstructions(const char* name) {
    math::limit_simd_level(name);
    try {
      math::usable_simd_levels();
    } catch (const Error&) {
      usable_ = false;
    }
  }
  ~WithInstructions() { math::limit_simd_level(""); }
  bool usable() const { return usable_; }

 private:
  bool usable_ = true;
};

// Relative to the largest value of each gradient.
void expect_agree(const LossFixture<float>& fast, const LossFixture<double>& exact, double tolerance) {
  EXPECT_NEAR(fast.output.value, exact.output.value, tolerance * exact.output.value);
  const auto near = [&](const math::Matrix<float>& a, const math::Matrix<double>& b) {
    double largest = 0;
    for (const double x : b.values()) largest = std::max(largest, std::abs(x));
    for (size_t k = 0; k < a.size(); ++k) ASSERT_NEAR(a.values()[k], b.values()[k], tolerance * largest);
  };
  near(fast.d_users, exact.d_users);
  near(fast.d_items, exact.d_items);
  EXPECT_NEAR(fast.output.d_log_temperature, exact.output.d_log_temperature,
              tolerance * (1 + std::abs(exact.output.d_log_temperature)));
}

// Where bf16 is slow it is taken only when instructions are asked for.
WithInstructions best_by_name() {
  return WithInstructions(std::string(math::name_of(math::usable_simd_levels().back())).c_str());
}

// Both scenes have the vectors of the fast one, which float holds.
void take_numbers(LossFixture<double>& exact, const LossFixture<float>& fast) {
  std::ranges::copy(fast.users.values(), exact.users.begin());
  std::ranges::copy(fast.items.values(), exact.items.begin());
}

void expect_agreement_on_each_set_of_instructions(math::Precision precision, size_t batch, double tolerance) {
  ThreadPool pool(2);
  for (const auto* instructions : {"portable", "avx2", "avx512", "avx512_bf16", "amx"}) {
    const WithInstructions scope(instructions);
    if (!scope.usable()) continue;
    for (const auto& form : kForms) {
      for (const size_t dim : {1, 5, 16, 40, 100}) {
        auto exact = make_fixture<double>(form, 13, batch, 333, dim);
        auto fast = make_fixture<float>(form, 13, batch, 333, dim);
        fast.precision = precision;
        take_numbers(exact, fast);
        exact.add_row_columns(90);
        fast.add_row_columns(90);
        exact.run(pool);
        fast.run(pool);
        expect_agree(fast, exact, tolerance);
      }
    }
  }
}

TEST(Loss, FloatAgreesWithDoubleOverManyBlocksAndTiles) {
  ThreadPool pool(2);
  for (const auto& form : kForms) {
    auto exact = make_fixture<double>(form, 11, 600, 900, 16);  // three blocks of rows
    auto fast = make_fixture<float>(form, 11, 600, 900, 16);
    take_numbers(exact, fast);
    exact.add_row_columns(90);
    fast.add_row_columns(90);
    exact.run(pool);
    fast.run(pool);
    EXPECT_NEAR(fast.output.value, exact.output.value, 1e-6 * exact.output.value);
    EXPECT_NEAR(fast.output.d_log_temperature, exact.output.d_log_temperature, 1e-6);
    for (size_t k = 0; k < exact.users.size(); ++k)
      ASSERT_NEAR(fast.d_users.values()[k], exact.d_users.values()[k], 3e-7);
    for (size_t k = 0; k < exact.items.size(); ++k)
      ASSERT_NEAR(fast.d_items.values()[k], exact.d_items.values()[k], 3e-7);
  }
}

TEST(Loss, OnEachSetOfInstructionsFloatAgreesWithDouble) {
  expect_agreement_on_each_set_of_instructions(math::Precision::f32, 67, 3e-6);
}

// Rounded to 8 bits, an input is off by up to 2^-9 of itself, and so are E and the scaled U.
TEST(Loss, OnEachSetOfInstructionsBf16AgreesWithDoubleToItsPrecision) {
  expect_agreement_on_each_set_of_instructions(math::Precision::bf16, 167, 2e-2);
}

// Multiplicities, two temperatures, columns before the first negative, row columns, frozen and masked ones, together;
// and tiles of columns as wide as they come.
TEST(Loss, InBf16TheSoftmaxHasAllThatItHasInDouble) {
  ThreadPool pool(2);
  for (const auto* instructions : {"portable", "avx512_bf16", "amx"}) {
    const WithInstructions scope(instructions);
    if (!scope.usable()) continue;
    for (const auto& form : kForms) {
      if (form.kind != LossKind::sampled_softmax) continue;
      for (const auto& [batch, columns] : {std::pair{70, 700}, std::pair{20, 9000}}) {
        auto exact = make_fixture<double>(form, 13, batch, columns, 24);
        auto fast = make_fixture<float>(form, 13, batch, columns, 24);
        fast.precision = math::Precision::bf16;
        take_numbers(exact, fast);
        const auto prepare = [&](auto& fixture) {
          if (form.correction != Correction::leave_one_out) fixture.options.temperature_ratio = 1.3;
          for (int j = 0; j < columns; ++j) fixture.log_multiplicity.push_back(0.02 * (j % 50));
          fixture.add_row_columns(90);
          auto input = fixture.input();
          input.first_negative = 45;
          fixture.run(pool, input);
          return input;
        };
        const auto input = prepare(exact);
        prepare(fast);
        expect_agree(fast, exact, 2e-2);
        std::vector<double> held;
        const double value = reference_softmax(exact.options, input, held);
        EXPECT_NEAR(fast.output.value, value, 4e-3 * (1 + value)) << instructions;
      }
    }
  }
}

// With numbers that bf16 holds, what is rounded is E and the scaled U alone: errors of a row's terms average out.
TEST(Loss, Bf16LosesLittleWhereItsInputsAreNotRounded) {
  const auto asked = best_by_name();
  ThreadPool pool(2);
  const Form softmax = kForms[0];
  auto exact = make_fixture<double>(softmax, 11, 600, 900, 16);
  auto fast = make_fixture<float>(softmax, 11, 600, 900, 16);
  fast.precision = math::Precision::bf16;
  for (auto* m : {&fast.users, &fast.items})
    for (float& x : m->values()) x = math::from_bf16(math::to_bf16(x));
  take_numbers(exact, fast);
  exact.run(pool);
  fast.run(pool);
  EXPECT_NEAR(fast.output.value, exact.output.value, 2e-4 * exact.output.value);
  expect_agree(fast, exact, 5e-3);
}

// The bound on a row's logits lies far above them here: all of its terms would be flushed.
TEST(Loss, FloatAgreesWithDoubleWhereLogitsAreFarBelowTheirBound) {
  const auto asked = best_by_name();
  ThreadPool pool(2);
  for (const auto precision : {math::Precision::f32, math::Precision::bf16})
    for (const auto& form : kForms) {
      auto exact = make_fixture<double>(form, 13, 40, 333, 16);
      auto fast = make_fixture<float>(form, 13, 40, 333, 16);
      fast.precision = precision;
      // Items far away on the other side of the last users, whose logits are their lengths times -10 and the bound +10.
      for (size_t i = 30; i < 40; ++i)
        for (size_t d = 0; d < 16; ++d) fast.users[i][d] = d == 0;
      for (size_t j = 0; j < 333; ++j) fast.items[j][0] = -1 - 20 * std::abs(fast.items[j][0]);
      take_numbers(exact, fast);
      exact.run(pool);
      fast.run(pool);
      expect_agree(fast, exact, 1e-5);
    }
}

TEST(Loss, Bf16IsFloatWhereFloatIsFasterAndNobodyAsksForIt) {
  ThreadPool pool(2);
  const auto gradient = [&](math::Precision precision) {
    auto fixture = make_fixture<float>(kForms[0], 11, 60, 90, 16);
    fixture.precision = precision;
    fixture.run(pool);
    return fixture.d_items;
  };
  const auto rounded = gradient(math::Precision::bf16), exact = gradient(math::Precision::f32);
  EXPECT_EQ(std::ranges::equal(rounded.values(), exact.values()), !math::use_bf16_loss());
  const auto asked = best_by_name();
  EXPECT_FALSE(std::ranges::equal(gradient(math::Precision::bf16).values(), exact.values()));
}

// In bf16 the floats of V are made for a block that falls back, and once a call.
TEST(Loss, InBf16ABlockThatFallsBackReadsTheItemsOfItsOwnCall) {
  const auto asked = best_by_name();
  ThreadPool pool(2);
  const auto far_below = [&](uint64_t seed) {
    auto fixture = make_fixture<float>(kForms[0], seed, 40, 333, 16);
    fixture.precision = math::Precision::bf16;
    for (size_t i = 30; i < 40; ++i)
      for (size_t d = 0; d < 16; ++d) fixture.users[i][d] = d == 0;
    for (size_t j = 0; j < 333; ++j) fixture.items[j][0] = -1 - 20 * std::abs(fixture.items[j][0]);
    return fixture;
  };
  auto first = far_below(13), second = far_below(14);
  const auto loss = make_loss<float>(second.options, math::Precision::bf16);
  second.run(pool);
  const math::Matrix<float> alone = second.d_users;
  first.output.d_users = first.d_users;
  first.output.d_items = first.d_items;
  loss->run(pool, first.input(), first.output);
  loss->run(pool, second.input(), second.output);
  EXPECT_TRUE(std::ranges::equal(second.d_users.values(), alone.values()));
}

TEST(Loss, OneThreadAndTwoGiveTheSameBits) {
  const auto asked = best_by_name();
  ThreadPool one(1), two(2);
  for (const auto precision : {math::Precision::f32, math::Precision::bf16})
    for (const auto& form : kForms) {
      auto a = make_fixture<float>(form, 5, 520, 1100, 24), b = make_fixture<float>(form, 5, 520, 1100, 24);
      a.precision = b.precision = precision;
      a.add_row_columns(300);
      b.add_row_columns(300);
      a.run(one);
      b.run(two);
      EXPECT_EQ(std::memcmp(&a.output.value, &b.output.value, sizeof(double)), 0);
      EXPECT_EQ(std::memcmp(&a.output.d_log_temperature, &b.output.d_log_temperature, sizeof(double)), 0);
      EXPECT_EQ(std::memcmp(a.d_users.data(), b.d_users.data(), a.d_users.size() * sizeof(float)), 0);
      EXPECT_EQ(std::memcmp(a.d_items.data(), b.d_items.data(), a.d_items.size() * sizeof(float)), 0);
    }
}

TEST(Loss, AWorkspaceOfABiggerBatchLeavesNoTrace) {
  const auto asked = best_by_name();
  ThreadPool pool(1);
  for (const auto precision : {math::Precision::f32, math::Precision::bf16})
    for (const auto& form : kForms) {
      auto big = make_fixture<float>(form, 1, 300, 700, 8), small = make_fixture<float>(form, 2, 21, 90, 8);
      big.add_row_columns(50);
      small.precision = precision;
      const auto loss = make_loss<float>(small.options, precision);
      big.output.d_users = big.d_users;
      big.output.d_items = big.d_items;
      small.run(pool);
      const math::Matrix<float> alone = small.d_items;
      const double value = small.output.value;
      loss->run(pool, big.input(), big.output);
      loss->run(pool, small.input(), small.output);
      EXPECT_EQ(small.output.value, value);
      EXPECT_TRUE(std::ranges::equal(small.d_items.values(), alone.values()));
    }
}

TEST(Loss, OfAnEmptyBatchHasAZeroGradient) {
  ThreadPool pool(1);
  for (const auto& form : kForms) {
    auto fixture = make_fixture<double>(form, 9, 0, 5, 4);
    fixture.d_items.fill(7);
    fixture.run(pool);
    EXPECT_EQ(fixture.output.value, 0);
    for (const double d : fixture.d_items.values()) EXPECT_EQ(d, 0);
  }
}

TEST(Loss, ARowWithoutPositivesAddsNothing) {
  ThreadPool pool(1);
  for (const auto& form : kForms) {
    if (form.has_one_positive()) continue;
    auto fixture = make_fixture<double>(form.with_one_positive(), 9, 2, 30, 4);
    auto one = make_fixture<double>(form.with_one_positive(), 9, 2, 30, 4);
    fixture.positives = {{0, 1, 1}, {fixture.positives[0][0]}};
    fixture.weights.resize(1);
    one.weights[1] = 0;
    fixture.run(pool);
    one.run(pool);
    EXPECT_EQ(fixture.output.value, one.output.value);
    for (const double d : fixture.d_users.row(1)) EXPECT_EQ(d, 0);
    EXPECT_GT(fixture.output.value, 0);
  }
}

TEST(Loss, AColumnNamedTwiceAddsUpItsWeights) {
  ThreadPool pool(1);
  for (const auto& form : kForms) {
    if (form.has_one_positive()) continue;
    auto twice = make_fixture<double>(form.with_one_positive(), 4, 1, 40, 4);
    auto once = make_fixture<double>(form.with_one_positive(), 4, 1, 40, 4);
    const uint32_t p = twice.positives[0][0];
    twice.positives = {{0, 2}, {p, p}};
    twice.weights = {0.5, 1.25};
    once.weights = {1.75};
    twice.run(pool);
    once.run(pool);
    EXPECT_NEAR(twice.output.value, once.output.value, 1e-13);
    for (size_t k = 0; k < once.items.size(); ++k)
      EXPECT_NEAR(twice.d_items.values()[k], once.d_items.values()[k], 1e-13);
  }
}

TEST(Loss, AMultiplicityIsThatManyEqualColumns) {
  ThreadPool pool(1);
  for (const auto& form : kForms) {
    auto weighted = make_fixture<double>(form.with_one_positive(), 4, 1, 10, 4);
    auto copied = make_fixture<double>(form.with_one_positive(), 4, 1, 12, 4);
    weighted.masked = {{0, 0}, {}};
    const uint32_t other = weighted.positives[0][0] == 3 ? 4 : 3;
    weighted.log_multiplicity.assign(10, 0.0);
    weighted.log_multiplicity[other] = std::log(3.0);
    copied.masked = weighted.masked;
    copied.positives = weighted.positives;
    copied.weights = weighted.weights;
    copied.users = weighted.users;
    copied.draws = weighted.draws;
    for (size_t j = 0; j < 12; ++j) {
      const size_t from = j < 10 ? j : other;
      std::ranges::copy(weighted.items.row(from), copied.items[j]);
      copied.log_count[j] = weighted.log_count[from];
    }
    weighted.run(pool);
    copied.run(pool);
    EXPECT_NEAR(weighted.output.value, copied.output.value, 1e-12);
    for (size_t d = 0; d < 4; ++d) {
      EXPECT_NEAR(weighted.d_users[0][d], copied.d_users[0][d], 1e-12);
      EXPECT_NEAR(weighted.d_items[other][d], copied.d_items[other][d] + copied.d_items[10][d] + copied.d_items[11][d],
                  1e-12);
    }
  }
}

TEST(Loss, ColumnsBeforeTheFirstNegativeAreNegativesOfNoRow) {
  ThreadPool pool(2);
  for (const auto& form : kForms) {
    // Every row's positive lies among the first 300 columns; then the same with those columns masked.
    auto apart = make_fixture<double>(form.with_one_positive(), 6, 300, 700, 4);
    auto masked = make_fixture<double>(form.with_one_positive(), 6, 300, 700, 4);
    for (auto* fixture : {&apart, &masked}) {
      fixture->masked.clear();
      for (uint32_t i = 0; i < 300; ++i) {
        fixture->positives.values[i] = i;
        for (uint32_t j = 0; j < 300 && fixture == &masked; ++j)
          if (j != i) fixture->masked.values.push_back(j);
        fixture->masked.close();
      }
    }
    auto input = apart.input();
    input.first_negative = 300;
    apart.d_items.fill(NAN);
    apart.run(pool, input);
    masked.run(pool);
    EXPECT_NEAR(apart.output.value, masked.output.value, 1e-11);
    for (size_t k = 0; k < apart.users.size(); ++k)
      ASSERT_NEAR(apart.d_users.values()[k], masked.d_users.values()[k], 1e-13);
    for (size_t k = 0; k < apart.items.size(); ++k)
      ASSERT_NEAR(apart.d_items.values()[k], masked.d_items.values()[k], 1e-13);
  }
}

TEST(LossOptions, AreReadFromAConfigAndWrittenBack) {
  LossOptions options;
  Config::from_text("loss = { temperature = 'learned', correction = 'leave_one_out', kind = 'sampled_softmax' }", "t")
      .read([&](OptionVisitor& f) { f.section("loss", "", [&](OptionVisitor& g) { describe(g, options); }); });
  EXPECT_FALSE(options.temperature);
  EXPECT_EQ(options.correction, Correction::leave_one_out);
  const auto text = to_toml([&](OptionVisitor& f) { describe(f, options); }, true);
  LossOptions again;
  Config::from_text(text, "t").read([&](OptionVisitor& f) { describe(f, again); });
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
  options.logq_weight = -0.1;
  EXPECT_THROW(validate(options), Error);
  options = {};
  options.temperature_ratio = 0;
  EXPECT_THROW(validate(options), Error);
  options = {};
  options.correction = Correction::leave_one_out;
  EXPECT_NO_THROW(validate(options));
  options.logq_weight = 0.5;
  EXPECT_THROW(validate(options), Error);
  options = {};
  options.margin = 0;
  EXPECT_THROW(validate(options), Error);
  options = {};
  options.kind = LossKind::bce;
  EXPECT_NO_THROW(validate(options));
  options.correction = Correction::leave_one_out;
  EXPECT_THROW(validate(options), Error);
  options = {};
  options.kind = LossKind::triplet;
  EXPECT_NO_THROW(validate(options));
  options.temperature.reset();
  EXPECT_THROW(validate(options), Error);
}

}  // namespace
}  // namespace pagoda::loss
