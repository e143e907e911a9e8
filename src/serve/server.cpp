#include "serve/server.h"

namespace pagoda {

Server::Server(const std::string& model, const ServeOptions& options)
    : options_(options), keys_(options.keys.empty() ? Keys() : Keys::from_file(options.keys)),
      snapshots_(model, {.merge_at = static_cast<size_t>(options.merge_added)}),
      keeper_(
          {.watch = std::chrono::milliseconds(options.watch_ms), .most_added = static_cast<size_t>(options.most_added)},
          snapshots_, metrics_),
      queue_({.limit = static_cast<size_t>(options.queue),
              .batch = static_cast<size_t>(options.batch),
              .wait = std::chrono::microseconds(options.batch_wait_us),
              .threads = static_cast<int>(options.threads)},
             metrics_),
      handler_(options_, snapshots_, keeper_, queue_, metrics_, keys_), http_(handler_, options_) {
  if (!options_.grpc.empty()) grpc_.emplace(handler_, options_);
}

std::string Server::addresses() const {
  const auto http = (options_.tls_key.empty() ? "http://" : "https://") + http_.address();
  return grpc_ ? http + ", gRPC at " + grpc_->address() : http;
}

void Server::run() {
  http_.run([this] { keeper_.reload(); },
            [this] {
              if (grpc_) grpc_->drain();
            });
  if (grpc_) grpc_->close();
}

}  // namespace pagoda
