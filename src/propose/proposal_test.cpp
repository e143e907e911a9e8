#include "propose/proposal.h"

#include "core/error.h"
#include "files/files_test.h"
#include "propose/propose_test.h"

namespace pagoda::propose {
namespace {

class ProposalTest : public ProposeTest {};

TEST_F(ProposalTest, RolesOfALogAndTheSplitInTime) {
  const auto p = propose_log(log_text("user_id,item_id,ts,device", [](int n) {
    return fmt::format("u{},i{},{},{}", n % 30, n % 23, 1700000000 + 8640 * n, n * n % 7 % 3 ? "phone" : "web");
  }));
  const auto& data = p.options.data;
  EXPECT_EQ(data.user, "user_id");
  EXPECT_EQ(data.item, "item_id");
  EXPECT_EQ(data.time, "ts");
  EXPECT_EQ(data.weight, "");
  EXPECT_EQ(data.context, std::vector<std::string>{"device"});
  EXPECT_EQ(data.split.kind, data::SplitKind::time);
  EXPECT_TRUE(says(p, "Split by time"));
}

TEST_F(ProposalTest, WithoutTimesItIsSplitAtRandomUnlessTheSplitIsTold) {
  const auto text = log_text("user_id,item_id", [](int n) { return fmt::format("u{},i{}", n % 30, n % 23); });
  const auto p = propose_log(text);
  EXPECT_EQ(p.options.data.split.kind, data::SplitKind::random);
  EXPECT_TRUE(says(p, "Split at random"));
  dataset::Options told;
  told.data.split.kind = data::SplitKind::none;
  Request request;
  request.interactions = {file("told.csv", text)};
  request.split_told = true;
  EXPECT_EQ(propose_config(request, told).options.data.split.kind, data::SplitKind::none);
}

TEST_F(ProposalTest, AFileOfTheNameTestIsTheTestPart) {
  const auto text = log_text("user_id,item_id", [](int n) { return fmt::format("u{},i{}", n % 30, n % 23); });
  Request request;
  request.interactions = {file("train.csv", text)};
  const auto test = file("test.csv", text);
  const auto p = propose_config(request, {});
  EXPECT_EQ(p.options.data.split.kind, data::SplitKind::given);
  EXPECT_EQ(p.options.data.split.test_files, std::vector<std::string>{test});
}

TEST_F(ProposalTest, AnItemTableGivesFeaturesAndLayersAndWhatCountsTheLogStaysOut) {
  Request request;
  request.interactions = {file("log.csv", log_text("user_id,item_id,ts", [](int n) {
                                 return fmt::format("u{},i{},{}", n % 30, n % 23, 1700000000 + n);
                               }))};
  std::string items = "sku,title,genres,price,play_count\n";
  for (int n = 0; n < 23; ++n)
    items +=
        fmt::format("i{0},A story of {0} things,{1},{0}.5,{2}\n", n, n % 2 ? "Crime|Drama" : "Drama|Comedy", n * 7);
  request.items = file("items.csv", items);
  const auto p = propose_config(request, {});
  EXPECT_EQ(p.options.data.items_id, "sku");
  EXPECT_EQ(columns_of(p.options.towers.item.features), "title:text genres:multi price:numeric");
  EXPECT_EQ(p.options.towers.item.hidden, std::vector<int64_t>{128});
  EXPECT_TRUE(says(p, "'play_count' of"));
}

TEST_F(ProposalTest, TheLinesAreTheCommentsOfTheConfigAndHoldNoControlCharacters) {
  Proposal p;
  p.seen = {"a\tb"};
  p.say("{}", "c\xff");
  p.say("{}", "c\xff");  // once
  EXPECT_EQ(p.lines(), (std::vector<std::string>{"a b", "- (not UTF-8)"}));
  const auto comments = p.comments("pagoda train");
  EXPECT_NE(comments.find("# a b\n#\n# - (not UTF-8)\n#\n# Next: pagoda train\n"), comments.npos) << comments;
}

TEST_F(ProposalTest, AColumnThatIsToldAndNotThereIsNamed) {
  Request request;
  request.interactions = {file("log.csv", "user_id,item_id\nu,i\nv,j\n")};
  request.time = "tiem";
  try {
    propose_config(request, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(e.what()).find("--time tiem"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace pagoda::propose
