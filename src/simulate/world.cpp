#include "simulate/world.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/progress.h"
#include "formats/writer.h"
#include "simulate/weighted_draw.h"
#include "simulate/world_population.h"

namespace pagoda::simulate {
namespace {

constexpr int kPatience = 24;  // items that a user scrolls past before giving up
constexpr double kUsualDevice = 0.75;

// A file of rows, written a batch at a time. For each row, push its cells to the columns table[c], then call end_row().
class Table {
 public:
  Table(const std::string& path, const std::vector<formats::ColumnSpec>& specs)
      : writer_(formats::open_writer(path, specs)) {
    for (const auto& spec : specs) {
      auto& column = batch_.columns.emplace_back();
      column.name = spec.name;
      column.type = spec.type;
    }
  }
  columns::Column& operator[](size_t c) { return batch_.columns[c]; }
  void end_row() {
    if (++batch_.rows == kBatchRows) flush();
  }
  void close() {
    flush();
    writer_->close();
  }

 private:
  static constexpr size_t kBatchRows = 65536;
  void flush() {
    if (batch_.rows == 0) return;
    writer_->write(batch_);
    for (auto& column : batch_.columns) column.clear();
    batch_.rows = 0;
  }
  std::unique_ptr<formats::Writer> writer_;
  columns::RawBatch batch_;
};

void push_list(columns::Column& column, std::span<const std::string_view> list) {
  for (const auto element : list) column.elements.push(element);
  column.element_offsets.push_back(column.elements.size());
}

void push_id(columns::Column& column, char kind, uint64_t row) {
  std::array<char, 24> text;
  const auto end = fmt::format_to_n(text.data(), text.size(), "{}{}", kind, row).size;
  column.push_text({text.data(), end});
}

// The times of n interactions, ascending: people are active in the evening, and more so at weekends.
class Calendar {
 public:
  explicit Calendar(int64_t days) {
    constexpr std::array<double, 24> kHours{3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 6, 5, 5, 6, 8, 10, 12, 13, 12, 9, 5};
    total_.push_back(0);
    for (int64_t day = 0; day < days; ++day)
      for (double weight : kHours)
        total_.push_back(total_.back() + weight * (day % 7 >= 5 ? 1.3 : 1.0));  // day 0 is a Monday
  }
  // The time before which `share` of all interactions lie. `share` must not fall from call to call.
  int64_t at(double share) {
    const double sought = share * total_.back();
    while (hour_ + 2 < total_.size() && total_[hour_ + 1] <= sought) ++hour_;
    const double within = (sought - total_[hour_]) / (total_[hour_ + 1] - total_[hour_]);
    constexpr double kHourUs = 3600e6;
    return kWorldStartUs + static_cast<int64_t>((static_cast<double>(hour_) + within) * kHourUs);
  }

 private:
  std::vector<double> total_;  // before each hour
  size_t hour_ = 0;
};

// The distributions that the recommender draws from: the exposure weights of the catalogue, and of each topic.
struct Exposure {
  WeightedDraw all;
  std::vector<WeightedDraw> by_topic;
  std::vector<std::vector<uint32_t>> topic_rows;
};

// weight = (rank + 4)^-skew, ranked by the recommender's opinion; 0 for withheld items.
Exposure make_exposure(const std::vector<WorldItem>& items, const std::vector<float>& opinion, double skew) {
  std::vector<uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return opinion[a] != opinion[b] ? opinion[a] > opinion[b] : a < b; });
  std::vector<double> weights(items.size(), 0.0);
  for (size_t rank = 0; rank < order.size(); ++rank)
    if (!items[order[rank]].withheld) weights[order[rank]] = std::pow(static_cast<double>(rank) + 4, -skew);

  Exposure exposure;
  exposure.all = WeightedDraw(weights);
  exposure.topic_rows.resize(kWorldTopics);
  std::vector<std::vector<double>> topic_weights(kWorldTopics);
  for (uint32_t row = 0; row < items.size(); ++row) {
    exposure.topic_rows[items[row].topic].push_back(row);
    topic_weights[items[row].topic].push_back(weights[row]);
  }
  for (const auto& w : topic_weights) exposure.by_topic.emplace_back(w);
  return exposure;
}

// The whole state while a world is made.
class World {
 public:
  World(ThreadPool& pool, const WorldOptions& options, const std::string& folder)
      : pool_(pool), options_(options), population_(options),
        shown_rng_(static_cast<uint64_t>(options.seed), Stream::simulate_impressions),
        events_rng_(static_cast<uint64_t>(options.seed), Stream::simulate_impressions, 1) {
    const auto path = [&](const char* name) { return fmt::format("{}/{}.{}", folder, name, options.format); };
    summary_.interactions = path("interactions");
    summary_.items = path("items");
    summary_.users = path("users");
    summary_.truth = path("truth");
    summary_.exposure = path("exposure");
    if (options.impressions > 0) summary_.shown = path("impressions");
  }

  WorldSummary make() {
    write_items();
    write_users();
    write_log();
    write_exposure();
    write_truth();
    return summary_;
  }

 private:
  void write_items() {
    Table table(summary_.items, {{"item_id", columns::ColumnType::text},
                                 {"title", columns::ColumnType::text},
                                 {"genres", columns::ColumnType::texts},
                                 {"author", columns::ColumnType::text},
                                 {"minutes", columns::ColumnType::integer},
                                 {"rating", columns::ColumnType::real},
                                 {"released", columns::ColumnType::time}});
    const auto n = static_cast<size_t>(options_.items);
    items_.reserve(n);
    std::vector<float> opinion;
    ItemDetails details;
    for (size_t row = 0; row < n; ++row) {
      items_.push_back(population_.item(row, details));
      opinion.push_back(static_cast<float>(details.exposure_score));
      push_id(table[0], 'i', row);
      table[1].push_text(details.title);
      push_list(table[2], details.genres);
      table[3].push_text(details.author);
      table[4].integers.push_back(details.minutes);
      table[5].reals.push_back(std::max(0.0, details.rating));
      table[5].valid.push_back(details.rating >= 0);
      table[6].integers.push_back(population_.released_us(row));
      table.end_row();
    }
    table.close();
    exposure_ = make_exposure(items_, opinion, options_.skew);
    impressions_.resize(n);
    clicks_.resize(n);
    summary_.n_items = n;
  }

  void write_users() {
    Table table(summary_.users, {{"user_id", columns::ColumnType::text},
                                 {"age_group", columns::ColumnType::text},
                                 {"country", columns::ColumnType::text},
                                 {"interests", columns::ColumnType::texts},
                                 {"joined", columns::ColumnType::time}});
    const auto n = static_cast<size_t>(options_.users);
    users_.reserve(n);
    std::vector<double> activity;
    UserDetails details;
    for (size_t row = 0; row < n; ++row) {
      users_.push_back(population_.user(row, details));
      activity.push_back(details.activity);
      push_id(table[0], 'u', row);
      table[1].push_text(details.age_group);
      table[2].push_text(details.country);
      push_list(table[3], details.interests);
      table[4].integers.push_back(users_.back().joined_us);
      table.end_row();
    }
    table.close();
    activity_ = WeightedDraw(activity);
    summary_.n_users = n;
  }

  void write_log() {
    std::vector<formats::ColumnSpec> log_columns{{"user_id", columns::ColumnType::text},
                                                 {"item_id", columns::ColumnType::text},
                                                 {"ts", columns::ColumnType::time},
                                                 {"device", columns::ColumnType::text},
                                                 {"watched", columns::ColumnType::real}};
    if (options_.events) log_columns.push_back({"event", columns::ColumnType::text});
    log_.emplace(summary_.interactions, std::move(log_columns));
    if (!summary_.shown.empty())
      shown_.emplace(summary_.shown, std::vector<formats::ColumnSpec>{{"user_id", columns::ColumnType::text},
                                                                      {"item_id", columns::ColumnType::text},
                                                                      {"ts", columns::ColumnType::time}});
    Rng rng(static_cast<uint64_t>(options_.seed), Stream::simulate);
    Calendar calendar(options_.days);
    const auto n = static_cast<uint64_t>(options_.interactions);
    Progress progress("simulate", n, "interactions");
    for (uint64_t i = 0; i < n; ++i) {
      const int64_t now_us = calendar.at((static_cast<double>(i) + rng.uniform()) / static_cast<double>(n));
      while (released_ < items_.size() && population_.released_us(released_) <= now_us) ++released_;
      const Click click = next_click(rng, now_us);
      write_event(click.user, click.item, now_us, click.device, click.watched, "like");
      if ((i & 0xfff) == 0) progress.update(i);
    }
    log_->close();
    if (shown_) shown_->close();
    progress.finish();
    summary_.n_interactions = n;
  }

  // watched: nothing for a null.
  void write_event(uint32_t user, uint32_t item, int64_t now_us, size_t device, std::optional<double> watched,
                   std::string_view event) {
    auto& log = *log_;
    push_id(log[0], 'u', user);
    push_id(log[1], 'i', item);
    log[2].integers.push_back(now_us);
    log[3].push_text(device_name(device));
    if (watched)
      log[4].push_real(*watched);
    else
      log[4].push_null();
    if (options_.events) log[5].push_text(event);
    log.end_row();
  }

  struct Click {
    uint32_t user, item;
    size_t device;
    double watched;
  };

  // Users come and scroll until one of them clicks.
  Click next_click(Rng& rng, int64_t now_us) {
    for (int visits = 0; visits < 100000; ++visits) {
      const uint32_t row = activity_.draw(rng);
      WorldUser& user = users_[row];
      if (user.joined_us > now_us) continue;
      const size_t device = rng.uniform() < kUsualDevice ? user.device : rng.below(kDevices);
      for (int scrolled = 0; scrolled < kPatience; ++scrolled) {
        const auto item = put_up(user, rng);
        if (!item || already_clicked(user, *item)) continue;
        ++impressions_[*item];
        ++summary_.impressions;
        const float relevance = logit(user, items_[*item], device);
        const double p = probability(relevance);
        if (rng.uniform() >= p) {
          write_shown(row, *item, now_us);
          write_other_events(row, *item, now_us, device, relevance);
          continue;
        }
        ++clicks_[*item];
        remember(user, *item);
        const double watched = std::clamp(0.25 + 0.6 * p + 0.2 * rng.normal(), 0.05, 1.0);
        return {row, *item, device, std::round(watched * 100) / 100};
      }
    }
    fail(ErrorKind::failed,
         "this world is exhausted: {} users have clicked nearly all they like of {} items; ask for fewer interactions, "
         "more users or more items",
         users_.size(), items_.size());
  }

  // Another random stream decides which of them are written: the log is the same with and without them.
  void write_shown(uint32_t user, uint32_t item, int64_t now_us) {
    if (!shown_ || shown_rng_.uniform() >= options_.impressions) return;
    push_id((*shown_)[0], 'u', user);
    push_id((*shown_)[1], 'i', item);
    (*shown_)[2].integers.push_back(now_us);
    shown_->end_row();
  }

  // Of an item that was shown and not clicked; from a random stream of its own, too.
  void write_other_events(uint32_t user, uint32_t item, int64_t now_us, size_t device, double relevance) {
    if (!options_.events) return;
    if (events_rng_.uniform() < probability(static_cast<float>(relevance + 2))) {
      write_event(user, item, now_us, device, std::nullopt, "view");
      ++summary_.views;
    } else if (events_rng_.uniform() < 0.2 * probability(static_cast<float>(-relevance - 7))) {
      write_event(user, item, now_us, device, std::nullopt, "dislike");
      ++summary_.dislikes;
    }
  }

  // The recommender's next item for a user; nothing if the drawn item is not released yet or must not be shown.
  std::optional<uint32_t> put_up(const WorldUser& user, Rng& rng) {
    const double slot = rng.uniform();
    uint32_t row;
    if (slot < 0.5) {  // one of the two topics that it knows
      const size_t topic = user.topics[slot < 0.3 ? 0 : 1];
      const auto& rows = exposure_.topic_rows[topic];
      if (exposure_.by_topic[topic].empty()) return std::nullopt;
      row = rows[exposure_.by_topic[topic].draw(rng)];
    } else if (slot < 0.92) {  // what is popular
      row = exposure_.all.draw(rng);
    } else if (slot < 0.995) {  // what is new
      const uint64_t arrivals = std::min<uint64_t>(released_, std::max<uint64_t>(20, items_.size() / 50));
      row = static_cast<uint32_t>(released_ - 1 - rng.below(arrivals));
      if (!items_[row].promoted) return std::nullopt;
    } else {  // anything
      row = static_cast<uint32_t>(rng.below(released_));
    }
    if (row >= released_ || items_[row].withheld) return std::nullopt;
    return row;
  }

  static std::pair<uint32_t, uint32_t> bits_of(uint32_t item) {
    const uint64_t h = mix64(item);
    return {h & 255, (h >> 8) & 255};
  }
  static bool already_clicked(const WorldUser& user, uint32_t item) {
    const auto [a, b] = bits_of(item);
    return (user.seen[a >> 6] >> (a & 63)) & (user.seen[b >> 6] >> (b & 63)) & 1;
  }
  static void remember(WorldUser& user, uint32_t item) {
    const auto [a, b] = bits_of(item);
    user.seen[a >> 6] |= uint64_t{1} << (a & 63);
    user.seen[b >> 6] |= uint64_t{1} << (b & 63);
  }

  void write_exposure() {
    Table table(summary_.exposure, {{"item_id", columns::ColumnType::text},
                                    {"impressions", columns::ColumnType::integer},
                                    {"clicks", columns::ColumnType::integer},
                                    {"withheld", columns::ColumnType::boolean}});
    for (size_t row = 0; row < items_.size(); ++row) {
      push_id(table[0], 'i', row);
      table[1].integers.push_back(impressions_[row]);
      table[2].integers.push_back(clicks_[row]);
      table[3].integers.push_back(items_[row].withheld);
      table.end_row();
      summary_.items_never_shown += impressions_[row] == 0;
      summary_.items_never_clicked += clicks_[row] == 0;
    }
    table.close();
    auto sorted = clicks_;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const auto fifth = sorted.begin() + static_cast<ptrdiff_t>((sorted.size() + 4) / 5);
    summary_.top_fifth_share = static_cast<double>(std::accumulate(sorted.begin(), fifth, uint64_t{0})) /
                               static_cast<double>(summary_.n_interactions);
  }

  // (logit, item) of one user, the most relevant first, ties by row.
  std::vector<std::pair<float, uint32_t>> best_items(const WorldUser& user) const {
    std::vector<std::pair<float, uint32_t>> all(items_.size());
    for (uint32_t row = 0; row < items_.size(); ++row) all[row] = {logit(user, items_[row], user.device), row};
    const auto better = [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    };
    const size_t k = std::min(all.size(), static_cast<size_t>(options_.truth_items));
    std::nth_element(all.begin(), all.begin() + static_cast<ptrdiff_t>(k) - 1, all.end(), better);
    all.resize(k);
    std::sort(all.begin(), all.end(), better);
    all.shrink_to_fit();
    return all;
  }

  void write_truth() {
    Table table(summary_.truth, {{"user_id", columns::ColumnType::text},
                                 {"item_id", columns::ColumnType::text},
                                 {"rank", columns::ColumnType::integer},
                                 {"probability", columns::ColumnType::real},
                                 {"shown", columns::ColumnType::boolean},
                                 {"clicked", columns::ColumnType::boolean}});
    const size_t n = std::min(users_.size(), static_cast<size_t>(options_.truth_users));
    uint64_t never_shown = 0;
    constexpr size_t kRound = 256;  // users whose lists are held at a time
    std::vector<std::vector<std::pair<float, uint32_t>>> lists(kRound);
    Progress progress("truth", n, "users");
    for (size_t begin = 0; begin < n; begin += kRound) {
      const size_t count = std::min(kRound, n - begin);
      const auto user_row = [&](size_t i) { return (begin + i) * users_.size() / n; };
      pool_.run(count, [&](size_t i) { lists[i] = best_items(users_[user_row(i)]); });
      for (size_t i = 0; i < count; ++i)
        for (size_t rank = 0; rank < lists[i].size(); ++rank) {
          const auto [relevance, item] = lists[i][rank];
          push_id(table[0], 'u', user_row(i));
          push_id(table[1], 'i', item);
          table[2].integers.push_back(static_cast<int64_t>(rank) + 1);
          table[3].reals.push_back(probability(relevance));
          table[4].integers.push_back(impressions_[item] > 0);
          table[5].integers.push_back(clicks_[item] > 0);
          table.end_row();
          never_shown += impressions_[item] == 0;
          ++summary_.truth_rows;
        }
      progress.update(begin + count);
    }
    table.close();
    progress.finish();
    if (summary_.truth_rows > 0)
      summary_.truth_never_shown_share = static_cast<double>(never_shown) / static_cast<double>(summary_.truth_rows);
  }

  ThreadPool& pool_;
  const WorldOptions& options_;
  Population population_;
  WorldSummary summary_;
  std::vector<WorldItem> items_;
  std::vector<WorldUser> users_;
  std::vector<uint32_t> impressions_, clicks_;  // per item
  Exposure exposure_;
  WeightedDraw activity_;  // of users
  std::optional<Table> log_, shown_;
  Rng shown_rng_, events_rng_;
  uint64_t released_ = 0;  // items released by now
};

}  // namespace

void describe(OptionVisitor& f, WorldOptions& o) {
  f.field("interactions", o.interactions, "clicks to write");
  f.field("users", o.users, "0: one for every 30 interactions");
  f.field("items", o.items, "0: 20 sqrt(interactions)");
  f.field("days", o.days, "length of the log, from 2024-01-01");
  f.field("seed", o.seed, "the same seed gives the same world");
  f.field("format", o.format, "extension of the files: parquet, csv, tsv, jsonl, also with .gz or .zst");
  f.field("skew", o.skew, "exponent of the exposure weights; higher: fewer items get more of the clicks");
  f.field("withheld", o.withheld, "share of the catalogue that is never shown to anyone");
  f.field("new_items", o.new_items, "share of the catalogue that is released during the log");
  f.field("impressions", o.impressions, "share of what was shown and not clicked that is written");
  f.field("events", o.events, "views and dislikes among the interactions, told from clicks by a column `event`");
  f.field("truth_users", o.truth_users, "users whose true relevance is written, evenly picked");
  f.field("truth_items", o.truth_items, "most relevant items written for each of them");
}

WorldOptions resolved(WorldOptions o) {
  const auto within = [](const char* name, auto value, auto least, auto most) {
    if (!(value >= least && value <= most))
      fail(ErrorKind::usage, "{} = {} must lie between {} and {}", name, value, least, most);
  };
  within("interactions", o.interactions, int64_t{1}, int64_t{100'000'000'000});
  if (o.users == 0) o.users = std::max<int64_t>(10, o.interactions / 30);
  if (o.items == 0) o.items = std::max<int64_t>(50, std::llround(20 * std::sqrt(static_cast<double>(o.interactions))));
  within("users", o.users, int64_t{1}, int64_t{1'000'000'000});
  within("items", o.items, int64_t{1}, int64_t{1'000'000'000});
  within("days", o.days, int64_t{1}, int64_t{700});
  within("seed", o.seed, int64_t{0}, INT64_MAX);
  within("skew", o.skew, 0.0, 3.0);
  within("withheld", o.withheld, 0.0, 0.9);
  within("new_items", o.new_items, 0.0, 0.9);
  within("impressions", o.impressions, 0.0, 1.0);
  within("truth_users", o.truth_users, int64_t{0}, int64_t{1'000'000'000});
  within("truth_items", o.truth_items, int64_t{1}, int64_t{1'000'000});
  const int64_t each = o.interactions / o.users, bearable = std::clamp<int64_t>(o.items / 4, 1, 150);
  if (each > bearable)
    fail(ErrorKind::usage,
         "{} interactions of {} users are {} each, but with {} items a user clicks at most about {}; ask for fewer "
         "interactions, more users or more items",
         o.interactions, o.users, each, o.items, bearable);
  files::format_from_path("x." + o.format);
  return o;
}

WorldSummary simulate_world(ThreadPool& pool, const WorldOptions& options, const std::string& folder) {
  const WorldOptions complete = resolved(options);
  make_folder(folder);
  return World(pool, complete, folder).make();
}

}  // namespace pagoda::simulate
