#include "server/http/address.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

#include "core/error.h"
#include "server/http/connection_limiter.h"

namespace pagoda::server {
namespace {

constexpr std::string_view kTwoAddresses = "two-addresses.invalid";

// The C library's getaddrinfo.
int resolve(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  static const auto function = reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return function(node, service, hints, found);
}

TEST(Address, IsAHostAndAPort) {
  EXPECT_EQ(host_and_port("serve.http", "127.0.0.1:8080"), std::pair(std::string("127.0.0.1"), std::string("8080")));
  EXPECT_EQ(host_and_port("serve.http", "[::1]:0"), std::pair(std::string("::1"), std::string("0")));
  EXPECT_EQ(host_and_port("serve.http", "localhost:65535").second, "65535");
}

TEST(Address, AnotherIsRefusedWithItsKey) {
  for (const char* address : {"8080", ":8080", "localhost", "localhost:", "localhost:http", "0.0.0.0:80801", "a:-1"})
    try {
      host_and_port("serve.http", address);
      ADD_FAILURE() << address;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(e.what()).find("serve.http"), std::string::npos) << e.what();
    }
}

// The addresses of a name as the resolver may give them: none that this machine has, and then 127.0.0.1.
addrinfo* addresses_of_two(const char* service, const addrinfo* hints) {
  addrinfo *first = nullptr, *second = nullptr;
  if (resolve("192.0.2.1", service, hints, &first) != 0 || resolve("127.0.0.1", service, hints, &second) != 0)
    std::abort();
  first->ai_next = second;
  return first;
}

sockaddr_in bound_to(int listener) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size), 0);
  return at;
}

std::string error_of_listening(const std::string& address, ErrorKind kind) {
  try {
    ::close(listen_on("serve.grpc", address));
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), kind);
    return e.what();
  }
  return "";
}

TEST(Listening, GoesOnToTheNextAddressOfAName) {
  const int listener = listen_on("serve.http", std::string(kTwoAddresses) + ":0");
  EXPECT_EQ(ntohl(bound_to(listener).sin_addr.s_addr), INADDR_LOOPBACK);
  ::close(listener);
}

TEST(Listening, BothTransportsDo) {
  ConnectionLimiter limiter("serve.grpc", std::string(kTwoAddresses) + ":0", 1, [](int) {});
  EXPECT_GT(limiter.port(), 0);
}

TEST(Listening, AnAddressThatIsTakenOrNoneIsAnErrorWithItsKey) {
  const int listener = listen_on("serve.http", "127.0.0.1:0");
  const auto taken = "127.0.0.1:" + std::to_string(ntohs(bound_to(listener).sin_port));
  EXPECT_EQ(error_of_listening(taken, ErrorKind::failed),
            "serve.grpc = \"" + taken + "\" cannot be listened on: Address already in use");
  EXPECT_NE(error_of_listening("192.0.2.1:0", ErrorKind::failed).find("cannot be listened on: Cannot assign"),
            std::string::npos);
  EXPECT_NE(error_of_listening("nowhere.invalid:80", ErrorKind::usage).find("there is no such address"),
            std::string::npos);
  ::close(listener);
}

}  // namespace
}  // namespace pagoda::server

// In place of the C library's: it alone decides how many addresses a name has.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  using namespace pagoda::server;
  if (!node || std::string_view(node) != kTwoAddresses) return resolve(node, service, hints, found);
  *found = addresses_of_two(service, hints);
  return 0;
}
