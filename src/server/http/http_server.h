// HTTP/1.1 in front of the handler, over TCP or TLS. Only http_server.cpp includes the network library.
//
// Connections are kept alive between requests. The server closes a connection that is silent for idle_timeout_ms, or
// whose request does not arrive whole, or whose client does not take the response, within read_timeout_ms; so slow and
// vanished clients do not hold connections for long. The handler refuses requests before the body is read.
#pragma once

#include <memory>
#include <string>

#include "server/handler.h"

namespace pagoda::server {

class HttpServer {
 public:
  // Listens. Borrows the handler. Error{usage}: no such address; Error{failed}: it cannot be listened on, or the
  // certificate cannot be used.
  HttpServer(Handler& handler, const retrieval::ServeOptions& options);
  ~HttpServer();

  std::string address() const;  // "127.0.0.1:8080", with the actual port if 0 was asked for

  // Answers until SIGTERM or SIGINT, then drains: /readyz and new calls get 503, calls under way are answered, and the
  // port closes after drain_ms at the earliest. Calls `on_hangup` at each SIGHUP and `on_drain` when draining begins;
  // neither may take long. A second SIGTERM ends the process.
  void run(const std::function<void()>& on_hangup, const std::function<void()>& on_drain);

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace pagoda::server
