// HTTP/1.1 in front of the handler, over TCP or TLS. The only file that sees the network's library is http_server.cpp.
//
// A connection is kept from request to request. One that is silent for idle_timeout_ms is closed, and so is one whose
// request has not arrived whole, or whose answer was not taken, within read_timeout_ms; so neither a slow client nor one that
// is gone holds a connection for long. What the handler refuses is refused before the body is read.
#pragma once

#include <memory>
#include <string>

#include "server/handler.h"

namespace pagoda::server {

class HttpServer {
 public:
  // Listens. The handler is borrowed. Error{usage}: no such address; Error{failed}: it cannot be had, or the certificate
  // cannot be used.
  HttpServer(Handler& handler, const retrieval::ServeOptions& options);
  ~HttpServer();

  std::string address() const;  // "127.0.0.1:8080": the port that was given where port 0 was asked for

  // Answers until SIGTERM or SIGINT, then drains: /readyz and new calls get 503, what came before is answered, and after
  // drain_ms at the earliest the port is closed. `on_hangup` is called at each SIGHUP, `on_drain` when draining begins;
  // neither may take long. A second SIGTERM ends the process.
  void run(const std::function<void()>& on_hangup, const std::function<void()>& on_drain);

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace pagoda::server
