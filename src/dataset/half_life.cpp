#include "dataset/half_life.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace pagoda::dataset {

namespace {

constexpr int64_t kHour = int64_t{3600} * 1000000;
constexpr double kGain = 0.01;  // of the mean log-likelihood

std::string in_words(int64_t us) {
  const double hours = static_cast<double>(us) / static_cast<double>(kHour);
  return hours < 48 ? fmt::format("{:.0f} hours", hours) : fmt::format("{:.0f} days", hours / 24);
}

// The mean log-likelihood of the validation part's items under the shares of the training part's.
class Foresight {
 public:
  explicit Foresight(const Dataset& data) : data_(data) {
    for (size_t row = 0; row < data.log.size(); ++row) {
      const auto item = data.item_row[data.log.item[row]];
      if (item == columns::Interner::kNone) continue;
      if (data.parts[row] == data::Part::train) train_.emplace_back(item, data.log.time_of(row));
      if (data.parts[row] == data::Part::validation) ++asked_[item];
    }
    all_ = shares(0);
  }
  bool can_tell() const { return !asked_.empty() && !train_.empty(); }

  double operator()(int64_t half_life_us) const {
    const auto recent = half_life_us > 0 ? shares(half_life_us) : all_;
    const double rest = 0.01 / static_cast<double>(recent.size());
    double sum = 0, rows = 0;
    for (const auto& [item, count] : asked_) {
      sum += static_cast<double>(count) * std::log(0.9 * recent[item] + 0.09 * all_[item] + rest);
      rows += static_cast<double>(count);
    }
    return sum / rows;
  }

 private:
  std::vector<double> shares(int64_t half_life_us) const {
    std::vector<double> shares(data_.catalogue.size());
    double total = 0;
    for (const auto& [item, time] : train_) {
      const double weight = half_life_us > 0 ? age_weight(data_.train_end_us - time, half_life_us) : 1;
      shares[item] += weight;
      total += weight;
    }
    for (auto& share : shares) share /= total;
    return shares;
  }

  const Dataset& data_;
  std::vector<std::pair<uint32_t, int64_t>> train_;  // item, time
  std::map<uint32_t, uint64_t> asked_;               // of the validation part: rows of each item
  std::vector<double> all_;
};

}  // namespace

double age_weight(int64_t age_us, int64_t half_life_us) {
  // Never 0, which is no weight.
  return std::max(1e-6, std::exp2(-static_cast<double>(age_us) / static_cast<double>(half_life_us)));
}

int64_t find_half_life(const Dataset& data, const std::string& option, std::string* said) {
  if (option.empty() || !data.log.has_time()) return 0;
  if (option != "auto") return columns::parse_duration_us(option).value_or(0);
  const Foresight foresight(data);
  if (!foresight.can_tell()) return 0;
  int64_t begin = data.train_end_us;
  for (size_t row = 0; row < data.log.size(); ++row)
    if (data.parts[row] == data::Part::train) begin = std::min(begin, data.log.time_of(row));
  const double none = foresight(0);
  double best = none;
  int64_t half_life_us = 0;
  for (int64_t tried = data.train_end_us - begin; tried >= kHour; tried /= 2) {
    const double value = foresight(tried);
    if (value <= best) continue;
    best = value;
    half_life_us = tried;
  }
  if (best < none + kGain) {
    *said = "rows of every age weigh the same: newer ones foretell the validation part no better";
    return 0;
  }
  *said = fmt::format(
      "a row weighs half for every {} of its age: what was popular lately foretells the validation part better "
      "(log-likelihood {:.3f} for {:.3f} of a row)",
      in_words(half_life_us), best, none);
  return half_life_us;
}

}  // namespace pagoda::dataset
