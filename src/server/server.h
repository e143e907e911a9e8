// `pagoda serve`: the model, optionally a second one to compare it with, and the transports.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/grpc/grpc_server.h"
#include "server/http/http_server.h"

namespace pagoda::server {

class Server {
 public:
  // Loads the bundles and listens. Errors of Bundle::open, Keys::from_file, EventJournal::read, make_redis_log,
  // HttpServer and GrpcServer.
  Server(const std::string& model, const retrieval::ServeOptions& options, const std::string& redis_password = "");
  ~Server();
  std::string url() const;  // "http://127.0.0.1:8080"
  // "http://127.0.0.1:8080", "http://127.0.0.1:8080, gRPC at 127.0.0.1:9090"
  std::string addresses() const;
  const retrieval::Snapshots& snapshots() const { return model_.snapshots; }
  // As EventWriter::add(), counted in the metrics.
  bool add_events(std::vector<retrieval::LiveEvent> events, std::function<void(EventWriter::Result)> done);
  void run();  // returns after SIGTERM or SIGINT, when it has drained

 private:
  // What serves one bundle.
  struct Served {
    Served(const std::string& path, const retrieval::ServeOptions& options, const Keys& keys,
           ForegroundLoad& foreground, EventWriter& events);
    ServeMetrics metrics;
    retrieval::Snapshots snapshots;
    SnapshotUpdater updater;
    SearchQueue queue;
    Handler handler;
  };
  retrieval::ServeOptions options_;
  Keys keys_;
  ForegroundLoad foreground_;  // of both models, which share the CPUs
  // Declared before the models, so destroyed after them: their threads may still release a connection after it was
  // counted as closed.
  std::optional<HttpServer> http_;
  std::optional<GrpcServer> grpc_;
  EventWriter events_;  // of both models: users are the same
  Served model_;
  std::unique_ptr<Served> compared_;  // nullptr: there is no second model
};

}  // namespace pagoda::server
