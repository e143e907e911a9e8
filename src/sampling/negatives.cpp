#include "sampling/negatives.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/suggest.h"

namespace pagoda::sampling {

void describe(OptionVisitor& visitor, NegativesOptions& options) {
  visitor.field("source", options.source,
                "in_batch (free), uniform (add it to push away what nobody clicked), popularity, hot, cold_per_user, "
                "cross_batch, mined, impressions, catalogue (alone: every item, exact); `pagoda diagnose` advises");
  visitor.field(
      "count", options.count,
      "columns per step (cold_per_user, mined, impressions: per row; cross_batch: its memory); more is nearer to "
      "the full softmax, and slower; 0: the source's default");
  visitor.field("final_count", options.final_count,
                "the count moves evenly to this at the end of training: from hard to easy, or back; -1: it stays");
  visitor.number_or("start", options.start, "auto",
                    "share of training before the source begins; cross_batch 0.1 and mined 0.2, the others at once");
  visitor.field("stop", options.stop, "share of training after which it ends");
  visitor.number_or("power", options.power, "auto",
                    "popularity, hot: drawn by count^this, 0.75; catalogue: columns weighed by it, 0: above 0 pushes "
                    "popular items down");
  visitor.number_or("share", options.share, "auto",
                    "hot: of the items, the most popular, 0.2; cold_per_user: the least popular, 0.8");
  visitor.choice("items", options.items, {{"all", DrawnItems::all}, {"clicked", DrawnItems::clicked}},
                 "uniform: all of the catalogue, or those with a row: then items that are new are not pushed away, and "
                 "features can bring them up");
  visitor.choice("mining", options.mining, {{"online", Mining::online}, {"offline", Mining::offline}},
                 "mined: the hardest of the batch (at most 2 per positive), or from a search with the present model");
  visitor.field("first_rank", options.first_rank,
                "mined offline: ranks before it are left out, too often true positives");
  visitor.field("last_rank", options.last_rank, "mined offline: ranks after it are left out, too easy");
  visitor.field("shard", options.shard,
                "mined offline: share of the catalogue that is searched, another one each time");
  visitor.field("refresh", options.refresh, "mined offline: epochs between two searches");
}

namespace {

using Options = NegativesOptions;
using Context = SamplingContext;

// The config keys that a source reads, beside `source`.
constexpr const char kDrawn[] = "count final_count start stop";

// Which items a source can draw, and whether it depends on the row's user and so needs SamplingContext::user_items.
enum class Draws { any_item, some_items, by_user };

// The one list of sources.
struct SourceKind {
  const char* name;
  const char* keys;
  Draws draws;
  std::unique_ptr<NegativeSource> (*make)(const NegativesOptions& options, const SamplingContext& context);
};
constexpr SourceKind kSources[] = {
    {"in_batch", "", Draws::any_item, [](const Options&, const Context& context) { return make_in_batch(context); }},
    {"uniform", "count final_count start stop items", Draws::any_item, make_uniform},
    {"popularity", "count final_count start stop power", Draws::any_item, make_popularity},
    {"hot", "count final_count start stop power share", Draws::some_items, make_hot},
    {"cold_per_user", "count final_count start stop share", Draws::by_user, make_cold_per_user},
    {"cross_batch", "count start stop", Draws::some_items, make_cross_batch},
    {"mined", "count final_count start stop mining first_rank last_rank shard refresh", Draws::by_user, make_mined},
    {"impressions", kDrawn, Draws::by_user, make_impressions},
    {"catalogue", "power", Draws::any_item,
     [](const Options&, const Context& context) { return make_catalogue(context); }},
};

const SourceKind& kind_of(const std::string& source) {
  for (const auto& kind : kSources)
    if (source == kind.name) return kind;
  const auto names = negative_source_names();
  fail(ErrorKind::usage, "sampling.negatives: unknown source '{}'{}", source, suggestion(source, names));
}

// A key that the source does not read would be believed to act.
void refuse_idle_keys(const Options& options, const SourceKind& kind) {
  const Options standard;
  const std::string keys = std::string(" ") + kind.keys + " ";
  const auto refuse = [&](const char* key, bool given) {
    if (given && keys.find(std::string(" ") + key + " ") == std::string::npos)
      fail(ErrorKind::usage, "sampling.negatives: source '{}' has no {}; remove the key{}", options.source, key,
           *kind.keys ? fmt::format(" (it reads: {})", kind.keys) : "");
  };
  refuse("count", options.count != standard.count);
  refuse("final_count", options.final_count != standard.final_count);
  refuse("start", options.start.has_value());
  refuse("stop", options.stop != standard.stop);
  refuse("power", options.power.has_value());
  refuse("share", options.share.has_value());
  refuse("items", options.items != standard.items);
  refuse("mining", options.mining != standard.mining);
  refuse("first_rank", options.first_rank != standard.first_rank);
  refuse("last_rank", options.last_rank != standard.last_rank);
  refuse("shard", options.shard != standard.shard);
  refuse("refresh", options.refresh != standard.refresh);
}

}  // namespace

std::vector<std::string> negative_source_names() {
  std::vector<std::string> names;
  for (const auto& kind : kSources) names.emplace_back(kind.name);
  return names;
}

bool draws_any_item(const NegativesOptions& o) {
  return kind_of(o.source).draws == Draws::any_item && o.start.value_or(0) == 0 && o.stop >= 1 && o.final_count != 0;
}

bool draws_by_user(const NegativesOptions& o) { return kind_of(o.source).draws == Draws::by_user; }

void validate(const NegativesOptions& o) {
  const auto& kind = kind_of(o.source);
  refuse_idle_keys(o, kind);
  const auto refuse = [&](bool wrong, const char* key, double value, const char* expected) {
    if (wrong)
      fail(ErrorKind::usage, "sampling.negatives: source '{}' has {} = {}, expected {}", o.source, key, value,
           expected);
  };
  const auto share = [](double x) { return x > 0 && x <= 1; };
  const auto moment = [](double x) { return x >= 0 && x <= 1; };
  refuse(o.count < 0 || o.count > INT32_MAX, "count", static_cast<double>(o.count), "1 or more columns");
  refuse(o.final_count < -1 || o.final_count > INT32_MAX, "final_count", static_cast<double>(o.final_count),
         "0 or more columns, or -1");
  refuse(!moment(o.start.value_or(0)), "start", o.start.value_or(0), "a share of the training in [0, 1]");
  refuse(!moment(o.stop) || o.stop <= o.start.value_or(0), "stop", o.stop,
         "a share of the training after start, up to 1");
  refuse(!std::isfinite(o.power.value_or(0)) || std::abs(o.power.value_or(0)) > 10, "power", o.power.value_or(0),
         "a number; 0.75 is word2vec's");
  refuse(!share(o.share.value_or(1)), "share", o.share.value_or(1), "a share of the items in (0, 1]");
  refuse(!share(o.shard), "shard", o.shard, "a share of the catalogue in (0, 1]");
  refuse(o.first_rank < 1, "first_rank", static_cast<double>(o.first_rank), "a rank from 1 on");
  refuse(o.last_rank < o.first_rank, "last_rank", static_cast<double>(o.last_rank), "a rank from first_rank on");
  refuse(o.refresh < 1, "refresh", static_cast<double>(o.refresh), "1 or more epochs");
}

std::unique_ptr<NegativeSource> make_negative_source(const NegativesOptions& options, const SamplingContext& context) {
  validate(options);
  return kind_of(options.source).make(options, context);
}

CountSchedule::CountSchedule(const NegativesOptions& options, int64_t own_count, double own_start)
    : count_(options.count > 0 ? options.count : own_count),
      final_count_(options.final_count >= 0 ? options.final_count : count_), start_(options.start.value_or(own_start)),
      stop_(options.stop) {}

int64_t CountSchedule::at(double progress) const {
  if (progress < start_ || (progress >= stop_ && stop_ < 1)) return 0;
  return count_ + std::llround(static_cast<double>(final_count_ - count_) * progress);
}

std::vector<uint32_t> items_by_popularity(const SamplingContext& context) {
  check(context.training_counts.size() == context.catalogue_items, "popularity knows each item's count");
  std::vector<uint32_t> order(context.catalogue_items);
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(
      order, [&](uint32_t a, uint32_t b) { return context.training_counts[a] > context.training_counts[b]; });
  return order;
}

}  // namespace pagoda::sampling
