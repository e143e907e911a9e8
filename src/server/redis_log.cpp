#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/log.h"
#include "retrieval/event_journal.h"
#include "server/event_log.h"

namespace pagoda::server {
namespace {

constexpr timeval kTimeout{.tv_sec = 2, .tv_usec = 0};
constexpr const char* kBlockMs = "500";                    // how long a read waits for events; below kTimeout
constexpr const char* kReadAtOnce = "1000";                // events
constexpr std::chrono::milliseconds kReconnectAfter{300};  // of a connection
constexpr std::chrono::milliseconds kCaughtUp{1000};       // until what was written must have been read

struct Place {
  std::string host;
  int port = 6379, database = 0;
};

Place place_of(const std::string& url) {
  const auto wrong = [&](std::string_view why) {
    fail(ErrorKind::usage, "serve.redis = \"{}\" {}: write redis://HOST:PORT/DATABASE", url, why);
  };
  if (url.find('@') != url.npos)
    fail(ErrorKind::usage, "serve.redis: a password belongs into the environment's REDISCLI_AUTH, not into the config");
  constexpr std::string_view kScheme = "redis://";
  if (!url.starts_with(kScheme)) wrong("does not begin with redis://");
  std::string_view rest = std::string_view(url).substr(kScheme.size());
  const auto number = [&](std::string_view text, int max) {
    int value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > max)
      wrong(fmt::format("has '{}' where a number belongs", text));
    return value;
  };
  Place place;
  if (const auto slash = rest.find('/'); slash != rest.npos) {
    if (slash + 1 < rest.size()) place.database = number(rest.substr(slash + 1), 1'000'000);
    rest = rest.substr(0, slash);
  }
  if (const auto colon = rest.rfind(':'); colon != rest.npos && rest.find(']', colon) == rest.npos) {
    place.port = number(rest.substr(colon + 1), 65535);
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) wrong("names no host");
  place.host = rest;
  return place;
}

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

std::string_view reply_text(const redisReply& reply) { return {reply.str, reply.len}; }

// A connection that is made anew after an error. Of one thread.
class RedisConnection {
 public:
  RedisConnection(const RedisAddress& address, Place place) : address_(address), place_(std::move(place)) {}

  // EventsAway: there is none. Error{failed}: Redis says no.
  Reply command(const std::vector<std::string_view>& words) {
    connect();
    return ask(words);
  }

  // All of them or none, unless the connection breaks before the reply: then either. Returns the texts they reply.
  std::vector<std::string> transaction(const std::vector<std::vector<std::string_view>>& commands) {
    begin();
    for (const auto& words : commands) send(words);
    for (size_t i = 0; i < commands.size(); ++i) receive();
    const auto replies = ask({"EXEC"});
    if (replies->type != REDIS_REPLY_ARRAY || replies->elements != commands.size())
      fail(ErrorKind::failed, "{}: Redis did not do what it was told", address_.url);
    std::vector<std::string> texts;
    for (size_t i = 0; i < replies->elements; ++i) {
      check_reply(*replies->element[i]);
      texts.emplace_back(reply_text(*replies->element[i]));
    }
    return texts;
  }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  void connect() {
    if (context_) return;
    context_.reset(redisConnectWithTimeout(place_.host.c_str(), place_.port, kTimeout));
    if (!context_ || context_->err) lost();
    redisSetTimeout(context_.get(), kTimeout);
    if (!address_.password.empty()) ask({"AUTH", address_.password});
    if (place_.database > 0) ask({"SELECT", std::to_string(place_.database)});
  }

  // A connection that was idle may have been closed by the other side: then a new one.
  void begin() {
    if (context_) {
      try {
        ask({"MULTI"});
        return;
      } catch (const EventsAway&) {}
    }
    connect();
    ask({"MULTI"});
  }

  Reply ask(const std::vector<std::string_view>& words) {
    send(words);
    return receive();
  }

  void send(const std::vector<std::string_view>& words) {
    std::vector<const char*> texts;
    std::vector<size_t> lengths;
    for (const auto word : words) {
      texts.push_back(word.data());
      lengths.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(), lengths.data()) !=
        REDIS_OK)
      lost();
  }

  Reply receive() {
    void* raw = nullptr;
    if (redisGetReply(context_.get(), &raw) != REDIS_OK || !raw) lost();
    Reply reply(static_cast<redisReply*>(raw));
    check_reply(*reply);
    return reply;
  }

  void check_reply(const redisReply& reply) {
    if (reply.type != REDIS_REPLY_ERROR) return;
    const auto said = fmt::format("{}: Redis says: {}", address_.url, reply_text(reply));
    close();  // with what it may have begun
    // What passes by itself: it loads its data, is or follows another master, or is full.
    for (const std::string_view passing :
         {"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS", "OOM", "MISCONF"})
      if (reply_text(reply).starts_with(passing)) throw EventsAway(said);
    fail(ErrorKind::failed, "{}", said);
  }

  void close() { context_.reset(); }

  [[noreturn]] void lost() {
    const std::string why = context_ ? context_->errstr : "no memory";
    close();
    throw EventsAway(fmt::format("{}: cannot be reached: {}", address_.url, why));
  }

  const RedisAddress& address_;
  Place place_;
  std::unique_ptr<redisContext, Free> context_;
};

// The id of a stream's entry, milliseconds and a number, which grow.
using EntryId = std::pair<uint64_t, uint64_t>;
EntryId id_of(std::string_view text) {
  EntryId id{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.first);
  if (error == std::errc() && end != text.data() + text.size())
    std::from_chars(end + 1, text.data() + text.size(), id.second);
  return id;
}

// Each server appends to the stream and reads all of it, so that all hold the same events in the same order.
class RedisLog final : public EventLog {
 public:
  RedisLog(const RedisAddress& address, const retrieval::LiveEventsOptions& options)
      : address_(address), options_(options), limit_(std::to_string(options.events)), held_(options),
        writing_(address_, place_of(address_.url)), reading_(address_, place_of(address_.url)),
        reader_([this] { read(); }) {}

  ~RedisLog() override {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    reader_.join();
  }

  void take(std::vector<retrieval::LiveEvent> events) override {
    std::vector<std::string> texts;
    for (const auto& event : events) texts.push_back(json_of(event));
    std::vector<std::vector<std::string_view>> commands;
    for (const auto& text : texts)
      commands.push_back({"XADD", address_.key, "MAXLEN", "~", limit_, "*", "event", text});
    EntryId before;
    {
      const std::lock_guard lock(mutex_);
      before = read_to_;
    }
    const auto ids = writing_.transaction(commands);
    const auto first = id_of(ids.front()), last = id_of(ids.back());
    std::unique_lock lock(mutex_);
    if (first <= before) begin_anew_ = true;  // the stream was lost, and its clock is behind
    const auto is_read = [&] { return (read_to_ >= last && !begin_anew_) || closed_; };
    if (live_ && !changed_.wait_for(lock, kCaughtUp, is_read)) live_ = false;  // until the reader has caught up
  }

  const retrieval::LiveEvents& held() const override { return held_; }
  bool is_live() const override { return live_; }

 private:
  void read() {
    std::string from = "0-0";
    bool said = false;
    while (!is_closed()) {
      if (is_to_begin_anew()) {
        from = "0-0";
        live_ = false;
        retrieval::LiveEvents none(options_);
        held_.swap(none);
      }
      try {
        const auto reply =
            reading_.command({"XREAD", "COUNT", kReadAtOnce, "BLOCK", kBlockMs, "STREAMS", address_.key, from});
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 && reply->element[0]->elements == 2)
          from = hold(*reply->element[0]->element[1], from);
        else if (is_lost(from))
          continue;
        else
          live_ = true;  // nothing more came
        if (said) log_info("{}: is read again", address_.url);
        said = false;
      } catch (const std::exception& e) {
        live_ = false;
        if (!std::exchange(said, true)) log_warning("{}; answers go on without the users' latest events", e.what());
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kReconnectAfter, [&] { return closed_; });
      }
    }
  }

  // Returns the id of the last entry.
  std::string hold(const redisReply& entries, const std::string& from) {
    std::string last = from;
    for (size_t i = 0; i < entries.elements; ++i) {
      const auto& entry = *entries.element[i];
      if (entry.elements != 2) continue;
      last = reply_text(*entry.element[0]);
      const auto& fields = *entry.element[1];
      for (size_t f = 0; f + 1 < fields.elements; f += 2)
        if (reply_text(*fields.element[f]) == "event") hold_event(last, reply_text(*fields.element[f + 1]));
    }
    if (std::to_string(entries.elements) != kReadAtOnce) live_ = true;
    {
      const std::lock_guard lock(mutex_);
      read_to_ = id_of(last);
    }
    changed_.notify_all();
    return last;
  }

  void hold_event(const std::string& id, std::string_view text) {
    try {
      held_.add(retrieval::parse_event(text));
    } catch (const Error& e) {
      log_warning("{}: entry {} of {} {}; it is left out", address_.url, id, address_.key, e.what());
    }
  }

  // Whether the stream ends before what was read of it: it was deleted, or another Redis lacks its end.
  bool is_lost(const std::string& from) {
    const auto reply = reading_.command({"XREVRANGE", address_.key, "+", "-", "COUNT", "1"});
    EntryId end{};
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 && reply->element[0]->elements > 0)
      end = id_of(reply_text(*reply->element[0]->element[0]));
    const std::lock_guard lock(mutex_);
    if (end < id_of(from)) begin_anew_ = true;
    return begin_anew_;
  }

  bool is_to_begin_anew() {
    const std::lock_guard lock(mutex_);
    if (begin_anew_) read_to_ = {};
    return std::exchange(begin_anew_, false);
  }

  bool is_closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  RedisAddress address_;
  retrieval::LiveEventsOptions options_;
  std::string limit_;
  retrieval::LiveEvents held_;
  RedisConnection writing_, reading_;  // of the calling thread, of the reader
  std::atomic<bool> live_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  EntryId read_to_{};
  bool begin_anew_ = false, closed_ = false;
  std::thread reader_;
};

}  // namespace

std::unique_ptr<EventLog> make_redis_log(const RedisAddress& address, const retrieval::LiveEventsOptions& options) {
  return std::make_unique<RedisLog>(address, options);
}

}  // namespace pagoda::server
