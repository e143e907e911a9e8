#include "server/http/address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/error.h"

namespace pagoda::server {
namespace {

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

std::pair<std::string, std::string> host_and_port(const std::string& key, const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0)
    fail(ErrorKind::usage, "{} = \"{}\" is not an address and port; write 127.0.0.1:8080", key, address);
  auto host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto port = address.substr(colon + 1);
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size())
    fail(ErrorKind::usage, "{} = \"{}\": the port is a number from 0 (any that is free) to 65535", key, address);
  return {host, port};
}

int listen_on(const std::string& key, const std::string& address) {
  const auto [host, port] = host_and_port(key, address);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    fail(ErrorKind::usage, "{} = \"{}\": there is no such address: {}", key, address, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  std::string reason;
  for (const addrinfo* at = found; at; at = at->ai_next) {
    const int listener = listener_at(*at);
    if (listener >= 0) return listener;
    if (reason.empty()) reason = std::strerror(errno);
  }
  fail(ErrorKind::failed, "{} = \"{}\" cannot be listened on: {}", key, address, reason);
}

}  // namespace pagoda::server
