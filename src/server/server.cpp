#include "server/server.h"

namespace pagoda::server {

Server::Served::Served(const std::string& path, const retrieval::ServeOptions& options, const Keys& keys,
                       ForegroundLoad& foreground)
    : snapshots(path, {.merge_at = static_cast<size_t>(options.merge_added)}, options.ui),
      updater(
          {.watch = std::chrono::milliseconds(options.watch_ms), .max_added = static_cast<size_t>(options.max_added)},
          snapshots, metrics, &foreground),
      queue({.limit = static_cast<size_t>(options.queue),
             .batch = static_cast<size_t>(options.batch),
             .wait = std::chrono::microseconds(options.batch_wait_us),
             .threads = static_cast<int>(options.threads)},
            metrics, &foreground),
      handler(options, snapshots, updater, queue, metrics, keys) {}

Server::Server(const std::string& model, const retrieval::ServeOptions& options)
    : options_(options), keys_(options.keys.empty() ? Keys() : Keys::from_file(options.keys)),
      model_(model, options_, keys_, foreground_),
      compared_(options_.compare.empty() ? nullptr
                                         : std::make_unique<Served>(options_.compare, options_, keys_, foreground_)) {
  if (compared_) model_.handler.set_compared(compared_->handler);
  http_.emplace(model_.handler, options_);
  if (!options_.grpc.empty()) grpc_.emplace(model_.handler, options_);
}

Server::~Server() {
  if (grpc_) grpc_->close();  // while its handler exists
}

std::string Server::url() const { return (options_.tls_key.empty() ? "http://" : "https://") + http_->address(); }

std::string Server::addresses() const { return grpc_ ? url() + ", gRPC at " + grpc_->address() : url(); }

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
