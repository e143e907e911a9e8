// gRPC in front of the handler: the service pagoda.v1.Retrieval of proto/pagoda/v1/retrieval.proto, with gRPC's health service
// and reflection. The only file that sees gRPC is grpc_server.cpp.
//
// A call is answered without a thread of its own: its search waits in the queue, and threads of its own write the answers.
#pragma once

#include <memory>
#include <string>

#include "server/handler.h"

namespace pagoda::server {

class GrpcServer {
 public:
  // Listens, and answers from now on. The handler is borrowed. Error{usage}: serve.grpc is no address and port; Error{failed}:
  // it cannot be had, or the certificate cannot be read.
  GrpcServer(Handler& handler, const retrieval::ServeOptions& options);
  ~GrpcServer();  // close()

  std::string address() const;  // "127.0.0.1:9090": the port that was given where port 0 was asked for

  void drain();  // health says NOT_SERVING from now on
  void close();  // takes no more, and returns when what is under way has been answered, or after read_timeout_ms

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace pagoda::server
