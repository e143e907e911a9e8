#include "server/http/address.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace pagoda::server {
namespace {

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

}  // namespace
}  // namespace pagoda::server
