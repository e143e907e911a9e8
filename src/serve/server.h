// The whole of `pagoda serve`: a bundle's snapshots and their keeper, the queue before the search, the handler and its transports.
#pragma once

#include <optional>
#include <string>

#include "serve/grpc_server.h"
#include "serve/http_server.h"

namespace pagoda {

class Server {
 public:
  // Loads the bundle and listens. Errors of Bundle::open, Keys::from_file, HttpServer and GrpcServer.
  Server(const std::string& model, const ServeOptions& options);
  // "http://127.0.0.1:8080", "http://127.0.0.1:8080, gRPC at 127.0.0.1:9090"
  std::string addresses() const;
  const Snapshots& snapshots() const { return snapshots_; }
  void run();  // until SIGTERM or SIGINT, and drained

 private:
  ServeOptions options_;
  ServeMetrics metrics_;
  Keys keys_;
  Snapshots snapshots_;
  Keeper keeper_;
  SearchQueue queue_;
  Handler handler_;
  HttpServer http_;
  std::optional<GrpcServer> grpc_;
};

}  // namespace pagoda
