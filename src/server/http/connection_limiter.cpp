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
#include <memory>

#include "core/error.h"
#include "core/log.h"

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

// A listening socket; -1, with errno, on failure.
int listener_at(const addrinfo& address) {
  const int listener = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return -1;
  const int one = 1;
  if (::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
      ::bind(listener, address.ai_addr, address.ai_addrlen) == 0 && ::listen(listener, SOMAXCONN) == 0)
    return listener;
  const int reason = errno;
  ::close(listener);
  errno = reason;
  return -1;
}

}  // namespace

ConnectionLimiter::ConnectionLimiter(const std::string& key, const std::string& host, const std::string& port,
                                     size_t max_connections, std::function<void(int)> on_count_changed)
    : max_connections_(max_connections), on_count_changed_(std::move(on_count_changed)) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    fail(ErrorKind::usage, "{} = \"{}:{}\": there is no such address: {}", key, host, port, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  closed_ = ::eventfd(0, EFD_CLOEXEC);
  std::string reason = closed_ < 0 ? std::strerror(errno) : "";
  // A name may have several addresses, and the machine may lack some of them.
  for (const addrinfo* address = found; address && listener_ < 0 && closed_ >= 0; address = address->ai_next) {
    listener_ = listener_at(*address);
    if (listener_ < 0 && reason.empty()) reason = std::strerror(errno);
  }
  if (listener_ < 0) {
    if (closed_ >= 0) ::close(closed_);
    fail(ErrorKind::failed, "{} = \"{}:{}\" cannot be listened on: {}", key, host, port, reason);
  }
  port_ = port_of(listener_);
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
