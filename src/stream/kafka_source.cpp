#include "stream/kafka_source.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>

#include "columns/column.h"
#include "core/error.h"
#include "core/log.h"
#include "core/suggest.h"
#include "stream/kafka_client.h"

namespace pagoda::stream {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kMostMessages = 16384;  // of one poll
constexpr int kTimeoutMs = 5000;         // of a question to the broker
constexpr int kShortMs = 500;            // while none answers
constexpr auto kLookWhileAway = milliseconds(1000);
constexpr auto kLookAgain = milliseconds(5000);  // for partitions that were added
// librdkafka fetches nothing for a second once this much of a partition lies ready: it must last for that long, and
// a stream reads some hundred thousand messages a second.
constexpr const char* kMessagesAhead = "500000";
// What would make the consumer begin, or say that it has read, elsewhere than we tell it.
constexpr std::string_view kOurs[] = {"enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset",
                                      "enable.partition.eof"};

template <class T>
using Owned = KafkaOwned<T>;
using PartitionList = Owned<rd_kafka_topic_partition_list_t>;

}  // namespace

class KafkaSource::Consumer {
 public:
  explicit Consumer(KafkaOptions options) : options_(std::move(options)) {
    Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
    const auto set = [&](const std::string& key, const std::string& value) { set_key(conf.get(), key, value); };
    bool brokers = false;
    set("group.id", "pagoda-" + options_.topic);  // under which lag tools find what was learnt
    set("queued.min.messages", kMessagesAhead);
    for (const auto& [key, value] : options_.keys) {
      if (std::ranges::find(kOurs, key) != std::end(kOurs))
        fail(ErrorKind::usage, "[stream.kafka]: {} is set by Pagoda, which keeps offsets with the model; remove it",
             key);
      brokers |= key == "bootstrap.servers" || key == "metadata.broker.list";
      set(key, value);
    }
    if (!brokers) fail(ErrorKind::usage, "[stream.kafka] needs \"bootstrap.servers\" = \"HOST:PORT\"");
    set("enable.auto.commit", "false");
    set("enable.auto.offset.store", "false");
    set("auto.offset.reset", "error");
    set("enable.partition.eof", "true");
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int error, const char* reason, void* self) {
      static_cast<Consumer*>(self)->note(static_cast<rd_kafka_resp_err_t>(error), reason);
    });
    if (options_.nice > 0) lower_priority_of_threads(conf.get(), options_.nice);
    client_ = make_client(RD_KAFKA_CONSUMER, std::move(conf));
    rd_kafka_poll_set_consumer(client_.get());
    queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
  }

  ~Consumer() {
    if (!client_) return;
    queue_.reset();
    rd_kafka_consumer_close(client_.get());
    // librdkafka 2.0.2 would wait for ever for a thread of its own.
    if (deleted_) static_cast<void>(client_.release());
  }

  void start(const Offsets& offsets) {
    const int count = wait_for_topic();
    for (int p = 0; p < count; ++p) add(p);
    for (const auto& [name, offset] : offsets)
      if (std::ranges::find(names_, name) == names_.end())
        fail(
            ErrorKind::failed,
            "topic '{}' has no partition {} any more, of which messages up to offset {} were learnt; was it made anew?",
            options_.topic, name, offset);
    for (uint32_t p = 0; p < partitions_.size(); ++p)
      if (const auto known = offsets.find(names_[p]); known != offsets.end()) partitions_[p].next = known->second;
    begin_unknown();
    for (auto& partition : partitions_) partition.begin = partition.next;
    assign();
    looked_ = Clock::now();
  }

  void poll(milliseconds wait, std::vector<Message>& messages) {
    std::ranges::move(waiting_, std::back_inserter(messages));
    waiting_.clear();
    pause(held_);
    look_for_partitions();
    const Owned<rd_kafka_message_t> first(rd_kafka_consumer_poll(client_.get(), static_cast<int>(wait.count())));
    if (!first) return;
    take(*first, messages);
    // Those that lie ready, at once: one by one each takes a lock.
    batch_.resize(kMostMessages);
    const auto count = rd_kafka_consume_batch_queue(queue_.get(), 0, batch_.data(), batch_.size());
    const auto begin = batch_.begin();
    std::vector<Owned<rd_kafka_message_t>> rest(begin, begin + std::max<ssize_t>(0, count));  // also where one fails
    for (const auto& message : rest) take(*message, messages);
  }

  // Messages that came before the pause reached them are kept for the next poll().
  void rest(milliseconds time) {
    pause(std::vector<bool>(partitions_.size(), true));
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client_.get(), static_cast<int>(time.count())));
    if (message) take(*message, waiting_);
  }

  void hold(const std::vector<bool>& partitions) { held_ = partitions; }

  int64_t begin(uint32_t partition) const { return partitions_[partition].begin; }
  bool at_end(uint32_t partition) const { return partitions_[partition].at_end; }
  const std::vector<std::string>& names() const { return names_; }

  int64_t lag() const {
    int64_t lag = 0;
    for (uint32_t p = 0; p < partitions_.size(); ++p) {
      int64_t low = 0, high = 0;
      rd_kafka_get_watermark_offsets(client_.get(), options_.topic.c_str(), static_cast<int32_t>(p), &low, &high);
      if (high > partitions_[p].next && partitions_[p].next >= 0) lag += high - partitions_[p].next;
    }
    return lag;
  }

  // Where it fails, only a tool's lag is late.
  void committed(const Offsets& offsets, bool last) {
    const auto list = all([&](uint32_t p) {
      const auto known = offsets.find(names_[p]);
      return known == offsets.end() ? RD_KAFKA_OFFSET_INVALID : known->second;
    });
    if (!last) {
      rd_kafka_commit(client_.get(), list.get(), 1);
      return;
    }
    const Owned<rd_kafka_queue_t> answer(rd_kafka_queue_new(client_.get()));
    rd_kafka_commit_queue(client_.get(), list.get(), answer.get(), nullptr, nullptr);
    const Owned<rd_kafka_event_t> ignored(rd_kafka_queue_poll(answer.get(), kTimeoutMs));
  }

 private:
  struct Partition {
    int64_t begin = 0, next = RD_KAFKA_OFFSET_INVALID;
    bool at_end = false;
  };

  void note(rd_kafka_resp_err_t error, const char* reason) {
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
      set_away(true);
    else if (error == RD_KAFKA_RESP_ERR__FATAL || error == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
             error == RD_KAFKA_RESP_ERR__SSL) {
      std::lock_guard lock(mutex_);
      if (fatal_.empty()) fatal_ = reason;
    }
  }

  // librdkafka does not report each time that all brokers are away: what it is asked and does not answer counts, too.
  void set_away(bool away) {
    if (away_.exchange(away) == away) return;
    if (away)
      log_warning("Kafka: no broker answers; waiting for one");
    else
      log_info("Kafka: the broker is back");
  }

  void refuse_fatal() const {
    std::lock_guard lock(mutex_);
    if (!fatal_.empty()) fail(ErrorKind::failed, "Kafka: {}", fatal_);
  }

  int count_partitions(int timeout_ms) const {
    return stream::count_partitions(client_.get(), options_.topic, timeout_ms);
  }

  int wait_for_topic() {
    const int count = count_partitions(kTimeoutMs);
    refuse_fatal();
    if (count < 0)
      fail(ErrorKind::failed, "Kafka: no broker of [stream.kafka] bootstrap.servers answers; is the address right?");
    if (count > 0) return count;
    std::vector<std::string> topics;
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(client_.get(), 1, nullptr, &found, kTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const Owned<const rd_kafka_metadata_t> metadata(found);
      for (int t = 0; t < metadata->topic_cnt; ++t) topics.emplace_back(metadata->topics[t].topic);
    }
    fail(ErrorKind::input, "the broker has no topic '{}'{}", options_.topic, suggestion(options_.topic, topics));
  }

  void add(int partition) {
    partitions_.emplace_back();
    names_.push_back(fmt::format("{}-{}", options_.topic, partition));
  }

  PartitionList all(const std::function<int64_t(uint32_t)>& offset) const {
    PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions_.size())));
    for (uint32_t p = 0; p < partitions_.size(); ++p)
      if (const int64_t o = offset(p); o != RD_KAFKA_OFFSET_INVALID)
        rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), static_cast<int32_t>(p))->offset = o;
    return list;
  }

  // The first and the end of a partition, asked of the broker. Error{failed}: it does not answer.
  std::pair<int64_t, int64_t> bounds(uint32_t p) const {
    int64_t low = 0, high = 0;
    const auto error = rd_kafka_query_watermark_offsets(client_.get(), options_.topic.c_str(), static_cast<int32_t>(p),
                                                        &low, &high, kTimeoutMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
      fail(ErrorKind::failed, "{}: the broker does not say which offsets there are: {}", names_[p],
           rd_kafka_err2str(error));
    return {low, high};
  }

  // Partitions of which no checkpoint knows, when the stream begins.
  void begin_unknown() {
    std::vector<uint32_t> unknown;
    for (uint32_t p = 0; p < partitions_.size(); ++p)
      if (partitions_[p].next == RD_KAFKA_OFFSET_INVALID) unknown.push_back(p);
    if (unknown.empty()) return;
    if (options_.start == "begin" || options_.start == "end") {
      for (const uint32_t p : unknown) {
        const auto [low, high] = bounds(p);
        partitions_[p].next = options_.start == "begin" ? low : high;
      }
      return;
    }
    const int64_t start_ms = *columns::parse_time_us(options_.start) / 1000;
    PartitionList times(rd_kafka_topic_partition_list_new(static_cast<int>(unknown.size())));
    for (const uint32_t p : unknown)
      rd_kafka_topic_partition_list_add(times.get(), options_.topic.c_str(), static_cast<int32_t>(p))->offset =
          start_ms;
    const auto error = rd_kafka_offsets_for_times(client_.get(), times.get(), kTimeoutMs);
    for (int i = 0; i < times->cnt; ++i) {
      const auto& of = times->elems[i];
      const auto why = error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : of.err;
      if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(ErrorKind::failed, "{}: the broker does not say which offset has the time {}: {}",
             names_[static_cast<size_t>(of.partition)], options_.start, rd_kafka_err2str(why));
      const auto p = static_cast<uint32_t>(of.partition);
      partitions_[p].next = of.offset >= 0 ? of.offset : bounds(p).second;  // no message has that time or a later one
    }
  }

  void assign() {
    const auto list = all([&](uint32_t p) { return partitions_[p].next; });
    if (const auto error = rd_kafka_assign(client_.get(), list.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR)
      fail(ErrorKind::failed, "topic '{}': {}", options_.topic, rd_kafka_err2str(error));
    paused_.resize(partitions_.size(), false);  // librdkafka keeps those that are paused
  }

  // Those that are marked, and no others.
  void pause(const std::vector<bool>& partitions) {
    for (const bool on : {true, false}) {
      const auto list = all([&](uint32_t p) -> int64_t {
        const bool wanted = p < partitions.size() && partitions[p];
        return wanted == on && paused_[p] != on ? 0 : RD_KAFKA_OFFSET_INVALID;
      });
      if (list->cnt == 0) continue;
      on ? rd_kafka_pause_partitions(client_.get(), list.get()) : rd_kafka_resume_partitions(client_.get(), list.get());
    }
    for (uint32_t p = 0; p < paused_.size(); ++p) paused_[p] = p < partitions.size() && partitions[p];
  }

  void look_for_partitions() {
    refuse_fatal();
    if (Clock::now() - looked_ < (away_ ? kLookWhileAway : kLookAgain)) return;
    const int count = count_partitions(away_ ? kShortMs : kTimeoutMs);
    looked_ = Clock::now();
    set_away(count < 0);
    if (count < 0) return;
    if (count == 0) {
      // A broker that has just begun may not know it yet.
      if (++missing_ < 3) return;
      deleted_ = true;
      fail(ErrorKind::failed, "topic '{}' was deleted; what was learnt of it stands", options_.topic);
    }
    missing_ = 0;
    const auto before = partitions_.size();
    if (count <= static_cast<int>(before)) return;
    for (int p = static_cast<int>(before); p < count; ++p) {
      add(p);
      partitions_.back().begin = partitions_.back().next = bounds(static_cast<uint32_t>(p)).first;
    }
    log_info("topic '{}' has {} partitions now, {} before", options_.topic, count, before);
    assign();
  }

  void take(const rd_kafka_message_t& message, std::vector<Message>& messages) {
    const auto p = static_cast<uint32_t>(message.partition);
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      set_away(false);
      if (message.offset < partitions_[p].next) return;  // given before a pause, and fetched again after it
      messages.push_back({.partition = p,
                          .offset = message.offset,
                          .next = message.offset + 1,
                          .value = std::string(static_cast<const char*>(message.payload), message.len)});
      partitions_[p].next = message.offset + 1;
      partitions_[p].at_end = false;
    } else if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      set_away(false);
      partitions_[p].at_end = true;
    } else if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
               message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
      meet_gap(p);
    } else if (message.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
      fail(ErrorKind::failed, "topic '{}': {}", options_.topic, rd_kafka_message_errstr(&message));
    }  // others pass: a broker that is away, a partition that moves
  }

  // The broker does not have the offset at which the partition goes on.
  void meet_gap(uint32_t p) {
    const auto [low, high] = bounds(p);
    auto& next = partitions_[p].next;
    if (next > high)
      fail(ErrorKind::failed, "{}: goes on at offset {}, and ends at {}: was the topic made anew?", names_[p], next,
           high);
    if (next >= low) return assign();  // it has it again
    if (!options_.skip_gaps)
      fail(ErrorKind::failed,
           "{}: goes on at offset {}, and the first that the broker still has is {}: {} messages were deleted before "
           "they were learnt; stream.gaps = \"skip\" goes on without them",
           names_[p], next, low, low - next);
    log_warning("{}: messages {} to {} were deleted before they were learnt, and are skipped", names_[p], next,
                low - 1);
    next = low;
    assign();
  }

  KafkaOptions options_;
  Owned<rd_kafka_t> client_;
  Owned<rd_kafka_queue_t> queue_;
  std::vector<rd_kafka_message_t*> batch_;
  std::vector<std::string> names_;
  std::vector<Partition> partitions_;  // parallel
  std::vector<Message> waiting_;
  std::vector<bool> held_, paused_;  // paused_: per partition; nothing before they are assigned
  bool deleted_ = false;
  int missing_ = 0;
  Clock::time_point looked_;
  std::atomic<bool> away_ = false;
  mutable std::mutex mutex_;
  std::string fatal_;
};

KafkaOptions kafka_options(const train::StreamOptions& options) {
  return {.topic = options.topic, .keys = options.kafka, .start = options.start, .skip_gaps = options.skip_gaps};
}

KafkaSource::KafkaSource(KafkaOptions options) : consumer_(std::make_unique<Consumer>(std::move(options))) {}
KafkaSource::~KafkaSource() = default;

void KafkaSource::start(const Offsets& offsets) { consumer_->start(offsets); }
void KafkaSource::poll(milliseconds wait, std::vector<Message>& messages) { consumer_->poll(wait, messages); }
void KafkaSource::hold(const std::vector<bool>& partitions) { consumer_->hold(partitions); }
void KafkaSource::rest(milliseconds time) { consumer_->rest(time); }
int64_t KafkaSource::begin(uint32_t partition) const { return consumer_->begin(partition); }
bool KafkaSource::at_end(uint32_t partition) const { return consumer_->at_end(partition); }
int64_t KafkaSource::lag() const { return consumer_->lag(); }
const std::vector<std::string>& KafkaSource::partitions() const { return consumer_->names(); }
std::string KafkaSource::place(uint32_t partition, int64_t offset) const {
  return fmt::format("{}, offset {}", consumer_->names()[partition], offset);
}
void KafkaSource::committed(const Offsets& offsets, bool last) { consumer_->committed(offsets, last); }

}  // namespace pagoda::stream
