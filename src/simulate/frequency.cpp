#include "simulate/frequency.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "core/error.h"
#include "core/file.h"
#include "core/rng.h"
#include "sampling/frequency.h"

namespace pagoda::simulate {

namespace {

// q_i ~ i^2, or reversed.
std::vector<double> popularity(int64_t items, bool reversed) {
  std::vector<double> q;
  for (int64_t i = 0; i < items; ++i) {
    const auto x = static_cast<double>(reversed ? items - 1 - i : i);
    q.push_back(x * x);
  }
  const double total = std::accumulate(q.begin(), q.end(), 0.0);
  for (double& x : q) x /= total;
  return q;
}

// Draws without replacement, one item after the other in proportion to q: the `batch` smallest of exponential arrival
// times with rates q (Efraimidis and Spirakis 2006).
class Draws {
 public:
  Draws(size_t items, size_t batch) : arrivals_(items), batch_(batch) {}
  void draw(const std::vector<double>& q, Rng rng, std::vector<uint32_t>& batch) {
    for (size_t i = 0; i < arrivals_.size(); ++i)
      arrivals_[i] = {-std::log(1.0 - rng.uniform()) / q[i], static_cast<uint32_t>(i)};
    std::ranges::nth_element(arrivals_, arrivals_.begin() + static_cast<ptrdiff_t>(batch_));
    batch.resize(batch_);
    for (size_t k = 0; k < batch_; ++k) batch[k] = arrivals_[k].second;
  }

 private:
  std::vector<std::pair<double, uint32_t>> arrivals_;
  size_t batch_;
};

double error_of(const sampling::Frequency& frequency, const std::vector<double>& q, int64_t batch) {
  const auto size = static_cast<double>(batch);
  double sum = 0;
  for (size_t i = 0; i < q.size(); ++i)
    sum += std::abs(std::exp(frequency.log_probability(static_cast<uint32_t>(i))) - size * q[i]);
  return sum / (2 * size);
}

void check_options(const FrequencySimulation& o) {
  if (o.items < 3 || o.items > UINT32_MAX)
    fail(ErrorKind::usage, "simulate frequency: items is {}, expected 3 to 2^32 - 1", o.items);
  if (o.batch < 1 || o.batch >= o.items)  // one of the items has q = 0
    fail(ErrorKind::usage,
         "simulate frequency: batch is {}, expected 1 to items - 1 = {}: it is drawn without replacement", o.batch,
         o.items - 1);
  if (o.steps < 1 || o.every < 1 || o.switch_step < 0 || o.seeds < 1)
    fail(ErrorKind::usage, "simulate frequency: steps, every and seeds are 1 or more, and switch_step 0 or more");
  if (!(o.initial_gap > 0))
    fail(ErrorKind::usage, "simulate frequency: initial_gap is {}, expected above 0", o.initial_gap);
}

}  // namespace

std::vector<FrequencyError> simulate_frequency(const FrequencySimulation& options, ThreadPool& pool,
                                               const std::string& folder) {
  check_options(options);
  struct Setup {
    sampling::FrequencyOptions options;
    bool as_printed;
  };
  std::vector<Setup> setups;
  for (const bool as_printed : {true, false})
    for (const double a : options.learning_rates)
      for (const int64_t m : options.hashes) {
        sampling::FrequencyOptions o;
        o.kind = sampling::FrequencyKind::streaming;
        o.clock = sampling::FrequencyClock::step;
        o.learning_rate = a;
        o.hashes = m;
        o.buckets = m > 0 ? options.buckets / m : 0;
        o.bias_correction = !as_printed;
        o.initial_gap = as_printed ? options.initial_gap : 0;
        sampling::validate(o);
        setups.push_back({o, as_printed});
      }

  const auto before = popularity(options.items, false), after = popularity(options.items, true);
  const auto points = static_cast<size_t>(options.steps / options.every);
  const auto seeds = static_cast<size_t>(options.seeds);
  // errors[seed][setup * points + point]
  std::vector<std::vector<double>> errors(seeds, std::vector<double>(setups.size() * points));
  pool.run(seeds, [&](size_t s) {
    const uint64_t seed = static_cast<uint64_t>(options.seed) + s;
    std::vector<std::unique_ptr<sampling::Frequency>> estimators;
    for (const auto& setup : setups) estimators.push_back(sampling::make_streaming(setup.options, seed));
    Draws draws(static_cast<size_t>(options.items), static_cast<size_t>(options.batch));
    std::vector<uint32_t> batch;
    for (int64_t t = 1; t <= options.steps; ++t) {
      const auto& q = t <= options.switch_step ? before : after;
      draws.draw(q, Rng(seed, Stream::simulate, static_cast<uint64_t>(t)), batch);
      for (auto& estimator : estimators) estimator->observe(batch);
      if (t % options.every != 0) continue;
      for (size_t k = 0; k < setups.size(); ++k)
        errors[s][k * points + static_cast<size_t>(t / options.every) - 1] = error_of(*estimators[k], q, options.batch);
    }
  });

  std::vector<FrequencyError> curve;
  std::string lines;
  for (size_t k = 0; k < setups.size(); ++k)
    for (size_t point = 0; point < points; ++point) {
      double mean = 0, squares = 0;
      for (const auto& of_seed : errors) mean += of_seed[k * points + point] / static_cast<double>(seeds);
      for (const auto& of_seed : errors) squares += std::pow(of_seed[k * points + point] - mean, 2);
      const auto& o = setups[k].options;
      curve.push_back({setups[k].as_printed, o.learning_rate, o.hashes, o.buckets,
                       static_cast<int64_t>(point + 1) * options.every, mean,
                       seeds > 1 ? std::sqrt(squares / static_cast<double>(seeds - 1)) : 0.0});
      const auto& e = curve.back();
      lines += fmt::format(R"({{"as_printed": {}, "learning_rate": {}, "hashes": {}, "buckets": {}, "step": {}, )"
                           R"("error": {}, "deviation": {}}})"
                           "\n",
                           e.as_printed, e.learning_rate, e.hashes, e.buckets, e.step, e.error, e.deviation);
    }
  make_folder(folder);
  write_file(folder + "/frequency.jsonl", lines);
  return curve;
}

}  // namespace pagoda::simulate
