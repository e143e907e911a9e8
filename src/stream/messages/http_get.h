// Fetches a page over HTTP or HTTPS.
#pragma once

#include <string>
#include <string_view>

namespace pagoda::stream {

// Where a service is: what its URL says, and never its password in a message.
struct HttpPlace {
  bool tls = false;
  std::string host, port;  // "::1" without its brackets
  std::string path;        // before all that is asked for; "": the root
  std::string user_info;   // "user:password"; "": none

  // Error{usage}, with the config's key: it is no URL such as https://host:8081/path.
  static HttpPlace parse(const std::string& key, const std::string& url);
  std::string authority() const;  // "host:port"
  std::string text() const;       // the URL without user and password
};

struct HttpReply {
  int status = 0;
  std::string body;
  std::string error;  // why there is no reply; "": there is one
};

// GET of place.path + target, by a connection of its own. Over TLS the certificate must be that of the host, and of an
// authority that OpenSSL trusts (SSL_CERT_FILE and SSL_CERT_DIR name others). Ends within seconds, whatever the other side does.
HttpReply http_get(const HttpPlace& place, const std::string& target);

std::string url_encoded(std::string_view text);

}  // namespace pagoda::stream
