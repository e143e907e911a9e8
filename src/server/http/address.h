// Where a server listens.
#pragma once

#include <string>
#include <utility>

namespace pagoda::server {

// Splits "host:port" or "[::1]:port". Error{usage}, naming the config key, for anything else.
std::pair<std::string, std::string> host_and_port(const std::string& key, const std::string& address);

}  // namespace pagoda::server
