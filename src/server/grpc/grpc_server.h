// gRPC in front of the handler: the service pagoda.v1.Retrieval of proto/pagoda/v1/retrieval.proto, with gRPC's health
// service and reflection. Only grpc_server.cpp includes gRPC.
//
// A call does not occupy a thread: its search waits in the queue, and the server's own threads write the responses.
#pragma once

#include <memory>
#include <string>

#include "server/handler.h"

namespace pagoda::server {

class GrpcServer {
 public:
  // Listens, and answers from now on. Borrows the handler. Error{usage}: serve.grpc is not an address and port;
  // Error{failed}: it cannot be listened on, or the certificate cannot be read.
  GrpcServer(Handler& handler, const retrieval::ServeOptions& options);
  ~GrpcServer();  // close()

  std::string address() const;  // "127.0.0.1:9090", with the actual port if 0 was asked for

  void drain();  // health says NOT_SERVING from now on
  void close();  // stops accepting, and returns when the calls under way are answered, or after read_timeout_ms

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace pagoda::server
