// Takes connections in at an address, and lets so many in at once: more wait outside until one has gone. For a transport that
// is given sockets and does not tell of their end.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace pagoda::server {

class ConnectionLimiter {
 public:
  // Listens. Error{usage}: there is no such address; Error{failed}: it cannot be had. `open` is told of changes, +1 and -1.
  // key of the config: for the errors.
  ConnectionLimiter(const std::string& key, const std::string& host, const std::string& port, size_t most,
                    std::function<void(int)> open);
  ~ConnectionLimiter();  // close()

  int port() const { return port_; }

  // Hands each connection to `take`, which owns it, on a thread of its own, until close().
  void accept(std::function<void(int socket)> take);
  void close();  // no more come in; those that are in stay

 private:
  void loop();
  void reap_closed();

  size_t max_connections_;
  std::function<void(int)> on_count_changed_;
  std::function<void(int)> on_accepted_;
  int listener_ = -1, closed_ = -1, port_ = 0;
  std::vector<int> accepted_;  // a second descriptor of each, to see its state by
  std::thread thread_;
};

}  // namespace pagoda::server
