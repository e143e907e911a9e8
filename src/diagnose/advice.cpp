#include "diagnose/advice.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/progress.h"
#include "diagnose/figures.h"

namespace pagoda {

namespace {

// A minute an epoch at the 50e9 multiply-adds a second of two cores (docs/results.md: gowalla trains at that rate).
constexpr double kAffordable = 3e12;
// A bottom half that is beside every fourth row needs no columns of its own.
constexpr double kColdEnough = 0.25;
// More hits than this, and in-batch columns are mostly none.
constexpr double kHitsTooMany = 0.5;
// Columns are a twentieth of the catalogue, and a memory of earlier batches adds little; below a hundredth it is worth its
// staleness.
constexpr double kCoveredWell = 0.01;
// Consecutive tenths of the log share less than this, its ends less than that, or so many of the last tenth's clicks are on new
// items: all-time popularity is not that of the day.
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

// What the sampled columns are to be.
struct Sampled {
  bool in_batch = true, uniform = true;
  uint64_t hot = 0, cold_per_user = 0, cross_batch = 0;  // counts; 0: left out
};

bool drifts(const Drift& d) {
  return d.next_overlap.value_or(1) < kNextOverlap || d.ends_overlap.value_or(1) < kEndsOverlap ||
         d.unseen.back() > kUnseen;
}

// 1/tau = log(M - 1) gives one item at cosine 1 against M - 1 at cosine 0 half of the probability: a much higher temperature can
// not tell it apart from so many, a much lower one hears nothing but the nearest.
double temperature_for(uint64_t items) {
  const double tau = items > 2 ? 1 / std::log(static_cast<double>(items - 1)) : 1;
  return std::clamp(std::round(tau * 100) / 100, 0.05, 0.2);
}

class Adviser {
 public:
  explicit Adviser(const Diagnosis& d) : d_(d), exact_(exact_softmax(d)) {}

  Advice run() {
    catalogue();
    in_batch();
    uniform();
    hot();
    cold_per_user();
    popularity();
    cross_batch();
    correction();
    popularity_dial();
    temperature();
    frequency();
    batch();
    blocks();
    return std::move(advice_);
  }

 private:
  template <class... Args>
  void say(std::string subject, bool take, fmt::format_string<Args...> format, Args&&... args) {
    advice_.points.push_back({std::move(subject), take, fmt::format(format, std::forward<Args>(args)...)});
  }

  bool start_exact() const { return exact_ == Exact::by_row || (exact_ == Exact::by_user && !d_.drift); }
  const Stratum& head() const { return d_.strata.front(); }
  const Stratum& tail() const { return d_.strata.back(); }
  uint64_t never() const { return d_.catalogue_items - d_.clicked_items; }
  uint64_t sampled_columns() const { return d_.batch + (sampled_.uniform ? d_.uniform_count : 0); }
  double tail_chance() const { return sampled_.uniform ? tail().with_uniform_chance : tail().in_batch_chance; }

  void catalogue() {
    const auto items = grouped(d_.catalogue_items);
    const auto price = [&](double cost) {
      return fmt::format("{} multiply-adds an epoch against {} of {} sampled columns a row", human_count(cost),
                         human_count(d_.sampled_cost), grouped(d_.batch + d_.uniform_count));
    };
    if (exact_ == Exact::by_row)
      say("catalogue", true,
          "All {} items as columns of every row, the exact softmax, are affordable: {}. Start with it: nothing is "
          "drawn, so "
          "nothing needs correcting, and every item is a negative of every row. Sampled sources estimate this loss.",
          items, price(d_.catalogue_cost));
    else if (exact_ == Exact::by_user && start_exact())
      say("catalogue", true,
          "All {} items as columns are affordable with a row a user (train.rows = \"user\"): {}. Start with it: "
          "nothing is "
          "drawn, so nothing needs correcting. With a row a click it would be {}.",
          items, price(d_.catalogue_by_user), human_count(d_.catalogue_cost));
    else if (exact_ == Exact::by_user)
      say("catalogue", true,
          "All {} items as columns are affordable with a row a user at a random moment (train.rows = \"user\", targets "
          "= "
          "\"window\"): {}; with a row a click, {}. Compare with it.",
          items, price(d_.catalogue_by_user), human_count(d_.catalogue_cost));
    else
      say("catalogue", false, "All {} items as columns are too many: {}, {} with a row a user.", items,
          price(d_.catalogue_cost), human_count(d_.catalogue_by_user));
  }

  void in_batch() {
    sampled_.in_batch = d_.batch > 1 && d_.accidental_hits <= kHitsTooMany;
    std::string hits = fmt::format("{} of the {} columns that other rows bring are accidental hits, which are masked",
                                   percent(d_.accidental_hits), grouped(d_.batch - 1));
    if (d_.accidental_hits_in_time_order)
      hits += fmt::format(" ({} in order of time)", percent(*d_.accidental_hits_in_time_order));
    if (sampled_.in_batch)
      say("in_batch", true, "It costs no column of its own, and {}.", hits);
    else
      say("in_batch", false, "Its columns are few that are negatives: {}.", hits);
  }

  void uniform() {
    const bool cold_enough = tail().in_batch_chance >= kColdEnough && never() == 0;
    sampled_.uniform = !sampled_.in_batch || !cold_enough;
    if (!sampled_.uniform) {
      say("uniform", false,
          "Every item has clicks, and one of the bottom half is an in-batch column beside {} of the rows: the tail is "
          "pushed as it is.",
          percent(tail().in_batch_chance));
      return;
    }
    std::string why;
    if (never() > 0)
      why =
          fmt::format("{} of {} items were never clicked: in_batch never pushes them, and they may come up anywhere. ",
                      grouped(never()), grouped(d_.catalogue_items));
    say("uniform", true,
        "{}An item of the bottom half is an in-batch column beside {} of the rows, with {} uniform columns beside {}; "
        "of the items "
        "that the median user ({} rows) never meets in an epoch, {} become {}. Corrected columns are worth as much as "
        "{} uniform ones, "
        "in_batch alone {} over {} items.",
        why, percent(tail().in_batch_chance), grouped(d_.uniform_count), percent(tail().with_uniform_chance),
        grouped(d_.median_user_rows), grouped(rounded(d_.items_absent_user)),
        grouped(rounded(d_.items_absent_user_with_uniform)), grouped(rounded(d_.with_uniform.columns)),
        grouped(rounded(d_.in_batch.columns)), grouped(d_.in_batch.reached));
  }

  void hot() {
    if (head().in_batch_columns >= 1 || d_.top_20_share < 0.5) {
      say("hot", false,
          "The top 20% of the items hold {} of the clicks, and one of the top 1% ({} items) already is {} columns of a "
          "batch. More "
          "of them, corrected, change no expectation; they cost columns.",
          percent(d_.top_20_share), grouped(head().items), significant(head().in_batch_columns));
      return;
    }
    sampled_.hot = power_of_two(static_cast<double>(head().items) * (1 - head().in_batch_columns), 64, 2048);
    say("hot", true,
        "The top 20% of the items hold {} of the clicks, but one of the top 1% ({} items, {} of the clicks) is a "
        "column beside only {} "
        "of the rows. These are most of the hard negatives: {} columns more from among them.",
        percent(d_.top_20_share), grouped(head().items), percent(d_.top_1_share), percent(head().in_batch_chance),
        grouped(sampled_.hot));
  }

  void cold_per_user() {
    const double drawn =
        static_cast<double>(d_.steps) * static_cast<double>(d_.uniform_count) / static_cast<double>(d_.catalogue_items);
    if (!sampled_.uniform || drawn >= 1) {
      const auto met = sampled_.uniform ? fmt::format(", and is drawn {} times an epoch by uniform", significant(drawn))
                                        : std::string();
      say("cold_per_user", false,
          "An item of the bottom half ({} items, {} of the clicks) is a column beside {} of the rows as it is{}. "
          "Columns of single "
          "rows cost a gathered vector for each row, {} a step for each one.",
          grouped(tail().items), percent(share_of(tail())), percent(tail_chance()), met, grouped(d_.batch));
      return;
    }
    sampled_.cold_per_user = 4;
    say("cold_per_user", true,
        "An item of the bottom half ({} items, {} of the clicks) is a column beside {} of the rows, and uniform draws "
        "it {} times an "
        "epoch: many are never pushed. 4 of them for each row are {} different draws a step.",
        grouped(tail().items), percent(share_of(tail())), percent(tail_chance()), significant(drawn),
        grouped(4 * d_.batch));
  }

  void popularity() {
    if (sampled_.in_batch)
      say("popularity", false,
          "in_batch draws by popularity already (1 / sum q^2 is {} items){}. A power between adds a third shape and no "
          "item.",
          grouped(rounded(d_.effective_items)),
          sampled_.uniform
              ? fmt::format(", and with uniform the columns fall on {}", grouped(rounded(d_.with_uniform.different)))
              : "");
    else
      say("popularity", false,
          "With uniform alone no item is drawn more often than another, and none needs correcting.");
  }

  void cross_batch() {
    const double covered = static_cast<double>(sampled_columns()) / static_cast<double>(d_.catalogue_items);
    if (covered >= kCoveredWell || !sampled_.in_batch) {
      say("cross_batch", false, "{} columns a step for {} items are many enough; those of a memory are stale.",
          grouped(sampled_columns()), grouped(d_.catalogue_items));
      return;
    }
    sampled_.cross_batch = 4 * d_.batch;
    say("cross_batch", true,
        "{} columns a step are {} of {} items; a memory of the last 4 batches brings {} more for the price of their "
        "products alone.",
        grouped(sampled_columns()), percent(covered), grouped(d_.catalogue_items), grouped(sampled_.cross_batch));
  }

  void correction() {
    if (!sampled_.in_batch) {
      say("correction", true, "\"standard\"; all expected counts are the same, so it changes nothing yet.");
      return;
    }
    say("correction", true,
        "\"standard\": hot items hold {} of the clicks (top 20%), {} of them the top 1%. An item of the top 1% is "
        "e^{:.1f} times as "
        "often a column as the median clicked one: in_batch without correction takes {:.1f} off its logit, a cosine of "
        "{:.2f} at "
        "temperature {}. It over-punishes hot items by that much.",
        percent(d_.top_20_share), percent(d_.top_1_share), d_.log_q_gap, d_.log_q_gap,
        d_.log_q_gap * temperature_for(d_.catalogue_items), temperature_for(d_.catalogue_items));
  }

  void popularity_dial() {
    say("popularity_dial", true,
        "1, as it is clicks that are judged and {} of them are on the top 20%. Every tenth that it is turned down "
        "takes {:.2f} off the "
        "logit of an item of the top 1% against the median one: turn it where reach (Gini of the clicks {:.2f}) counts "
        "more.",
        percent(d_.top_20_share), d_.log_q_gap / 10, d_.gini);
  }

  void temperature() {
    say("temperature", true,
        "{}: one item at cosine 1 against {} at cosine 0 gets half of the probability at 1 / log {} = {:.3f}. {} of "
        "in-batch columns "
        "and {} of uniform ones are items that the row's user clicks at another time and no mask knows of: the more "
        "there are, the "
        "less a lower temperature bears them. Try it {} and {}.",
        temperature_for(d_.catalogue_items), grouped(d_.catalogue_items - 1), grouped(d_.catalogue_items - 1),
        d_.catalogue_items > 2 ? 1 / std::log(static_cast<double>(d_.catalogue_items - 1)) : 1.0,
        percent(std::max(0.0, d_.liked_in_batch - d_.accidental_hits)), percent(d_.liked_uniform),
        fmt::format("{:.2f}", temperature_for(d_.catalogue_items) / 1.5),
        fmt::format("{:.2f}", temperature_for(d_.catalogue_items) * 1.5));
  }

  void frequency() {
    if (!d_.drift) {
      say("frequency", true,
          "\"counts\": without times there is no order to follow, and counts are exact for shuffled epochs.");
      return;
    }
    const auto& drift = *d_.drift;
    std::string seen = fmt::format("{} of the clicks of the log's last tenth are on items unseen before",
                                   percent(drift.unseen.back()));
    if (drift.next_overlap && drift.ends_overlap)
      seen = fmt::format(
          "a tenth of the log and the next have {} of their popularity in common, the first and the last {}, and {}",
          percent(*drift.next_overlap), percent(*drift.ends_overlap), seen);
    if (drifts(drift))
      say("frequency", true,
          "\"counts\" with shuffled epochs, for which they are exact. But popularity drifts: {}. To follow it, train "
          "in order of time "
          "(train.order = \"time\"); then \"streaming\" is the frequency of the moment, and counts are not.",
          seen);
    else
      say("frequency", true, "\"counts\": popularity holds: {}. \"streaming\" has nothing to follow.", seen);
  }

  void batch() {
    if (d_.steps < kStepsEnough)
      say("batch", true, "An epoch is only {} steps of {} rows: a smaller batch learns more from each pass.", d_.steps,
          grouped(d_.batch));
  }

  void blocks() {
    const auto loss = fmt::format(
        "[loss]\nkind = \"sampled_softmax\"\ntemperature = {}\ncorrection = \"standard\"\npopularity_dial = 1.0\n",
        temperature_for(d_.catalogue_items));
    const bool order = d_.drift && drifts(*d_.drift);
    AdviceBlock sampled{"sampled negatives", ""};
    sampled.toml = loss + "\n[sampling.frequency]\nkind = \"counts\"" +
                   (order ? "  # \"streaming\" with order = \"time\" in [train]" : "") + "\n";
    const auto source = [&](std::string_view name, const std::string& keys) {
      sampled.toml += fmt::format("\n[[sampling.negatives]]\nsource = \"{}\"\n{}", name, keys);
    };
    if (sampled_.in_batch) source("in_batch", "");
    if (sampled_.uniform) source("uniform", fmt::format("count = {}\n", d_.uniform_count));
    if (sampled_.hot) source("hot", fmt::format("count = {}\nshare = 0.01\n", sampled_.hot));
    if (sampled_.cold_per_user)
      source("cold_per_user", fmt::format("count = {}\nshare = 0.5\n", sampled_.cold_per_user));
    if (sampled_.cross_batch) source("cross_batch", fmt::format("count = {}\n", sampled_.cross_batch));
    advice_.blocks.push_back(std::move(sampled));
    if (exact_ == Exact::no) return;

    const auto batch = std::min<uint64_t>(512, exact_ == Exact::by_row ? d_.batch : d_.users);
    const auto train = exact_ == Exact::by_row ? fmt::format("batch = {}", batch)
                       : d_.drift              ? fmt::format("rows = \"user\", targets = \"window\", batch = {}", batch)
                                               : fmt::format("rows = \"user\", targets = \"half\", batch = {}", batch);
    AdviceBlock exact{
        "the exact softmax",
        loss + "\n[[sampling.negatives]]\nsource = \"catalogue\"\n\n# in [train]: " + train +
            "\n# popularity_dial turns nothing here: power = 0.5 of the source does what 0.5 of the dial does\n"};
    advice_.blocks.insert(start_exact() ? advice_.blocks.begin() : advice_.blocks.end(), std::move(exact));
  }

  double share_of(const Stratum& s) const { return static_cast<double>(s.clicks) / static_cast<double>(d_.rows); }
  static uint64_t rounded(double x) { return static_cast<uint64_t>(std::llround(std::max(0.0, x))); }

  const Diagnosis& d_;
  Exact exact_;
  Sampled sampled_;
  Advice advice_;
};

}  // namespace

Advice advise(const Diagnosis& diagnosis) { return Adviser(diagnosis).run(); }

}  // namespace pagoda
