#include "server/http/connection_limiter.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "server/http/address.h"

namespace pagoda::server {
namespace {

constexpr int kSeldomMs = 500,
              kOftenMs = 20;  // how often open connections are checked; often when the limit is reached

// Whether this side has not closed the connection.
bool is_open(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT;
}

int port_of(int listener) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
  std::array<char, NI_MAXSERV> port{};
  ::getnameinfo(reinterpret_cast<const sockaddr*>(&bound), size, nullptr, 0, port.data(), port.size(), NI_NUMERICSERV);
  return std::atoi(port.data());
}

}  // namespace

ConnectionLimiter::ConnectionLimiter(const std::string& key, const std::string& address, size_t max_connections,
                                     std::function<void(int)> on_count_changed)
    : max_connections_(max_connections), on_count_changed_(std::move(on_count_changed)) {
  listener_ = listen_on(key, address);
  port_ = port_of(listener_);
  closed_ = ::eventfd(0, EFD_CLOEXEC);
  if (closed_ >= 0) return;
  const std::string reason = std::strerror(errno);
  ::close(listener_);
  fail(ErrorKind::failed, "{} = \"{}\": connections cannot be accepted: {}", key, address, reason);
}

ConnectionLimiter::~ConnectionLimiter() {
  close();
  ::close(closed_);
}

void ConnectionLimiter::accept(std::function<void(int)> take) {
  on_accepted_ = std::move(take);
  thread_ = std::thread([this] { loop(); });
}

void ConnectionLimiter::close() {
  if (listener_ < 0) return;
  const uint64_t one = 1;
  if (::write(closed_, &one, sizeof one) != sizeof one)
    log_warning("the thread that accepts connections cannot be told to end");
  if (thread_.joinable()) thread_.join();
  ::close(listener_);
  listener_ = -1;
  for (const int socket : accepted_) {
    ::close(socket);
    on_count_changed_(-1);
  }
  accepted_.clear();
}

void ConnectionLimiter::loop() {
  for (;;) {
    const bool room = accepted_.size() < max_connections_;
    std::array<pollfd, 2> files{{{.fd = closed_, .events = POLLIN, .revents = 0},
                                 {.fd = room ? listener_ : -1, .events = POLLIN, .revents = 0}}};
    const int timeout = !room ? kOftenMs : accepted_.empty() ? -1 : kSeldomMs;
    const int n = ::poll(files.data(), files.size(), timeout);
    if (n > 0 && files[0].revents) return;
    if (n == 0 || !room) reap_closed();
    if (n <= 0 || !files[1].revents) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        std::this_thread::sleep_for(std::chrono::milliseconds(kOftenMs));
      continue;
    }
    if (accepted_.size() + 1 >= max_connections_) reap_closed();
    const int second = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (second < 0) {
      ::close(socket);
      continue;
    }
    accepted_.push_back(second);
    on_count_changed_(+1);
    on_accepted_(socket);
  }
}

void ConnectionLimiter::reap_closed() {
  std::erase_if(accepted_, [this](int socket) {
    if (is_open(socket)) return false;
    ::close(socket);
    on_count_changed_(-1);
    return true;
  });
}

}  // namespace pagoda::server
