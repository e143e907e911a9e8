#include "train/suited.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"
#include "evaluate/evaluation.h"

namespace pagoda::train {

namespace {
constexpr int64_t kDim = 128, kDimOfManyRows = 64;
constexpr uint64_t kManyRows = 2'000'000;
}  // namespace

dataset::Options suited_options() {
  dataset::Options o;
  o.towers.model.combine = model::Combine::sum;
  o.towers.model.dim = kDim;
  o.towers.user.history.table = features::HistoryTable::shared;
  o.towers.user.history.last = 200;
  o.train.repeats = dataset::LearnRepeats::automatic;
  o.train.history = dataset::HistoryMode::others;
  o.train.mask_history_items = true;
  o.train.batch = 1024;
  o.train.epochs = 10;
  o.train.refit_by = dataset::RefitBy::automatic;
  o.train.optimizer.kind = nn::OptimizerKind::adam;
  o.train.optimizer.learning_rate = 0.005;
  o.train.optimizer.final_rate = 0.1;
  o.loss.temperature_ratio = std::nullopt;
  o.neighbours.kind = model::NeighbourKind::automatic;
  return o;
}

std::string suit_half_life(dataset::Options& options) {
  options.train.half_life = "auto";
  return "train.half_life = \"auto\": newer rows weigh more where the most popular items of late foretell the "
         "validation part better than item-kNN.";
}

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
  if (log.rows > kManyRows && o.towers.model.dim == kDim) {
    o.towers.model.dim = kDimOfManyRows;
    said.push_back(fmt::format("model.dim = {}: {} rows take a while; {} is a little better and twice as long.",
                               kDimOfManyRows, log.rows, kDim));
  }
  const auto batch = std::exchange(o.train.batch, batch_for(o.train.batch, log.rows));
  if (o.train.batch != batch)
    said.push_back(
        fmt::format("train.batch = {}, so that an epoch of {} rows has enough steps.", o.train.batch, log.rows));
  return said;
}

void suit_history(dataset::Options& o) {
  if (o.evaluate.repeats == dataset::Repeats::keep) o.train.mask_history_items = false;
  if (!o.towers.item.id.enabled) o.towers.user.history.table = features::HistoryTable::own;
}

std::string suit_split(data::SplitOptions& split, const data::TimedRows& rows) {
  constexpr uint64_t kEnough = 200;
  std::vector<uint32_t> rows_of(rows.users);
  for (const uint32_t user : rows.user) ++rows_of[user];
  const auto with = [&](uint32_t least) {
    return static_cast<uint64_t>(std::ranges::count_if(rows_of, [&](uint32_t n) { return n >= least; }));
  };
  const uint64_t with_three = with(3), users = with(1);
  const auto chosen = data::choose_time_split(rows);
  if (const uint64_t least = std::min(kEnough, (with_three + 1) / 2);
      chosen && std::min(chosen->validation.users, chosen->test.users) >= least &&
      (with(2) == 0 || std::min(chosen->validation.users, chosen->test.users) > 0)) {
    const auto& [validation, test] = *chosen;
    split = {.kind = data::SplitKind::time, .validation = validation.duration, .test = test.duration, .test_files = {}};
    return fmt::format(
        "Split by time: the last {} ({} rows, {} users to judge by) judge the model, the {} before it ({} rows, {} "
        "users) choose it, {} rows train.",
        test.duration, test.rows, test.users, validation.duration, validation.rows, validation.users,
        rows.time_us.size() - test.rows - validation.rows);
  }
  const auto why = chosen ? fmt::format(
                                "the best cut in time leaves {} users to choose the model by and {} to judge it by, "
                                "of {}: most do not come back later",
                                chosen->validation.users, chosen->test.users, users)
                          : std::string("no cut in time leaves rows in all three parts");
  if (with_three > 0) {
    split = {.kind = data::SplitKind::leave_last, .test_files = {}};
    return fmt::format(
        "Split by each user's last row: {}. The last row of {} users judges the model, the one before it chooses it. "
        "What "
        "others did later then helps to say what came before: figures are too good.",
        why, with(2));
  }
  split = {.kind = data::SplitKind::random, .test_files = {}};
  return fmt::format(
      "Split at random: {}, and nobody has three rows. What comes later then helps to say what came before.", why);
}

}  // namespace pagoda::train
