#include "core/step_clock.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace pagoda {

namespace {
constexpr std::array<const char*, kStepStages> kNames{"read", "sample",   "encode",  "gather", "towers",
                                                      "loss", "backward", "combine", "update", "between"};
constexpr std::array<const char*, kStepStages> kMeanings{"waiting for batches",
                                                         "frequency, negatives, accidental hits",
                                                         "attributes to table rows",
                                                         "table rows summed",
                                                         "layers, forward",
                                                         "logits, softmax, gradient",
                                                         "layers, backward",
                                                         "gradients of a table row added up",
                                                         "optimiser",
                                                         "evaluations, checkpoints, mining"};

// 0 where there are none.
double median_after(std::vector<float> seconds, size_t first) {
  if (seconds.size() <= first) return 0;
  const auto begin = seconds.begin() + static_cast<std::ptrdiff_t>(first), middle = begin + (seconds.end() - begin) / 2;
  std::nth_element(begin, middle, seconds.end());
  return double{*middle};
}

}  // namespace

StepStage StepClock::enter(StepStage stage) {
  const auto now = Clock::now();
  const double passed = std::chrono::duration<double>(now - since_).count();
  seconds_[static_cast<size_t>(stage_)] += passed;
  since_ = now;
  if (stage_ != StepStage::between) in_step_ += passed;
  if (stage == StepStage::between && stage_ != StepStage::between && stage_ != StepStage::read)  // which begins a step
    steps_.push_back(static_cast<float>(std::exchange(in_step_, 0.0)));
  return std::exchange(stage_, stage);
}

std::string StepClock::table(uint64_t steps, double making) const {
  const double total = std::max(1e-9, std::accumulate(seconds_.begin(), seconds_.end(), 0.0));
  const double n = static_cast<double>(std::max<uint64_t>(1, steps));
  std::string text = fmt::format("{:<10}{:>10}{:>12}{:>8}\n", "stage", "seconds", "ms a step", "share");
  for (size_t s = 0; s < kStepStages; ++s)
    text += fmt::format("{:<10}{:>10.2f}{:>12.3f}{:>7.1f}%  {}\n", kNames[s], seconds_[s], 1e3 * seconds_[s] / n,
                        100 * seconds_[s] / total, kMeanings[s]);
  text += fmt::format("{:<10}{:>10.2f}{:>12.3f}          {} steps\n", "all", total, 1e3 * total / n, steps);
  text += fmt::format("{:<10}{:>10}{:>12.3f}          of the steps after the first two\n", "median", "",
                      1e3 * median_after(steps_, 2));
  return text + fmt::format("{:<10}{:>10.2f}{:>12.3f}          batches made meanwhile, on a thread of their own",
                            "reader", making, 1e3 * making / n);
}

}  // namespace pagoda
