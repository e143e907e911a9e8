#include "server/http/address.h"

#include <charconv>
#include <cstdint>

#include "core/error.h"

namespace pagoda::server {

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

}  // namespace pagoda::server
