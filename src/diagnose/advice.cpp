#include "diagnose/advice.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/progress.h"
#include "diagnose/figures.h"

namespace pagoda::diagnose {

namespace {

// One minute per epoch at the 50e9 multiply-adds per second of two cores (docs/results.md: gowalla trains at that
// rate).
constexpr double kAffordable = 3e12;
// A bottom half that is a column beside every fourth row needs no additional columns.
constexpr double kColdEnough = 0.25;
// With more hits than this, in-batch columns are mostly masked.
constexpr double kHitsTooMany = 0.5;
// If columns are less than a hundredth of the catalogue, a memory of earlier batches is worth its staleness.
constexpr double kCoveredWell = 0.01;
// log_q_gap: below it, an item of the top 1% is a column less than 1.6 times as often as the median one, and there is
// little to correct.
constexpr double kSkewed = 0.5;
// The share of columns that the user likes and no mask knows of, above which it matters.
constexpr double kMiddleMatters = 0.1;  // share of the clicks
constexpr double kLikedMany = 0.05;
// Columns per row of cold_per_user.
constexpr uint64_t kColdColumns = 4;
// Popularity drifts if consecutive tenths of the log share less than this, its ends less than that, or so many of the
// last tenth's clicks are on new items.
constexpr double kNextOverlap = 0.8, kEndsOverlap = 0.5, kUnseen = 0.05;
// An epoch of fewer steps learns little from each pass (the rule of `pagoda init`).
constexpr uint64_t kStepsEnough = 50;

enum class Exact { by_row, by_user, no };

Exact exact_softmax(const Diagnosis& d) {
  if (d.catalogue_cost <= kAffordable) return Exact::by_row;
  return d.catalogue_by_user <= kAffordable ? Exact::by_user : Exact::no;
}

uint64_t power_of_two(double at_least, uint64_t least, uint64_t most) {
  uint64_t n = least;
  while (n < most && static_cast<double>(n) < at_least) n *= 2;
  return n;
}

// The sampled columns to advise.
struct Sampled {
  bool in_batch = true, uniform = true;
  uint64_t hot = 0, cold_per_user = 0, cross_batch = 0;  // counts; 0: left out
};

bool drifts(const Drift& d) {
  return d.next_overlap.value_or(1) < kNextOverlap || d.ends_overlap.value_or(1) < kEndsOverlap ||
         d.unseen.back() > kUnseen;
}

// With 1/tau = log(M - 1), one item at cosine 1 against M - 1 at cosine 0 has half of the probability. A much higher
// temperature cannot tell it apart from so many; a much lower one reacts to the nearest items alone.
double temperature_for(uint64_t items) {
  const double tau = items > 2 ? 1 / std::log(static_cast<double>(items - 1)) : 1;
  return std::clamp(std::round(tau * 100) / 100, 0.05, 0.2);
}

class Adviser {
 public:
  explicit Adviser(const Diagnosis& d)
      : d_(d), exact_(exact_softmax(d)), temperature_(temperature_for(d.catalogue_items)) {}

  Advice run() {
    catalogue();
    in_batch();
    uniform();
    hot();
    cold_per_user();
    popularity();
    cross_batch();
    correction();
    logq_weight();
    temperature();
    frequency();
    rows();
    batch();
    blocks();
    return std::move(advice_);
  }

 private:
  template <class... Args>
  void say(std::string subject, Verdict verdict, fmt::format_string<Args...> format, Args&&... args) {
    advice_.points.push_back({std::move(subject), verdict, fmt::format(format, std::forward<Args>(args)...)});
  }

  bool start_exact() const { return exact_ == Exact::by_row || (exact_ == Exact::by_user && !d_.drift); }
  bool order_matters() const { return d_.drift && drifts(*d_.drift); }
  bool skewed() const { return d_.log_q_gap >= kSkewed; }
  const Stratum& head() const { return d_.strata.front(); }
  const Stratum& middle() const { return d_.strata[2]; }  // 5-20%
  const Stratum& tail() const { return d_.strata.back(); }
  uint64_t never() const { return d_.catalogue_items - d_.clicked_items; }
  double liked_unmasked() const { return std::max(0.0, d_.liked_in_batch - d_.accidental_hits); }
  uint64_t sampled_columns() const { return d_.batch + (sampled_.uniform ? d_.uniform_count : 0); }
  double tail_chance() const { return sampled_.uniform ? tail().with_uniform_chance : tail().in_batch_chance; }
  double share_of(const Stratum& s) const { return static_cast<double>(s.clicks) / static_cast<double>(d_.rows); }
  static std::string whole(double x) { return grouped(static_cast<uint64_t>(std::llround(std::max(0.0, x)))); }

  void catalogue() {
    const auto items = grouped(d_.catalogue_items);
    const auto price = [&](double cost, double encoded) {
      return fmt::format("{} multiply-adds an epoch and {} encoded items, against {} and {} with {} sampled columns",
                         human_count(cost), human_count(encoded), human_count(d_.sampled_cost),
                         human_count(d_.sampled_encoded), grouped(d_.batch + d_.uniform_count));
    };
    constexpr auto kWhy =
        "Start with it: nothing is drawn, so nothing needs correcting, and every item is a negative of every row.";
    if (exact_ == Exact::by_row)
      say("catalogue", Verdict::take, "All {} items as columns, the exact softmax, are affordable: {}. {}", items,
          price(d_.catalogue_cost, d_.catalogue_encoded), kWhy);
    else if (exact_ == Exact::by_user && start_exact())
      say("catalogue", Verdict::take,
          "All {} items as columns, the exact softmax, are affordable with one row per user (train.rows = \"user\"): "
          "{}; with one row per "
          "click {} multiply-adds. {}",
          items, price(d_.catalogue_by_user, d_.catalogue_by_user_encoded), human_count(d_.catalogue_cost), kWhy);
    else if (exact_ == Exact::by_user)
      say("catalogue", Verdict::take,
          "To compare with: all {} items as columns, the exact softmax, are affordable with one row per user at a "
          "random "
          "moment "
          "(train.rows = \"user\", targets = \"window\"): {}. With one row per click, each with the history before it, "
          "they are {} "
          "multiply-adds.",
          items, price(d_.catalogue_by_user, d_.catalogue_by_user_encoded), human_count(d_.catalogue_cost));
    else
      say("catalogue", Verdict::leave_out,
          "All {} items as columns are too many: {}; with one row per user {} multiply-adds.", items,
          price(d_.catalogue_cost, d_.catalogue_encoded), human_count(d_.catalogue_by_user));
  }

  void in_batch() {
    sampled_.in_batch = d_.batch > 1 && d_.accidental_hits <= kHitsTooMany;
    const auto in_order = d_.accidental_hits_in_time_order
                              ? fmt::format(" ({} in order of time)", percent(*d_.accidental_hits_in_time_order))
                              : std::string();
    const auto hits = fmt::format("{} of the {} columns that other rows bring are accidental hits, which are masked{}",
                                  percent(d_.accidental_hits), grouped(d_.batch - 1), in_order);
    if (sampled_.in_batch)
      say("in_batch", Verdict::take, "The first of the sampled sources, as it costs no column of its own; {}.", hits);
    else
      say("in_batch", Verdict::leave_out, "It gives hardly any negatives: {}.", hits);
  }

  void uniform() {
    const bool cold_enough = tail().in_batch_chance >= kColdEnough && never() == 0;
    sampled_.uniform = !sampled_.in_batch || !cold_enough;
    if (!sampled_.uniform) {
      say("uniform", Verdict::leave_out,
          "Every item has clicks, and one of the bottom half is an in-batch column beside {} of the rows: the tail is "
          "pushed away "
          "as it is.",
          percent(tail().in_batch_chance));
      return;
    }
    const auto why =
        never() > 0 ? fmt::format(
                          "{} of {} items were never clicked: in_batch never pushes them away, and they may come up "
                          "anywhere. Items that are merely new are pushed away with them: leave it out if new items "
                          "must be found. ",
                          grouped(never()), grouped(d_.catalogue_items))
                    : std::string();
    say("uniform", Verdict::take,
        "{}An item of the bottom half ({} of the clicks) is an in-batch column beside {} of the rows, with {} uniform "
        "columns beside "
        "{}. The median user ({} rows) then fails to meet {} items in an epoch, not {}. While all logits are alike, "
        "the corrected "
        "columns are worth {} uniform ones, those of in_batch alone {}.",
        why, percent(share_of(tail())), percent(tail().in_batch_chance), grouped(d_.uniform_count),
        percent(tail().with_uniform_chance), grouped(d_.median_user_rows), whole(d_.items_absent_user_with_uniform),
        whole(d_.items_absent_user), whole(d_.with_uniform.columns), whole(d_.in_batch.columns));
  }

  void hot() {
    if (d_.top_20_share < 0.5) {
      say("hot", Verdict::leave_out, "The top 20% of the items hold {} of the clicks: there is no head to draw from.",
          percent(d_.top_20_share));
    } else if (head().in_batch_columns >= 1 && share_of(middle()) >= kMiddleMatters && middle().in_batch_columns < 1) {
      sampled_.hot = power_of_two(static_cast<double>(middle().items), 64, 2048);
      say("hot", Verdict::take,
          "Worth comparing: one of the top 1% already is {} columns of a batch, but an item of the {} ({} items, {} of "
          "the "
          "clicks) is a column beside only {} of the rows, and those are the hard negatives after the hottest: {} "
          "columns "
          "from the top 20%.",
          significant(head().in_batch_columns), middle().name, grouped(middle().items), percent(share_of(middle())),
          percent(middle().in_batch_chance), grouped(sampled_.hot));
    } else if (head().in_batch_columns >= 1) {
      say("hot", Verdict::leave_out,
          "The top 20% of the items hold {} of the clicks, and one of the top 1% ({} items) already is {} columns of a "
          "batch. More of "
          "them, corrected, change no expectation; with a logq_weight below 1 they would push hot items further "
          "down.",
          percent(d_.top_20_share), grouped(head().items), significant(head().in_batch_columns));
    } else {
      sampled_.hot = power_of_two(static_cast<double>(head().items) * (1 - head().in_batch_columns), 64, 2048);
      say("hot", Verdict::take,
          "The top 20% of the items hold {} of the clicks, but one of the top 1% ({} items, {} of the clicks) is a "
          "column beside only "
          "{} of the rows. Most hard negatives are among them: {} columns more.",
          percent(d_.top_20_share), grouped(head().items), percent(d_.top_1_share), percent(head().in_batch_chance),
          grouped(sampled_.hot));
    }
  }

  void cold_per_user() {
    const double drawn =
        static_cast<double>(d_.steps) * static_cast<double>(d_.uniform_count) / static_cast<double>(d_.catalogue_items);
    if (!sampled_.uniform || drawn >= 1) {
      const auto met = sampled_.uniform ? fmt::format(", and uniform draws it {} times an epoch", significant(drawn))
                                        : std::string();
      say("cold_per_user", Verdict::leave_out,
          "An item of the bottom half ({} items) is a column beside {} of the rows as it is ({} of the {} rows of the "
          "median "
          "user){}. Columns of single rows are dear: one for each row is {} encoded items a step.",
          grouped(tail().items), percent(tail_chance()), significant(d_.beside_median_user(tail_chance())),
          grouped(d_.median_user_rows), met, grouped(d_.batch));
      return;
    }
    sampled_.cold_per_user = kColdColumns;
    say("cold_per_user", Verdict::take,
        "An item of the bottom half ({} items) is a column beside {} of the rows, and uniform draws it {} times an "
        "epoch: many are "
        "never pushed away. {} for each row are {} draws a step.",
        grouped(tail().items), percent(tail_chance()), significant(drawn), kColdColumns,
        grouped(kColdColumns * d_.batch));
  }

  void popularity() {
    if (sampled_.in_batch)
      say("popularity", Verdict::leave_out,
          "in_batch draws by popularity already, over {} effective items (1 / sum q^2){}. A power between adds a third "
          "shape and no "
          "item.",
          whole(d_.effective_items),
          sampled_.uniform ? fmt::format(", {} with uniform", whole(d_.with_uniform.different)) : "");
    else
      say("popularity", Verdict::leave_out,
          "With uniform alone no item is drawn more often than another: nothing needs correcting.");
  }

  void cross_batch() {
    const double covered = static_cast<double>(sampled_columns()) / static_cast<double>(d_.catalogue_items);
    if (covered >= kCoveredWell || !sampled_.in_batch) {
      say("cross_batch", Verdict::leave_out,
          "{} columns per step are enough for {} items, and those of a memory are stale.", grouped(sampled_columns()),
          grouped(d_.catalogue_items));
      return;
    }
    sampled_.cross_batch = 4 * d_.batch;
    say("cross_batch", Verdict::take,
        "{} columns per step are {} of {} items; a memory of the last 4 batches adds {} more that need no encoding.",
        grouped(sampled_columns()), percent(covered), grouped(d_.catalogue_items), grouped(sampled_.cross_batch));
  }

  void correction() {
    if (!sampled_.in_batch)
      say("correction", Verdict::set,
          "\"standard\"; with uniform columns alone all expected counts are the same, and it changes nothing.");
    else if (!skewed())
      say("correction", Verdict::set,
          "\"standard\", which costs nothing, but changes little: the top 20% of the items hold {} of the clicks, and "
          "an item of the top "
          "1% is {:.2f} times as often a column as the median clicked one.",
          percent(d_.top_20_share), std::exp(d_.log_q_gap));
    else
      say("correction", Verdict::set,
          "\"standard\": hot items hold {} of the clicks (top 20%; the top 1% hold {}). An item of the top 1% is {} "
          "times as often a "
          "column as the median clicked one, so in_batch without correction takes log {} = {:.1f} off its logit, a "
          "cosine of {:.2f} at "
          "temperature {}: it over-punishes hot items by that much.",
          percent(d_.top_20_share), percent(d_.top_1_share), significant(std::exp(d_.log_q_gap)),
          significant(std::exp(d_.log_q_gap)), d_.log_q_gap, d_.log_q_gap * temperature_, temperature_);
  }

  void logq_weight() {
    if (!skewed())
      say("logq_weight", Verdict::set, "1; clicks are spread evenly (Gini {:.2f}), so it has little effect.", d_.gini);
    else
      say("logq_weight", Verdict::set,
          "1, since evaluation counts clicks and {} of them are on the top 20%. Each tenth that it is lowered "
          "takes {:.2f} off the "
          "logit of an item of the top 1% against the median one: lower it where reach (Gini of the clicks {:.2f}) "
          "counts more.",
          percent(d_.top_20_share), d_.log_q_gap / 10, d_.gini);
  }

  void temperature() {
    const auto others = grouped(d_.catalogue_items - 1);
    const double even = d_.catalogue_items > 2 ? 1 / std::log(static_cast<double>(d_.catalogue_items - 1)) : 1.0;
    say("temperature", Verdict::set,
        "{}: one item at cosine 1 against {} at cosine 0 gets half of the probability at 1 / log {} = {:.3f}. Try "
        "{:.2f} and {:.2f} "
        "too.",
        temperature_, others, others, even, temperature_ / 1.5, temperature_ * 1.5);
  }

  void frequency() {
    if (!d_.drift) {
      say("frequency", Verdict::set,
          "\"counts\": without times there is no order to follow, and for shuffled epochs they are exact.");
      return;
    }
    const auto& drift = *d_.drift;
    auto seen = fmt::format("{} of the clicks of the log's last tenth are on items unseen before",
                            percent(drift.unseen.back()));
    if (drift.next_overlap && drift.ends_overlap)
      seen = fmt::format(
          "a tenth of the log and the next have {} of their popularity in common, the first and the last {}, and {}",
          percent(*drift.next_overlap), percent(*drift.ends_overlap), seen);
    if (drifts(drift))
      say("frequency", Verdict::set,
          "\"counts\" with shuffled epochs, for which they are exact. But popularity drifts: {}. To follow it, train "
          "in order of time "
          "(train.order = \"time\"); in that order \"streaming\" is the frequency of the moment, and counts are not.",
          seen);
    else
      say("frequency", Verdict::set, "\"counts\": popularity holds; {}. \"streaming\" has nothing to follow.", seen);
  }

  void rows() {
    if (liked_unmasked() < kLikedMany) return;
    say("rows", Verdict::set,
        "{} of in-batch columns ({} of uniform ones) are items that the row's user clicks at another time: pushed away "
        "in one row, they are pulled near in another. train.mask_history_items spares those that the user had before. "
        "With train.rows = \"user\" a user's targets are positives of one row, too: compare with it.",
        percent(liked_unmasked()), percent(d_.liked_uniform));
  }

  void batch() {
    if (d_.steps < kStepsEnough)
      say("batch", Verdict::set, "An epoch is only {} steps of {} rows: a smaller batch learns more from each pass.",
          d_.steps, grouped(d_.batch));
  }

  void blocks() {
    const auto loss = fmt::format(
        "[loss]\nkind = \"sampled_softmax\"\ntemperature = {}\ncorrection = \"standard\"\nlogq_weight = 1.0\n",
        temperature_);
    AdviceBlock sampled{"sampled negatives", loss};
    sampled.toml += fmt::format("\n[sampling.frequency]\nkind = \"counts\"{}\n",
                                order_matters() ? "  # \"streaming\" with order = \"time\" in [train]" : "");
    const auto source = [&](std::string_view name, const std::string& keys) {
      sampled.toml += fmt::format("\n[[sampling.negatives]]\nsource = \"{}\"\n{}", name, keys);
    };
    if (sampled_.in_batch) source("in_batch", "");
    if (sampled_.uniform) source("uniform", fmt::format("count = {}\n", d_.uniform_count));
    if (sampled_.hot)
      source("hot", fmt::format("count = {}\nshare = {}\n", sampled_.hot, head().in_batch_columns >= 1 ? 0.2 : 0.01));
    if (sampled_.cold_per_user)
      source("cold_per_user", fmt::format("count = {}\nshare = 0.5\n", sampled_.cold_per_user));
    if (sampled_.cross_batch) source("cross_batch", fmt::format("count = {}\n", sampled_.cross_batch));
    advice_.blocks.push_back(std::move(sampled));
    if (exact_ == Exact::no) return;

    const bool by_row = exact_ == Exact::by_row;
    auto train = fmt::format("batch = {}", std::min(kCatalogueBatch, by_row ? d_.batch : d_.users));
    if (!by_row) train += fmt::format(", rows = \"user\", targets = \"{}\"", d_.drift ? "window" : "half");
    if (!by_row && liked_unmasked() >= kLikedMany) train += ", mask_history_items = true";
    AdviceBlock exact{"the exact softmax", loss};
    exact.toml +=
        "\n[[sampling.negatives]]\nsource = \"catalogue\"\n\n# in [train]: " + train +
        "\n# Nothing is drawn, so correction and logq_weight have no effect; the source's power = 1 - beta does the "
        "dial's work.\n";
    advice_.blocks.insert(start_exact() ? advice_.blocks.begin() : advice_.blocks.end(), std::move(exact));
  }

  const Diagnosis& d_;
  Exact exact_;
  double temperature_;
  Sampled sampled_;
  Advice advice_;
};

}  // namespace

Advice advise(const Diagnosis& diagnosis) { return Adviser(diagnosis).run(); }

}  // namespace pagoda::diagnose
