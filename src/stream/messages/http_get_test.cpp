#include "stream/messages/http_get.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace pagoda::stream {
namespace {

TEST(HttpPlace, IsWhatItsUrlSaysAndNeverShowsThePassword) {
  const auto plain = HttpPlace::parse("key", "http://registry:8081/");
  EXPECT_EQ(plain.text(), "http://registry:8081");
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.user_info, "");
  const auto full = HttpPlace::parse("key", "https://ann%40x:pa%3Ass@host.example/apis/ccompat/v7/");
  EXPECT_TRUE(full.tls);
  EXPECT_EQ(full.user_info, "ann@x:pa:ss");
  EXPECT_EQ(full.text(), "https://host.example:443/apis/ccompat/v7");
  EXPECT_EQ(HttpPlace::parse("key", "http://h").port, "80");
  const auto numbers = HttpPlace::parse("key", "http://[::1]:81");
  EXPECT_EQ(numbers.host, "::1");
  EXPECT_EQ(numbers.authority(), "[::1]:81");
}

TEST(HttpPlace, OtherTextsAreRefusedWithoutThePassword) {
  for (const auto* url :
       {"", "registry:8081", "ftp://a:hush@r", "http://", "http://a:hush@", "http://a:hush@h:", "http://a:hush@h:x",
        "http://a:hush@h:65536", "http://a:hush@h/?q", "http://[::1", "http://[::1]81"})
    try {
      HttpPlace::parse("stream.registry", url);
      ADD_FAILURE() << url;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      EXPECT_EQ(std::string(e.what()).find("hush"), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("stream.registry"), std::string::npos);
    }
}

TEST(HttpPlace, TextsOfAPathAreEncoded) { EXPECT_EQ(url_encoded("a/b c-é.~"), "a%2Fb%20c-%C3%A9.~"); }

// Nobody listens there.
TEST(HttpGet, SaysWhyThereIsNoReply) {
  const auto reply = http_get(HttpPlace::parse("key", "http://127.0.0.1:1"), "/");
  EXPECT_EQ(reply.status, 0);
  EXPECT_NE(reply.error.find("refused"), std::string::npos) << reply.error;
}

}  // namespace
}  // namespace pagoda::stream
