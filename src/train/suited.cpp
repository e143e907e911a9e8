#include "train/suited.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "evaluate/evaluation.h"

namespace pagoda::train {

namespace {

constexpr int64_t kSecond = 1000000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;

std::string duration_text(int64_t us) {
  for (const auto& [unit, letter] : {std::pair(kDay, 'd'), std::pair(kHour, 'h'), std::pair(kMinute, 'm')})
    if (us >= unit) return fmt::format("{}{}", (us + unit / 2) / unit, letter);
  return fmt::format("{}s", std::max<int64_t>(1, (us + kSecond / 2) / kSecond));
}

}  // namespace

int64_t batch_for(int64_t batch, uint64_t rows) {
  while (batch > 64 && batch * 50 > static_cast<int64_t>(rows)) batch /= 2;
  return batch;
}

std::vector<std::string> suit_size(dataset::Options& o, const LogSize& log) {
  std::vector<std::string> said;
  std::erase_if(o.evaluate.k, [&](int64_t k) { return k >= log.items; });
  if (o.evaluate.k.empty()) o.evaluate.k = {std::max<int64_t>(1, log.items / 10)};
  if (std::find(o.evaluate.k.begin(), o.evaluate.k.end(), 100) == o.evaluate.k.end() || log.items < 1000)
    o.train.choose_by = evaluate::telling_metric(fmt::format("recall@{}", o.evaluate.k[0]), {}, log.items);
  for (auto& source : o.sampling.negatives)
    if (source.source == "uniform") source.count = std::min(source.count, log.items);
  const auto batch = std::exchange(o.train.batch, batch_for(o.train.batch, log.rows));
  if (o.train.batch != batch)
    said.push_back(
        fmt::format("train.batch = {}, so that an epoch of {} rows has enough steps.", o.train.batch, log.rows));
  return said;
}

void suit_history(dataset::Options& o) {
  if (o.data.time.empty()) o.train.history = dataset::HistoryMode::others;
}

std::string suit_split(data::SplitOptions& split, std::span<const int64_t> rising_us) {
  const int64_t end = rising_us.back(), span = end - rising_us.front();
  const auto rows_between = [&](int64_t after, int64_t until) {
    return static_cast<uint64_t>(std::ranges::upper_bound(rising_us, until) -
                                 std::ranges::upper_bound(rising_us, after));
  };
  std::vector<std::string> candidates;
  if (span > 60 * kDay) candidates = {"7d", "14d", "30d"};
  for (const double share : {0.1, 0.15, 0.2, 0.3})
    candidates.push_back(duration_text(static_cast<int64_t>(share * static_cast<double>(span))));
  const uint64_t rows = rising_us.size();
  for (const auto& text : candidates) {
    const int64_t part = *columns::parse_duration_us(text);
    const uint64_t test = rows_between(end - part, end), validation = rows_between(end - 2 * part, end - part);
    // Half a per cent of the rows, or so many, is enough to judge by; most must be left to learn from.
    constexpr uint64_t kEnough = 5000;
    if (std::min(test, validation) < std::clamp<uint64_t>(rows / 200, 1, kEnough) || (test + validation) * 2 > rows)
      continue;
    split = {.kind = data::SplitKind::time, .validation = text, .test = text, .test_files = {}};
    return fmt::format(
        "Split by time: the last {} ({} rows) judge the model, the {} before it ({} rows) choose it, {} rows train.",
        text, test, text, validation, rows - test - validation);
  }
  return "Split at random: no cut in time leaves rows in all three parts. What comes later then helps to say what came "
         "before.";
}

}  // namespace pagoda::train
