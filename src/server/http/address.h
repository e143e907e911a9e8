// Where a server listens.
#pragma once

#include <string>
#include <utility>

namespace pagoda::server {

// Splits "host:port" or "[::1]:port". Error{usage}, naming the config key, for anything else.
std::pair<std::string, std::string> host_and_port(const std::string& key, const std::string& address);

// Opens a TCP socket that listens there, non-blocking and closed on exec; the caller closes it. A name may have several
// addresses, of which the machine may lack some: takes the first that can be listened on. `address` is host and port as
// above. Error{usage}: it is not, or there is no such address; Error{failed}: none can be listened on. Errors name the
// config key.
int listen_on(const std::string& key, const std::string& address);

}  // namespace pagoda::server
