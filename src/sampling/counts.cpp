#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "sampling/frequency.h"

namespace pagoda::sampling {

namespace {

constexpr double kFloor = 0.5;  // counts of an item that was never seen

class Counts final : public Frequency {
 public:
  explicit Counts(std::span<const uint64_t> counts) : counts_(counts.begin(), counts.end()) { add_up(); }

  void observe(std::span<const uint32_t>) override {}
  double log_probability(uint32_t item) const override {
    const double count = item < counts_.size() ? static_cast<double>(counts_[item]) : 0.0;
    return std::log(count + kFloor) - log_total_;
  }
  FrequencyClock clock() const override { return FrequencyClock::example; }
  void save(ByteWriter& out) const override {
    out.text("counts");
    out.array(counts_);
  }
  void load(ByteReader& in) override {
    const auto kind = in.text();
    if (kind != "counts")
      fail(ErrorKind::failed, "frequency: the saved state is of kind '{}', the config says counts; set it back", kind);
    counts_ = in.array<uint64_t>();
    add_up();
  }

 private:
  void add_up() {
    const double total = static_cast<double>(std::accumulate(counts_.begin(), counts_.end(), uint64_t{0}));
    log_total_ = std::log(total + kFloor * static_cast<double>(std::max<size_t>(counts_.size(), 1)));
  }

  std::vector<uint64_t> counts_;
  double log_total_ = 0;
};

}  // namespace

std::unique_ptr<Frequency> make_counts(std::span<const uint64_t> counts) { return std::make_unique<Counts>(counts); }

}  // namespace pagoda::sampling
