#include "server/server.h"

#include "core/log.h"
#include "retrieval/event_journal.h"

namespace pagoda::server {
namespace {

std::unique_ptr<EventLog> make_log(const std::string& model, const retrieval::ServeOptions& options,
                                   const std::string& redis_password, const ForegroundLoad& foreground) {
  const retrieval::LiveEventsOptions limits{.events = static_cast<size_t>(options.max_events),
                                            .events_of_user = static_cast<size_t>(options.max_events_of_user)};
  const auto journal = retrieval::event_journal_path(model);
  if (options.redis.empty()) return make_journal_log(journal, limits, &foreground);
  if (file_exists(journal)) log_warning("{}: is not read, because serve.redis says where the events are", journal);
  return make_redis_log({.url = options.redis, .key = options.redis_key, .password = redis_password}, limits);
}

}  // namespace

Server::Served::Served(const std::string& path, const retrieval::ServeOptions& options, const Keys& keys,
                       ForegroundLoad& foreground, EventWriter& events)
    : snapshots(path, {.merge_at = static_cast<size_t>(options.merge_added)}, options.ui),
      updater(
          {.watch = std::chrono::milliseconds(options.watch_ms), .max_added = static_cast<size_t>(options.max_added)},
          snapshots, metrics, &foreground),
      queue({.limit = static_cast<size_t>(options.queue),
             .batch = static_cast<size_t>(options.batch),
             .wait = std::chrono::microseconds(options.batch_wait_us),
             .threads = static_cast<int>(options.threads)},
            metrics, &foreground),
      handler(options, snapshots, updater, events, queue, metrics, keys) {}

Server::Server(const std::string& model, const retrieval::ServeOptions& options, const std::string& redis_password)
    : options_(options), keys_(options.keys.empty() ? Keys() : Keys::from_file(options.keys)),
      events_(make_log(model, options_, redis_password, foreground_)),
      model_(model, options_, keys_, foreground_, events_),
      compared_(options_.compare.empty()
                    ? nullptr
                    : std::make_unique<Served>(options_.compare, options_, keys_, foreground_, events_)) {
  if (compared_) model_.handler.set_compared(compared_->handler);
  http_.emplace(model_.handler, options_);
  if (!options_.grpc.empty()) grpc_.emplace(model_.handler, options_);
}

Server::~Server() {
  if (grpc_) grpc_->close();  // while its handler exists
  events_.close();            // while there are handlers to tell
}

std::string Server::url() const { return (options_.tls_key.empty() ? "http://" : "https://") + http_->address(); }

std::string Server::addresses() const { return grpc_ ? url() + ", gRPC at " + grpc_->address() : url(); }

bool Server::add_events(std::vector<retrieval::LiveEvent> events, std::function<void(EventWriter::Result)> done) {
  const size_t count = events.size();
  return events_.add(std::move(events), [this, count, done = std::move(done)](EventWriter::Result result) {
    if (result.outcome == EventWriter::Outcome::taken)
      model_.metrics.took_events(count - result.repeated, result.repeated);
    done(result);
  });
}

void Server::run() {
  http_->run(
      [this] {
        model_.updater.reload();
        if (compared_) compared_->updater.reload();
      },
      [this] {
        if (grpc_) grpc_->drain();
      });
  if (grpc_) grpc_->close();
}

}  // namespace pagoda::server
