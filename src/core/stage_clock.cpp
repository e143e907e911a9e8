#include "core/stage_clock.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace pagoda {

namespace {

// 0 where there are none.
double median_after(std::vector<float> seconds, size_t first) {
  if (seconds.size() <= first) return 0;
  const auto begin = seconds.begin() + static_cast<std::ptrdiff_t>(first), middle = begin + (seconds.end() - begin) / 2;
  std::nth_element(begin, middle, seconds.end());
  return double{*middle};
}

}  // namespace

size_t StageClock::enter(size_t stage) {
  const auto now = now_();
  const double passed = std::chrono::duration<double>(now - since_).count();
  const size_t opening = 0, between = stages_.size() - 1;
  seconds_[stage_] += passed;
  since_ = now;
  if (stage_ != between) in_round_ += passed;
  if (stage == between && stage_ != between && stage_ != opening)
    rounds_.push_back(static_cast<float>(std::exchange(in_round_, 0.0)));
  return std::exchange(stage_, stage);
}

std::string StageClock::table(uint64_t rounds, const char* round) const {
  const double total = std::max(1e-9, std::accumulate(seconds_.begin(), seconds_.end(), 0.0));
  const double n = static_cast<double>(std::max<uint64_t>(1, rounds));
  std::string text =
      fmt::format("{:<10}{:>10}{:>12}{:>8}\n", "stage", "seconds", fmt::format("ms a {}", round), "share");
  for (size_t s = 0; s < stages_.size(); ++s)
    text += fmt::format("{:<10}{:>10.2f}{:>12.3f}{:>7.1f}%  {}\n", stages_[s].name, seconds_[s], 1e3 * seconds_[s] / n,
                        100 * seconds_[s] / total, stages_[s].meaning);
  text += fmt::format("{:<10}{:>10.2f}{:>12.3f}          {} {}s\n", "all", total, 1e3 * total / n, rounds, round);
  return text + fmt::format("{:<10}{:>10}{:>12.3f}          of the {}s after the first two", "median", "",
                            1e3 * median_after(rounds_, 2), round);
}

}  // namespace pagoda
