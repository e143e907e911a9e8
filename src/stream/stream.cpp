#include "stream/stream.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_set>
#include <utility>

#include "columns/column.h"
#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "report/run_log.h"
#include "stream/checkpoint.h"
#include "stream/decoder.h"
#include "stream/event_order.h"
#include "stream/file_source.h"
#include "stream/kafka_source.h"
#include "stream/prequential.h"
#include "stream/publisher.h"
#include "stream/reading.h"
#include "stream/status_server.h"
#include "stream/stream_metrics.h"
#include "train/segment.h"

namespace pagoda::stream {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kPastRecalls = 20;  // segments that the guard compares with
constexpr size_t kFewSegments = 3;   // before which it says nothing
constexpr size_t kFewUsers = 100;    // fewer judge nothing
constexpr auto kLook = milliseconds(100);
constexpr size_t kFirstShare = 8;

milliseconds duration(const std::string& text) {
  return std::chrono::duration_cast<milliseconds>(
      std::chrono::microseconds(columns::parse_duration_us(text).value_or(0)));
}

data::Interactions log_of(const std::vector<Event>& events, const dataset::Options& options,
                          const Decoder::Found& found) {
  auto log = data::log_with_context(options.data.context);
  log.times = found.times;
  for (const auto& event : events) {
    log.user.push_back(log.users.add(event.user));
    log.item.push_back(log.items.add(event.item));
    log.time_us.push_back(event.time_us);
    if (!options.data.weight.empty() || data::weighs(options.data.events)) log.weight.push_back(event.weight);
    for (size_t c = 0; c < event.context.size(); ++c)
      log.context[c].push_back(log.context_values[c].add(event.context[c]));
  }
  log.integer_users = found.integer_users;
  log.integer_items = found.integer_items;
  return log;
}

// Says of each event in order whether it is an example where a user's later events of an item are none.
std::function<bool(const Event&)> new_items_alone(const model::Bundle* bundle) {
  auto met = std::make_shared<std::unordered_set<std::string>>();
  return [bundle, met](const Event& event) {
    if (!met->insert(event.user + '\0' + event.item).second) return false;
    if (!bundle) return true;
    const uint32_t user = bundle->user_ids().find(event.user), item = bundle->item_ids().find(event.item);
    if (user == columns::Interner::kNone || item == columns::Interner::kNone) return true;
    const auto history = bundle->user_states().histories[user];
    return std::ranges::find(history, item) == history.end();
  };
}

// With a place for bad messages there is no limit to them.
data::InteractionOptions log_options(const dataset::Options& options, bool keeps_bad) {
  auto log = dataset::interaction_options(options.data);
  if (keeps_bad) log.bad_rows = {.on_bad_row = data::OnBadRow::skip, .limit = std::numeric_limits<int64_t>::max()};
  return log;
}

class Stream {
 public:
  Stream(const train::WholeConfig& config, const std::string& output, StreamFlags flags, Source& source,
         const std::atomic<bool>& interrupted)
      : config_(config.stream), options_(as_stream(config.training)), output_(output), flags_(std::move(flags)),
        interrupted_(interrupted), folder_(stream_folder(output)), pool_(static_cast<int>(options_.train.threads)),
        decoder_(log_options(options_, flags_.dead_letters != nullptr), config_,
                 [&source](const Message& m) { return source.place(m.partition, m.offset); }) {
    dataset::validate(options_);
    make_folder(folder_);
    if (auto before = load_checkpoint(folder_)) {
      checkpoint_ = *std::move(before);
      decoder_.set_times(checkpoint_.times);
      decoder_.count_bad(checkpoint_.standing.bad);
    }
    if (checkpoint_.segments > 0) {
      model_ = warm_start(model_path(folder_, checkpoint_.segments));
      log_info("{}: goes on after {} events, the last of {}", folder_, human_count(checkpoint_.standing.events),
               columns::format_time_us(checkpoint_.standing.learnt_us));
    } else if (!flags_.from.empty()) {
      model_ = warm_start(flags_.from);
      decoder_.set_times(model_->options().data.times);
    }
    if (model_) model_->check_shape(options_);
    if (model_ && !options_.loss.temperature_ratio) options_.loss.temperature_ratio = model_->options().loss.ratio();
    run_log_.emplace(folder_, checkpoint_.segments > 0 ? std::optional(checkpoint_.steps) : std::nullopt);
    order_ = std::make_unique<EventOrder>(
        OrderOptions{.lateness_us = columns::parse_duration_us(config_.lateness).value_or(0), .late = config_.late},
        checkpoint_.standing);
    publisher_.emplace(output_, static_cast<size_t>(config_.keep), static_cast<int>(options_.train.threads));
    reading_.emplace(source, decoder_, *order_,
                     ReadingOptions{.most_waiting = 2 * most_rows(),
                                    .idle = duration(config_.idle),
                                    .once = flags_.once,
                                    .from = checkpoint_.standing.positions,
                                    .dead_letters = flags_.dead_letters.get()});
    if (checkpoint_.segments == 0) {
      checkpoint_.standing = order_->standing();  // where it began: what comes while it is away is not skipped
      save_checkpoint(folder_, checkpoint_);
    }
    metrics_.standing(checkpoint_);
    if (config_.http.empty()) return;
    status_.emplace("stream.http", config_.http, [this] { return metrics_.text(); });
    log_info("/metrics and /livez at port {}", status_->port());
  }

  void run() {
    auto segment_began = Clock::now(), published = segment_began;
    const auto batch = static_cast<size_t>(options_.train.batch);
    // The first segments are learnt as soon as an eighth is there: what follows is read meanwhile.
    size_t rows = std::max(batch, most_rows() / kFirstShare);
    while (true) {
      reading_->rethrow();
      note_lag();
      const bool ended = reading_->ended(), stop = interrupted_;
      const bool due = ended || Clock::now() - segment_began >= duration(config_.segment);
      const size_t enough = due ? batch : rows;
      std::vector<Event> events;
      if (due || order_->ready() >= enough) events = take();
      if (!events.empty()) {
        segment_began = Clock::now();
        rows = std::min(2 * rows, most_rows());
        learn(events);
      } else if (ended || stop) {
        break;
      } else {
        order_->wait(std::max(enough, order_->ready() + 1), kLook);  // rows that are no examples make no batch
      }
      if (stop) break;
      if (!config_.publish.empty() && Clock::now() - published >= duration(config_.publish) && publish(false))
        published = Clock::now();
    }
    reading_->stop();
    publish(true);
    publisher_->finish();
    note_published();
    say_counts();
    if (order_->waiting() > 0)
      log_info("{} events were read and make no segment of whole batches of {} yet; the stream goes on with them",
               order_->waiting(), options_.train.batch);
  }

 private:
  size_t most_rows() const { return static_cast<size_t>(std::max(config_.segment_rows, options_.train.batch)); }

  std::shared_ptr<const train::WarmStart> warm_start(const std::string& path) const {
    return std::make_shared<train::WarmStart>(path, columns::parse_duration_us(config_.forget).value_or(0));
  }

  std::vector<Event> take() {
    const bool short_too = !config_.max_wait.empty() && order_->waited() >= duration(config_.max_wait);
    EventOrder::Wanted wanted{
        .batch = static_cast<size_t>(options_.train.batch), .max_rows = most_rows(), .short_too = short_too};
    if (dataset::skips_repeats(options_))
      wanted.is_example = new_items_alone(model_ ? model_->earlier()->bundle.get() : nullptr);
    return order_->take(wanted);
  }

  void learn(const std::vector<Event>& events) {
    auto next = checkpoint_;
    next.standing = order_->standing();
    ++next.segments;
    SegmentJudgement judged;
    if (model_ && config_.judged_users > 0)
      judged = judge_segment(pool_, *model_->earlier()->bundle, events, options_.evaluate,
                             static_cast<size_t>(config_.judged_users));
    const auto began = Clock::now();
    const auto path = model_path(folder_, next.segments);
    const auto found = decoder_.found();
    next.times = found.times;
    if (!users_) users_ = dataset::load_user_table(options_.data, found.times);
    const auto learnt = train::learn_segment(pool_, options_, log_of(events, options_, found), users_, model_,
                                             static_cast<size_t>(config_.latest_events), path);
    model_ = warm_start(path);
    options_.data.items.clear();  // the bundle and its state hold what was in it
    options_.data.item_vectors.clear();
    next.steps = learnt.steps_taken;
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    next.seconds += seconds;
    if (judged.users >= kFewUsers) next.recalls.push_back(judged.recall.front());
    if (next.recalls.size() > kPastRecalls + 1) next.recalls.erase(next.recalls.begin());
    save_checkpoint(folder_, next);
    checkpoint_ = std::move(next);
    reading_->committed(checkpoint_.standing.positions);
    tell(events, judged, learnt, seconds);
  }

  void tell(const std::vector<Event>& events, const SegmentJudgement& judged, const train::LearntSegment& learnt,
            double seconds) {
    const double rate = static_cast<double>(events.size()) / std::max(1e-9, seconds);
    report::RunRecord record{.phase = "stream",
                             .step = checkpoint_.steps,
                             .seconds = checkpoint_.seconds,
                             .loss = learnt.loss,
                             .examples_per_second = rate};
    std::string figures;
    for (size_t i = 0; i < judged.recall.size(); ++i) {
      record.validation.emplace_back(fmt::format("recall@{}", judged.ks[i]), judged.recall[i]);
      record.health.emplace_back(fmt::format("popularity recall@{}", judged.ks[i]), judged.popularity[i]);
    }
    if (!judged.recall.empty())
      figures = fmt::format("  recall@{} {:.4f} (popularity {:.4f}) of {} users before it learnt them", judged.ks[0],
                            judged.recall[0], judged.popularity[0], judged.users);
    record.health.emplace_back("temperature", learnt.temperature);
    record.health.emplace_back("events", static_cast<double>(checkpoint_.standing.events));
    run_log_->write(record);
    metrics_.standing(checkpoint_);
    metrics_.segment(rate, seconds / static_cast<double>(std::max<uint64_t>(1, learnt.steps)), learnt.loss, judged);
    log_info("segment {}: {} events to {}  loss {:.4f}  {}/s{}", checkpoint_.segments, human_count(events.size()),
             columns::format_time_us(checkpoint_.standing.learnt_us), learnt.loss, human_count(rate), figures);
  }

  void note_lag() {
    const int64_t watermark = order_->watermark_us(), learnt = checkpoint_.standing.learnt_us;
    const bool known = watermark != INT64_MIN && watermark != INT64_MAX && learnt != INT64_MIN;
    const double seconds = known ? static_cast<double>(watermark - learnt) * 1e-6 : 0;
    if (known) metrics_.watermark(watermark);
    metrics_.lag(reading_->lag(), std::max(0.0, seconds), order_->waiting());
  }

  void say_counts() const {
    const auto now = order_->standing();
    log_info("{} events learnt; {} late, {} bad, {} no positives", human_count(now.events), now.late, now.bad,
             now.not_positive);
  }

  // Whether recall has fallen by more than stream.guard below its mean over the segments before.
  bool guarded() const {
    const auto& recalls = checkpoint_.recalls;
    if (recalls.size() < kFewSegments + 1) return false;
    const double past =
        std::accumulate(recalls.begin(), recalls.end() - 1, 0.0) / static_cast<double>(recalls.size() - 1);
    if (recalls.back() >= (1 - config_.guard) * past) return false;
    log_warning(
        "not published: recall@{} of the last segment is {:.4f}, and was {:.4f} over the {} before; stream.guard = {}",
        options_.evaluate.k.front(), recalls.back(), past, recalls.size() - 1, config_.guard);
    return true;
  }

  // False if it is not time yet: the one before is not written.
  bool publish(bool last) {
    note_published();
    if (checkpoint_.segments == std::max(checkpoint_.published, publishing_)) return true;
    if (publisher_->busy() && !last) return false;
    if (guarded()) return true;
    publisher_->publish(model_->earlier()->bundle, checkpoint_.segments);
    publishing_ = checkpoint_.segments;
    return true;
  }

  void note_published() {
    const auto now = publisher_->published();
    if (now <= checkpoint_.published) return;
    checkpoint_.published = now;
    save_checkpoint(folder_, checkpoint_);
    metrics_.published(now);
    log_info("{}: version {} is published", output_, now);
  }

  train::StreamOptions config_;
  dataset::Options options_;
  std::string output_;
  StreamFlags flags_;
  const std::atomic<bool>& interrupted_;
  std::string folder_;
  ThreadPool pool_;
  Decoder decoder_;  // of the reading thread
  Checkpoint checkpoint_;
  std::shared_ptr<const data::Attributes> users_;  // the user table
  std::shared_ptr<const train::WarmStart> model_;  // after the last segment; nullptr: none yet
  std::optional<report::RunLog> run_log_;
  std::unique_ptr<EventOrder> order_;
  uint64_t publishing_ = 0;  // the version that was handed to the publisher last
  std::optional<Publisher> publisher_;
  StreamMetrics metrics_;
  std::optional<StatusServer> status_;
  std::optional<Reading> reading_;  // ends first
};

}  // namespace

dataset::Options as_stream(dataset::Options o) {
  for (const auto& kind : o.data.events)
    if (data::has_own_history(kind))
      fail(ErrorKind::usage,
           "[[data.events]] name = \"{}\": a stream reads no histories of other events beside the positives; train on "
           "the log instead, or leave the kind out with data.where",
           kind.name);
  std::string changed;
  const auto set = [&](auto& value, const auto& wanted, std::string_view words) {
    if (value == wanted) return;
    value = wanted;
    changed += fmt::format("{}{}", changed.empty() ? "" : ", ", words);
  };
  set(o.train.rows, dataset::TrainingRows::interaction, "train.rows = \"interaction\"");
  set(o.train.history, dataset::HistoryMode::before, "train.history = \"before\"");
  set(o.train.order, dataset::Order::time, "train.order = \"time\"");
  set(o.train.epochs, int64_t{1}, "train.epochs = 1");
  set(o.train.user_balance, 0.0, "train.user_balance = 0");
  set(o.train.half_life, std::string(), "train.half_life = \"\"");
  set(o.sampling.downsample_positives, 0.0, "sampling.downsample_positives = 0");
  set(o.sampling.frequency.kind, sampling::FrequencyKind::streaming, "sampling.frequency.kind = \"streaming\"");
  set(o.sampling.frequency.clock, sampling::FrequencyClock::example, "sampling.frequency.clock = \"example\"");
  set(o.data.split.kind, data::SplitKind::none, "data.split.kind = \"none\"");
  set(o.neighbours.kind, model::NeighbourKind::none, "neighbours.kind = \"none\"");
  set(o.loss.top_k, int64_t{0}, "loss.top_k = 0");
  for (auto& source : o.sampling.negatives)
    set(source.items, sampling::DrawnItems::all, "sampling.negatives: items = \"all\"");
  o.data.split = data::SplitOptions();
  o.data.split.kind = data::SplitKind::none;
  if (!changed.empty()) log_info("a stream is learnt once, in order of time, all of it: {}", changed);
  if (o.data.interactions.empty()) o.data.interactions = {"stream"};  // it reads none
  return o;
}

std::unique_ptr<Source> make_source(const train::StreamOptions& options, int nice) {
  if (options.topic.empty()) return std::make_unique<FileSource>(options.files);
  auto kafka = kafka_options(options);
  kafka.nice = nice;
  return std::make_unique<KafkaSource>(std::move(kafka));
}

void run_stream(const train::WholeConfig& config, const std::string& output, StreamFlags flags, Source& source,
                const std::atomic<bool>& interrupted) {
  Stream(config, output, std::move(flags), source, interrupted).run();
}

}  // namespace pagoda::stream
