// Attributes at the ends of what their columns hold, brought by requests, found by filters, and given back.
#include "columns/decimal.h"
#include "retrieval/exact_json.h"
#include "retrieval/json_request.h"
#include "retrieval/retrieval_test.h"
#include "server/json_encoder.h"
#include "server/request_parser.h"

namespace pagoda::server {
namespace {

class ExactValues : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "pagoda_exact_" + std::to_string(getpid()) + ".pagoda";
    columns::Column big{.name = "big", .type = columns::ColumnType::integer},
        price{.name = "price", .type = columns::ColumnType::decimal},
        weight{.name = "weight", .type = columns::ColumnType::real, .precision = columns::RealPrecision::f32},
        flag{.name = "flag", .type = columns::ColumnType::boolean}, code{.name = "code"}, size{.name = "size"};
    for (int i = 0; i < 10; ++i) {
      big.push_integer(9007199254740990 + i);
      price.push_text(i == 0 ? "18446744073709551615" : "0.35");
      weight.push_real(0.1 * i);
      flag.push_integer(i % 2);
      code.push_text(i == 0 ? "A1" : "12");
      size.push_text(i == 0 ? "NA" : std::to_string(i) + ".0");
    }
    retrieval::write_small_bundle(pool_, path_, {.more = {big, price, weight, flag, code, size}});
    snapshots_ = std::make_unique<retrieval::Snapshots>(path_);
  }
  void TearDown() override {
    snapshots_.reset();
    for (const auto& file : {path_, path_ + ".items"}) std::filesystem::remove(file);
  }

  void upsert(const std::string& attributes) {
    const auto now = snapshots_->current();
    const RequestParser reader(options_, *now);
    snapshots_->change(
        reader.upserted_items(reader.body(R"({"items": [{"item": "new", "attributes": )" + attributes + "}]}")));
  }
  std::string refusal(const std::string& attributes) {
    try {
      upsert(attributes);
    } catch (const retrieval::RequestError& e) {
      return e.what();
    }
    return "no error";
  }
  std::vector<std::string> matching(const std::string& filter) {
    const auto now = snapshots_->current();
    const auto& r = now->retrieval;
    const auto found = r.retrieve(pool_, {retrieval::RetrieveRequest{}}, {.k = 20, .filter = filter}).found;
    std::vector<std::string> ids;
    for (const uint32_t item : found.items.values) ids.emplace_back(r.item_id(item));
    std::ranges::sort(ids);
    return ids;
  }
  std::string cell(const std::string& item, const std::string& column) {
    const auto now = snapshots_->current();
    const auto names = now->bundle().item_attributes().names();
    const std::vector<size_t> columns{static_cast<size_t>(std::ranges::find(names, column) - names.begin())};
    const std::vector<uint32_t> items{now->retrieval.find_item(item)};
    std::string out;
    append_attributes(out, now->retrieval, items, columns);
    const auto from = out.find(column) + column.size() + 3;
    return out.substr(from, out.size() - from - 2);
  }

  ThreadPool pool_{1};
  retrieval::ServeOptions options_;
  std::string path_;
  std::unique_ptr<retrieval::Snapshots> snapshots_;
};
using Ids = std::vector<std::string>;

TEST_F(ExactValues, LargeIntegersAreKeptFoundAndGivenBack) {
  EXPECT_EQ(matching("big = 9007199254740993"), Ids{"i3"});
  upsert(R"({"big": 9007199254740993, "price": 18446744073709551615})");
  EXPECT_EQ(cell("new", "big"), "9007199254740993");
  EXPECT_EQ(cell("new", "price"), "18446744073709551615");
  EXPECT_EQ(matching("big = 9007199254740993"), (Ids{"i3", "new"}));
  EXPECT_EQ(matching("big in ('9007199254740993')"), (Ids{"i3", "new"}));
  EXPECT_EQ(matching("price = 18446744073709551615"), (Ids{"i0", "new"}));
  EXPECT_EQ(matching("price >= 18446744073709551616"), Ids{});
  upsert(R"({"big": -9223372036854775808})");
  EXPECT_EQ(cell("new", "big"), "-9223372036854775808");
  for (const char* spelling : {"9.007199254740995e15", "9007199254740995.0", "\"9007199254740995\""}) {
    upsert(fmt::format(R"({{"big": {}}})", spelling));
    EXPECT_EQ(cell("new", "big"), "9007199254740995");
  }
  for (const char* wrong : {"9223372036854775808", "18446744073709551620", "9007199254740993.5", "1e30"})
    EXPECT_NE(refusal(fmt::format(R"({{"big": {}}})", wrong)).find("expected a whole number of 64 bits"),
              std::string::npos)
        << wrong;
  // As the journal gives it back.
  upsert(R"({"big": 9007199254740997, "price": 0.34999999999999999999})");
  snapshots_ = std::make_unique<retrieval::Snapshots>(path_);
  EXPECT_EQ(cell("new", "big"), "9007199254740997");
  EXPECT_EQ(cell("new", "price"), "0.34999999999999999999");
  EXPECT_EQ(matching("price < 0.35"), Ids{"new"});
}

TEST_F(ExactValues, FloatsAreBroughtInThePrecisionOfTheirColumn) {
  EXPECT_EQ(matching("weight = 0.1"), Ids{"i1"});
  upsert(R"({"weight": 0.10000000149011612})");
  EXPECT_EQ(cell("new", "weight"), "0.1");
  EXPECT_EQ(matching("weight = 0.1"), (Ids{"i1", "new"}));
  EXPECT_NE(refusal(R"({"weight": 1e39})").find("expected a number that a float of 32 bits holds"), std::string::npos);
}

TEST_F(ExactValues, TrueAndFalseAreReadInAnySpelling) {
  upsert(R"({"flag": true})");
  EXPECT_EQ(cell("new", "flag"), "true");
  upsert(R"({"flag": "False"})");
  EXPECT_EQ(cell("new", "flag"), "false");
  EXPECT_NE(refusal(R"({"flag": "yes"})").find("expected true or false"), std::string::npos);
}

TEST_F(ExactValues, WhatWasAddedIsComparedAsTheCatalogueIs) {
  upsert(R"({"code": "9", "size": 2})");
  EXPECT_EQ(matching("code > '12'"), (Ids{"i0", "new"})) << "as text, since A1 is none of the numbers";
  EXPECT_EQ(matching("size >= 2 and size < '3'"), (Ids{"i2", "new"}));
  EXPECT_EQ(matching("size = 2.00"), (Ids{"i2", "new"}));
  upsert(R"({"size": "large"})");
  EXPECT_EQ(matching("size > '8'"), Ids{"i9"}) << "as numbers, of which 'large' is none";
  EXPECT_EQ(matching("size is null"), Ids{});
  upsert(R"({})");
  EXPECT_EQ(matching("size is null"), Ids{"new"});
}

TEST_F(ExactValues, AQuotaCountsTheSpellingsOfAValueAsOne) {
  upsert(R"({"size": 2})");
  const auto now = snapshots_->current();
  const auto found = now->retrieval
                         .retrieve(pool_, {retrieval::RetrieveRequest{}},
                                   {.k = 20, .filter = "size = 2", .quota = retrieval::QuotaOptions{"size", 1}})
                         .found;
  EXPECT_EQ(found.items.values.size(), 1u);
}

TEST_F(ExactValues, AKeyThatStandsTwiceIsRefused) {
  EXPECT_NE(refusal(R"({"big": 1, "big": 2})").find("the key 'big' occurs twice"), std::string::npos);
  EXPECT_THROW(retrieval::parse_request(R"({"user": "a", "user": "b"})", "users.txt:1"), Error);
}

TEST_F(ExactValues, WhatOneRequestBringsDoesNotChangeHowAnotherIsRead) {
  const auto now = snapshots_->current();
  const auto alone = retrieval::parse_request(R"({"features": {"likes": "jam|bread", "country": "DE"}})", ""),
             of_lists = retrieval::parse_request(R"({"features": {"likes": ["tea"], "country": ["FR", "PL"]}})", "");
  const auto apart = now->retrieval.user_vectors(pool_, {alone}), list = now->retrieval.user_vectors(pool_, {of_lists});
  const auto together = now->retrieval.user_vectors(pool_, {of_lists, alone, of_lists});
  for (size_t c = 0; c < apart.cols(); ++c) {
    EXPECT_NEAR(together[1][c], apart[0][c], 1e-6);
    EXPECT_NEAR(together[2][c], list[0][c], 1e-6);
  }
}

TEST_F(ExactValues, AContextValueIsOneHoweverItIsSpelled) {
  const auto now = snapshots_->current();
  const auto vector = [&](const char* line) {
    const auto vectors = now->retrieval.user_vectors(pool_, {retrieval::parse_request(line, "")});
    return std::vector<float>(vectors[0], vectors[0] + vectors.cols());
  };
  const auto two = vector(R"({"user": "ann", "context": {"device": 2}})");
  for (const char* line :
       {R"({"user": "ann", "context": {"device": 2.0}})", R"({"user": "ann", "context": {"device": "02"}})",
        R"({"user": "ann", "context": {"device": 2e0}})"})
    EXPECT_EQ(vector(line), two) << line;
  EXPECT_EQ(*retrieval::parse_request(R"({"user": 18446744073709551620})", "").user, "18446744073709551620");
}

}  // namespace
}  // namespace pagoda::server
