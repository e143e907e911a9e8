#include "server/request_log.h"

#include <gtest/gtest.h>

#include <set>

namespace pagoda::server {
namespace {

TEST(RequestId, IsTheClientsOwnOrANewOne) {
  const std::string longest(128, 'x');
  for (const std::string& id : {std::string("a"), std::string("4bf92f3577b34da6a3ce929d0e0e4736"),
                                std::string("shop-1:7/b_c~d.e+f=@"), longest})
    EXPECT_EQ(request_id(id), id);
  std::set<std::string> made;
  for (const std::string& id : {std::string(), std::string("two words"), std::string("a\r\nSet-Cookie: b"),
                                std::string("\""), std::string("\xc3\xa9"), longest + "x"}) {
    const auto id_made = request_id(id);
    EXPECT_EQ(id_made.size(), 16u) << id;
    EXPECT_EQ(id_made.find_first_not_of("0123456789abcdef"), id_made.npos) << id;
    EXPECT_TRUE(made.insert(id_made).second) << "another request has it";
  }
}

}  // namespace
}  // namespace pagoda::server
