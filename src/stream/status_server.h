// GET /metrics and GET /livez of a program that answers nothing else.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace pagoda::stream {

// Answers on a thread of its own, one call a connection. A client has ten seconds for its call.
class StatusServer {
 public:
  // `metrics` gives the text of /metrics, on that thread. Errors of server::listen_on().
  StatusServer(const std::string& key, const std::string& address, std::function<std::string()> metrics);
  ~StatusServer();
  int port() const;

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace pagoda::stream
