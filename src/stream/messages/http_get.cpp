#include "stream/messages/http_get.h"

#include <openssl/evp.h>

#include <utility>  // asio needs it and does not include it

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>

#include "core/error.h"

namespace pagoda::stream {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr auto kReplyTime = std::chrono::seconds(5);
constexpr uint64_t kMostReplyBytes = 16 << 20;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string url_decoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool coded =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    plain += coded ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (coded) i += 2;
  }
  return plain;
}

std::string base64(const std::string& text) {
  std::string coded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  coded.resize(static_cast<size_t>(size));
  return coded;
}

// One request, step by step; each ends with an error when its time is over.
class Fetch {
 public:
  HttpReply operator()(const HttpPlace& place, const std::string& target) {
    HttpReply reply;
    try {
      if (place.tls) {
        asio::ssl::context tls(asio::ssl::context::tls_client);
        tls.set_default_verify_paths();
        beast::ssl_stream<beast::tcp_stream> stream(context_, tls);
        stream.set_verify_mode(asio::ssl::verify_peer);
        stream.set_verify_callback(asio::ssl::host_name_verification(place.host));
        SSL_set_tlsext_host_name(stream.native_handle(), place.host.c_str());
        connect(beast::get_lowest_layer(stream), place);
        step("TLS", [&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); });
        exchange(stream, place, target, reply);
      } else {
        beast::tcp_stream stream(context_);
        connect(stream, place);
        exchange(stream, place, target, reply);
      }
    } catch (const boost::system::system_error& e) {
      reply.error = e.what();
    }
    return reply;
  }

 private:
  template <class Start>
  void step(const char* what, Start&& start) {
    ErrorCode outcome = asio::error::would_block;
    start([&outcome](ErrorCode error, auto&&...) { outcome = error; });
    context_.restart();
    context_.run();
    if (outcome) throw boost::system::system_error(outcome, what);
  }

  void connect(beast::tcp_stream& stream, const HttpPlace& place) {
    stream.expires_after(kReplyTime);
    tcp::resolver resolver(context_);
    tcp::resolver::results_type found;
    step("its host", [&](auto done) {
      resolver.async_resolve(place.host, place.port, [&found, done](ErrorCode error, tcp::resolver::results_type all) {
        found = std::move(all);
        done(error);
      });
    });
    step("connect", [&](auto done) { stream.async_connect(found, done); });
  }

  template <class Stream>
  void exchange(Stream& stream, const HttpPlace& place, const std::string& target, HttpReply& reply) {
    http::request<http::empty_body> request(http::verb::get, place.path + target, 11);
    request.set(http::field::host, place.authority());
    request.set(http::field::accept, "application/vnd.schemaregistry.v1+json, application/json");
    request.set(http::field::user_agent, "pagoda");
    request.set(http::field::connection, "close");
    if (!place.user_info.empty()) request.set(http::field::authorization, "Basic " + base64(place.user_info));
    step("write", [&](auto done) { http::async_write(stream, request, done); });
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostReplyBytes);
    step("read", [&](auto done) { http::async_read(stream, buffer, parser, done); });
    reply.status = static_cast<int>(parser.get().result_int());
    reply.body = std::move(parser.get().body());
  }

  asio::io_context context_{1};
};

}  // namespace

HttpPlace HttpPlace::parse(const std::string& key, const std::string& url) {
  const auto refuse = [&] {
    const auto at = url.rfind('@');  // no password is shown
    fail(ErrorKind::usage, "{} is \"{}\", expected a URL, such as http://registry:8081 or https://USER:PASSWORD@HOST",
         key, at == url.npos ? url : "..." + url.substr(at));
  };
  HttpPlace place;
  place.tls = url.starts_with("https://");
  if (!place.tls && !url.starts_with("http://")) refuse();
  std::string_view rest = std::string_view(url).substr(url.find("//") + 2);
  const auto slash = std::min(rest.find('/'), rest.size());
  place.path = rest.substr(slash);
  while (place.path.ends_with('/')) place.path.pop_back();
  rest = rest.substr(0, slash);
  if (const auto at = rest.rfind('@'); at != rest.npos) {
    place.user_info = url_decoded(rest.substr(0, at));
    rest.remove_prefix(at + 1);
  }
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == rest.npos) refuse();
    place.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    place.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(place.host.size());
  }
  if (!rest.empty() && rest[0] != ':') refuse();
  place.port = rest.empty() ? (place.tls ? "443" : "80") : std::string(rest.substr(1));
  const bool number = !place.port.empty() && place.port.size() <= 5 &&
                      place.port.find_first_not_of("0123456789") == std::string::npos && std::stoi(place.port) <= 65535;
  if (place.host.empty() || !number || place.path.find_first_of("?# ") != std::string::npos) refuse();
  return place;
}

std::string HttpPlace::authority() const {
  return host.find(':') != host.npos ? fmt::format("[{}]:{}", host, port) : host + ":" + port;
}

std::string HttpPlace::text() const { return fmt::format("{}://{}{}", tls ? "https" : "http", authority(), path); }

HttpReply http_get(const HttpPlace& place, const std::string& target) { return Fetch()(place, target); }

std::string url_encoded(std::string_view text) {
  std::string coded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    coded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return coded;
}

}  // namespace pagoda::stream
