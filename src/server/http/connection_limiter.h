// Accepts connections at an address, at most so many at a time; more wait in the backlog until one closes. For a
// transport that takes sockets but does not report when they close.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace pagoda::server {

class ConnectionLimiter {
 public:
  // Listens at host:port; errors of listen_on(), which name the config key. Calls `on_count_changed` with +1 and -1
  // when a connection opens and closes.
  ConnectionLimiter(const std::string& key, const std::string& address, size_t max_connections,
                    std::function<void(int)> on_count_changed);
  ~ConnectionLimiter();  // close()

  int port() const { return port_; }

  // Passes each connection to `take`, which owns it, on a thread of this object, until close().
  void accept(std::function<void(int socket)> take);
  void close();  // accepts no more; open connections stay

 private:
  void loop();
  void reap_closed();

  size_t max_connections_;
  std::function<void(int)> on_count_changed_;
  std::function<void(int)> on_accepted_;
  int listener_ = -1, closed_ = -1, port_ = 0;
  std::vector<int> accepted_;  // a duplicate descriptor of each, to check its state
  std::thread thread_;
};

}  // namespace pagoda::server
