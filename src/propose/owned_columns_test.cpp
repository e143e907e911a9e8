#include "propose/owned_columns.h"

#include "formats/formats_test.h"
#include "propose/propose_test.h"

namespace pagoda::propose {
namespace {

class OwnedColumnsTest : public ProposeTest {};

TEST_F(OwnedColumnsTest, AColumnBelongsToTheItemWhenChanceWouldHaveChangedIt) {
  EXPECT_EQ(owner_of({.column = "brand", .item_repeats = 100, .user_repeats = 100, .user_changes = 80}, 0.2),
            Owner::item);
  EXPECT_EQ(owner_of({.column = "age", .item_repeats = 100, .item_changes = 80, .user_repeats = 100}, 0.2),
            Owner::user);
  EXPECT_EQ(
      owner_of({.column = "device", .item_repeats = 100, .item_changes = 9, .user_repeats = 100, .user_changes = 9},
               0.2),
      Owner::row);
  // Too few repeats, or values so alike that they say nothing.
  EXPECT_EQ(owner_of({.column = "brand", .item_repeats = 20}, 0.2), Owner::row);
  EXPECT_EQ(owner_of({.column = "device", .item_repeats = 1000}, 0.99), Owner::row);
  // A slip in a thousand is one.
  EXPECT_EQ(owner_of({.column = "brand", .item_repeats = 10000, .item_changes = 5}, 0.2), Owner::item);
}

TEST_F(OwnedColumnsTest, TheTableHoldsTheFirstValueOfEachId) {
  const auto log = file("log.csv",
                        "user_id,item_id,brand,name\n"
                        "u,i1,,\"A, b\"\n"
                        "v,i2,y,B\n"
                        "u,i1,x,C\n"
                        "w,,z,D\n");
  write_owned_columns({{log}}, "item_id", {"brand", "name"}, path("items.csv"));
  EXPECT_EQ(formats::read_rows(path("items.csv")), (formats::Rows{{"i1", "x", "A, b"}, {"i2", "y", "B"}}));
}

TEST_F(OwnedColumnsTest, WhatGoesWithTheItemBecomesATableAndWhatGoesWithTheUserAnother) {
  const auto p = propose_log(log_text("user_id,item_id,ts,brand,price,country,device", [](int n) {
    const int user = n * n % 31, item = n % 23;
    return fmt::format("u{},i{},{},{},{}.5,{},{}", user, item, 1700000000 + 999 * n, item % 2 ? "Acme" : "Best", item,
                       user % 3 ? "DE" : "FR", n * 7 % 11 % 2 ? "web" : "app");
  }));
  const auto& data = p.options.data;
  EXPECT_TRUE(data.items.ends_with("p.items.csv")) << data.items;
  EXPECT_TRUE(data.users.ends_with("p.users.csv")) << data.users;
  EXPECT_EQ(columns_of(p.options.towers.item.features), "brand:categorical price:numeric");
  EXPECT_EQ(columns_of(p.options.towers.user.features), "device:categorical country:categorical");
  EXPECT_EQ(data.context, std::vector<std::string>{"device"});
  EXPECT_EQ(formats::read_rows(data.items).size(), 23u);
}

TEST_F(OwnedColumnsTest, WhatGoesWithASessionIsItsContext) {
  const auto p = propose_log(log_text("session_id,item_id,device", [](int n) {
    return fmt::format("s{},i{},{}", n / 20, n * n % 23, n / 20 % 3 ? "web" : "app");
  }));
  EXPECT_EQ(p.options.data.users, "");
  EXPECT_EQ(p.options.data.context, std::vector<std::string>{"device"});
}

TEST_F(OwnedColumnsTest, ATableThatIsThereIsNotOverwritten) {
  file("p.items.csv", "mine");
  const auto text = log_text("user_id,item_id,brand", [](int n) {
    return fmt::format("u{},i{},{}", n * n % 31, n % 23, n % 23 % 2 ? "a" : "b");
  });
  EXPECT_THROW(propose_log(text), Error);
}

TEST_F(OwnedColumnsTest, NamesOfUsersAloneMakeNoTable) {
  const auto p = propose_log(log_text("user_id,item_id,user_name",
                                      [](int n) { return fmt::format("u{0},i{1},Name {0}", n * n % 31, n % 23); }));
  EXPECT_EQ(p.options.data.users, "");
  EXPECT_TRUE(says(p, "'user_name' of the log, the same in all rows of a user, would tell no more"));
  EXPECT_FALSE(std::filesystem::exists(path("p.users.csv")));
}

}  // namespace
}  // namespace pagoda::propose
