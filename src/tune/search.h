// Which trial is trained next, and for how long. Asynchronous successive halving (Li et al., "A system for massively
// parallel hyperparameter tuning", MLSys 2020) with one worker: of the trials that have reached a rung, the best third
// goes on to the next; where none may, a new trial begins. The config as it stands comes first, and goes all the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tune/space.h"

namespace pagoda::tune {

inline constexpr size_t kReduction = 3;  // one trial of so many goes on

// The epochs at which trials are compared: 1, 3, 9, ..., `epochs`; multiples of `evaluate_every`, except for the last.
std::vector<int64_t> rungs_of(int64_t epochs, int64_t evaluate_every);

enum class Origin { standing, spread, near };  // the config as it stands; quasi-random; around the best so far
std::string_view name_of(Origin origin);

struct Trial {
  Point point;
  Origin origin = Origin::standing;
  std::vector<double> values = {};  // per rung that it has reached: its best value until then
};

struct Job {
  size_t trial = 0, rung = 0;
};

// A function of its arguments and of the values that it is given: the same values, the same jobs. Not thread-safe.
class Search {
 public:
  Search(const Space& space, uint64_t seed, size_t rungs);

  // The next job; a new trial only where `may_begin`. Nothing: the best trial is complete, and none may go on or begin.
  std::optional<Job> next(bool may_begin);
  // What is left of the best trial so far, when time is short. Nothing: it is complete.
  std::optional<Job> finish() const;
  void report(const Job& job, double value);
  void take_back() { trials_.pop_back(); }  // the last trial, which has no value

  const std::vector<Trial>& trials() const { return trials_; }
  bool is_complete(size_t trial) const { return trial < trials_.size() && trials_[trial].values.size() == rungs_; }
  size_t best() const;  // by the latest value of each trial; of equal ones the first
  // The complete trials, the best first.
  std::vector<size_t> complete() const;
  // So many quasi-random trials come before the first one around the best.
  size_t start() const { return start_; }

 private:
  std::optional<Job> promotion() const;
  bool begin();
  Point spread();
  Point near(uint64_t number, uint64_t attempt) const;

  const Space& space_;
  uint64_t seed_;
  size_t rungs_, start_;
  uint64_t spread_ = 0;  // points taken of the sequence
  std::vector<Trial> trials_;
};

}  // namespace pagoda::tune
