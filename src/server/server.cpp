#include "server/server.h"

namespace pagoda {

Server::Served::Served(const std::string& path, const ServeOptions& options, const Keys& keys,
                       ForegroundLoad& foreground)
    : snapshots(path, {.merge_at = static_cast<size_t>(options.merge_added)}, options.ui),
      keeper(
          {.watch = std::chrono::milliseconds(options.watch_ms), .most_added = static_cast<size_t>(options.most_added)},
          snapshots, metrics, &foreground),
      queue({.limit = static_cast<size_t>(options.queue),
             .batch = static_cast<size_t>(options.batch),
             .wait = std::chrono::microseconds(options.batch_wait_us),
             .threads = static_cast<int>(options.threads)},
            metrics, &foreground),
      handler(options, snapshots, keeper, queue, metrics, keys) {}

Server::Server(const std::string& model, const ServeOptions& options)
    : options_(options), keys_(options.keys.empty() ? Keys() : Keys::from_file(options.keys)),
      model_(model, options_, keys_, foreground_),
      beside_(options_.beside.empty() ? nullptr
                                      : std::make_unique<Served>(options_.beside, options_, keys_, foreground_)) {
  if (beside_) model_.handler.put_beside(beside_->handler);
  http_.emplace(model_.handler, options_);
  if (!options_.grpc.empty()) grpc_.emplace(model_.handler, options_);
}

Server::~Server() {
  if (grpc_) grpc_->close();  // as long as there is a handler
}

std::string Server::url() const { return (options_.tls_key.empty() ? "http://" : "https://") + http_->address(); }

std::string Server::addresses() const { return grpc_ ? url() + ", gRPC at " + grpc_->address() : url(); }

void Server::run() {
  http_->run(
      [this] {
        model_.keeper.reload();
        if (beside_) beside_->keeper.reload();
      },
      [this] {
        if (grpc_) grpc_->drain();
      });
  if (grpc_) grpc_->close();
}

}  // namespace pagoda
