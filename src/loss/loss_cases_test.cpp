// Cases from independent float64 scripts: tests/make_loss_cases.py, and any file of the same kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "loss/loss.h"
#include "loss/reference.h"

namespace pagoda::loss {
namespace {

using Json = nlohmann::json;

template <class T>
math::Matrix<T> matrix(const Json& rows) {
  math::Matrix<T> m(rows.size(), rows.at(0).size());
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
void expect_near(const math::Matrix<T>& got, const Json& expected, double tolerance, const std::string& what) {
  double largest = 0;
  for (const auto& row : expected)
    for (const auto& value : row) largest = std::max(largest, std::abs(value.get<double>()));
  for (size_t i = 0; i < got.rows(); ++i)
    for (size_t j = 0; j < got.cols(); ++j)
      ASSERT_NEAR(got[i][j], expected[i][j].get<double>(), tolerance * (largest + 0.1))
          << what << " at " << i << ", " << j;
}

// A count that depends on the row: each row gets copies of all columns, as its own.
template <class T>
struct RowCopies {
  math::Matrix<T> items;
  math::Ragged<uint32_t> positives, row_columns;
  std::vector<double> log_count, log_multiplicity, row_log_count;

  RowCopies(const Json& c, const math::Matrix<T>& from, const math::Ragged<uint32_t>& of_rows,
            const math::Ragged<uint32_t>& masked, const std::vector<double>& multiplicity)
      : items(of_rows.size() * from.rows(), from.cols()) {
    const double beta = c["form"] == "leave_one_out" ? 1 : c["beta"].get<double>();
    for (uint32_t i = 0, at = 0; i < of_rows.size(); ++i) {
      const auto is_in = [](auto list, uint32_t j) { return std::ranges::find(list, j) != list.end(); };
      for (uint32_t j = 0; j < from.rows(); ++j, ++at) {
        std::ranges::copy(from.row(j), items[at]);
        log_count.push_back(c["log_count"][i][j]);
        if (!multiplicity.empty()) log_multiplicity.push_back(multiplicity[j]);
        if (is_in(of_rows[i], j) || is_in(masked[i], j)) continue;
        row_columns.values.push_back(at);
        row_log_count.push_back(log_count.back() - (multiplicity.empty() ? 0 : multiplicity[j] / beta));
      }
      row_columns.close();
      for (const uint32_t p : of_rows[i]) positives.values.push_back(static_cast<uint32_t>(i * from.rows() + p));
      positives.close();
    }
  }
  math::Matrix<T> sum(const math::Matrix<T>& d_copies, size_t columns) const {
    math::Matrix<T> d(columns, d_copies.cols());
    for (size_t k = 0; k < d_copies.rows(); ++k)
      for (size_t l = 0; l < d.cols(); ++l) d[k % columns][l] += d_copies[k][l];
    return d;
  }
};

// One positive a row is written `positive`, `weight`, `mask` (0 or 1 for each column); several are lists.
template <class T>
void check_case(const Json& c, ThreadPool& pool, double tolerance) {
  SCOPED_TRACE(c.at("name").get<std::string>());
  const auto users = matrix<T>(c.at("U")), items = matrix<T>(c.at("V"));
  math::Ragged<uint32_t> positives, masked;
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
  const bool by_row = c.at("log_count")[0].is_array();
  if (!by_row) log_count = c["log_count"].get<std::vector<double>>();
  if (c.contains("log_multiplicity") && !c["log_multiplicity"].is_null())
    log_multiplicity = c["log_multiplicity"].get<std::vector<double>>();

  LossOptions options;
  options.correction = correction(c.at("form"));
  options.logq_weight = c.at("beta");
  options.temperature_ratio = c.value("ratio", 1.0);
  LossInput<T> input;
  input.users = users;
  input.items = items;
  input.positives = &positives;
  input.positive_weights = weights;
  input.masked = &masked;
  input.log_count = log_count;
  input.log_multiplicity = log_multiplicity;
  input.negatives_drawn = c.at("draws");
  input.temperature = c.at("tau");
  std::optional<RowCopies<T>> copies;
  if (by_row) {
    copies.emplace(c, items, positives, masked, log_multiplicity);
    input.items = copies->items;
    input.positives = &copies->positives;
    input.masked = nullptr;
    input.shared_columns = 0;
    input.row_columns = &copies->row_columns;
    input.row_log_count = copies->row_log_count;
    input.log_count = copies->log_count;
    input.log_multiplicity = copies->log_multiplicity;
  }
  math::Matrix<T> d_users(users.rows(), users.cols()), d_items(input.items.rows(), items.cols());
  d_users.fill(NAN);
  d_items.fill(NAN);
  LossOutput<T> output;
  output.d_users = d_users;
  output.d_items = d_items;
  make_loss<T>(options)->run(pool, input, output);
  std::vector<double> held;
  ASSERT_NEAR(reference_softmax(options, input, held), c.at("loss").get<double>(),
              tolerance * (1 + std::abs(c["loss"].get<double>())));
  if (by_row) d_items = copies->sum(d_items, items.rows());

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

// PAGODA_LOSS_CASES may name a further file, such as one that another program has computed.
TEST(LossCases, AgreeWithTheFormulasInFloat64) {
  check_file(PAGODA_TESTS_DIR "/data/loss_cases.json");
  if (const char* path = std::getenv("PAGODA_LOSS_CASES")) check_file(path);
}

}  // namespace
}  // namespace pagoda::loss
