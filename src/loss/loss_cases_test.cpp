// Cases from independent float64 scripts: tests/make_loss_cases.py, and any file of the same kind.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "loss/loss.h"

namespace pagoda {
namespace {

using Json = nlohmann::json;

template <class T>
Matrix<T> matrix(const Json& rows) {
  Matrix<T> m(rows.size(), rows.at(0).size());
  for (size_t i = 0; i < m.rows(); ++i)
    for (size_t j = 0; j < m.cols(); ++j) m[i][j] = rows[i][j].get<T>();
  return m;
}

Correction correction(const std::string& form) {
  if (form == "none") return Correction::none;
  if (form == "standard") return Correction::standard;
  if (form == "negatives") return Correction::negatives;
  EXPECT_EQ(form, "leave_one_out");
  return Correction::leave_one_out;
}

template <class T>
void expect_near(const Matrix<T>& got, const Json& expected, double tolerance, const std::string& what) {
  double largest = 0;
  for (const auto& row : expected)
    for (const auto& value : row) largest = std::max(largest, std::abs(value.get<double>()));
  for (size_t i = 0; i < got.rows(); ++i)
    for (size_t j = 0; j < got.cols(); ++j)
      ASSERT_NEAR(got[i][j], expected[i][j].get<double>(), tolerance * (largest + 0.1))
          << what << " at " << i << ", " << j;
}

// One positive a row is written `positive`, `weight`, `mask` (0 or 1 for each column); several are lists.
template <class T>
void check_case(const Json& c, ThreadPool& pool, double tolerance) {
  SCOPED_TRACE(c.at("name").get<std::string>());
  const auto users = matrix<T>(c.at("U")), items = matrix<T>(c.at("V"));
  Ragged<uint32_t> positives, masked;
  std::vector<double> weights;
  for (size_t i = 0; i < users.rows(); ++i) {
    if (c.contains("positives")) {
      positives.push(c["positives"][i].get<std::vector<uint32_t>>());
      masked.push(c["masked"][i].get<std::vector<uint32_t>>());
      for (const auto& w : c["weights"][i]) weights.push_back(w);
    } else {
      positives.push(std::vector<uint32_t>{c.at("positive")[i].get<uint32_t>()});
      for (uint32_t j = 0; j < items.rows(); ++j)
        if (c.at("mask")[i][j] != 0) masked.values.push_back(j);
      masked.close();
      weights.push_back(c.at("weight")[i]);
    }
  }
  std::vector<double> log_count, log_multiplicity;
  Matrix<double> log_count_rows;
  if (c.at("log_count")[0].is_array())
    log_count_rows = matrix<double>(c["log_count"]);
  else
    log_count = c["log_count"].get<std::vector<double>>();
  if (c.contains("log_multiplicity") && !c["log_multiplicity"].is_null())
    log_multiplicity = c["log_multiplicity"].get<std::vector<double>>();

  LossOptions options;
  options.correction = correction(c.at("form"));
  options.popularity_dial = c.at("beta");
  options.temperature_ratio = c.value("ratio", 1.0);
  LossInput<T> input;
  input.users = users, input.items = items;
  input.positives = &positives, input.positive_weights = weights, input.masked = &masked;
  input.log_count = log_count, input.log_count_rows = log_count_rows, input.log_multiplicity = log_multiplicity;
  input.negatives_drawn = c.at("draws"), input.temperature = c.at("tau");
  Matrix<T> d_users(users.rows(), users.cols()), d_items(items.rows(), items.cols());
  d_users.fill(NAN), d_items.fill(NAN);
  LossOutput<T> output;
  output.d_users = d_users, output.d_items = d_items;
  SampledSoftmax<T>(options).run(pool, input, output);

  ASSERT_NEAR(output.value, c.at("loss").get<double>(), tolerance * (1 + std::abs(c["loss"].get<double>())));
  expect_near(d_users, c.at("dU"), tolerance, "dU");
  expect_near(d_items, c.at("dV"), tolerance, "dV");
  if (c.contains("d_log_temperature")) {
    const double expected = c["d_log_temperature"];
    ASSERT_NEAR(output.d_log_temperature, expected, tolerance * (1 + std::abs(expected)));
  }
}

void check_file(const std::string& path) {
  const auto cases = Json::parse(read_file(path));
  ASSERT_GE(cases.size(), 1u);
  ThreadPool pool(2);
  for (const auto& c : cases) {
    check_case<double>(c, pool, 1e-11);
    check_case<float>(c, pool, 5e-5);
  }
}

TEST(LossCases, AgreeWithTheFormulasInFloat64) { check_file(PAGODA_TESTS_DIR "/data/loss_cases.json"); }

TEST(LossCases, AgreeWithTheFileNamedInTheEnvironment) {
  const char* path = std::getenv("PAGODA_LOSS_CASES");
  if (!path) GTEST_SKIP() << "PAGODA_LOSS_CASES names no file";
  check_file(path);
}

}  // namespace
}  // namespace pagoda
