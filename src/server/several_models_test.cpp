// Retrieval from bundles of several models: ensembles and cascades.
#include <algorithm>
#include <numeric>

#include "model/ensemble.h"
#include "retrieval/retrieval.h"
#include "retrieval/retrieval_test.h"

namespace pagoda::server {
namespace {

using Names = std::vector<std::string>;

const Names kLines{"ann",
                   "bob",
                   "cat",
                   "eve",
                   "nobody",
                   R"({"history": ["i1", "i9", "nothing"]})",
                   R"({"user": "ann", "history": ["i9"], "context": {"device": "phone"}})",
                   R"({"features": {"country": "DE", "likes": ["jam"]}, "context": {"device": "tv"}})",
                   R"({"user": "bob", "features": {"hates": ["tea"]}, "time": "2024-05-01"})"};

// a: 8 components, items in order; b: 6, in reverse, knows eve besides but not dan, and has other names and towers.
class SeveralModels : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "pagoda_several_" + std::to_string(getpid());
    make_folder(folder_);
    a_ = bundle("a", {});
    b_ = bundle("b", {.user_ids = true,
                      .dim = 6,
                      .seed = 9,
                      .reversed = true,
                      .users = {"eve", "cat", "bob", "ann"},
                      .likes = "hates"});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::shared_ptr<const model::Bundle> bundle(const std::string& name, const retrieval::SmallBundle& shape) {
    retrieval::write_small_bundle(pool_, folder_ + "/" + name, shape);
    return model::Bundle::open(folder_ + "/" + name);
  }
  std::shared_ptr<const model::Bundle> ensemble(double of_a, double of_b) {
    model::write_ensemble(folder_ + "/e", {{a_, of_a}, {b_, of_b}}, "test");
    return model::Bundle::open(folder_ + "/e");
  }
  static std::vector<retrieval::RetrieveRequest> requests() {
    std::vector<retrieval::RetrieveRequest> out;
    for (const auto& line : kLines) out.push_back(retrieval::parse_request(line, "users.txt"));
    return out;
  }
  static Names names(const model::Bundle& bundle, const retrieval::RetrieveAnswer& answer, size_t q) {
    Names out;
    for (auto row : answer.found.items[q]) out.emplace_back(bundle.item_ids()[row]);
    return out;
  }

  ThreadPool pool_{2};
  std::string folder_;
  std::shared_ptr<const model::Bundle> a_, b_;
};

double product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t d = 0; d < a.size(); ++d) sum += double{a[d]} * b[d];
  return sum;
}

TEST_F(SeveralModels, AnEnsembleEncodesKnownUsersAndStrangersWithEachOfItsTowers) {
  const auto both = retrieval::Retrieval(ensemble(.5, 2)).user_vectors(pool_, requests());
  const auto of_a = retrieval::Retrieval(a_).user_vectors(pool_, requests()),
             of_b = retrieval::Retrieval(b_).user_vectors(pool_, requests());
  ASSERT_EQ(both.cols(), 14u);
  for (size_t q = 0; q < kLines.size(); ++q) {
    for (size_t d = 0; d < 8; ++d) EXPECT_EQ(both[q][d], .5f * of_a[q][d]) << kLines[q];
    for (size_t d = 0; d < 6; ++d) EXPECT_EQ(both[q][8 + d], 2 * of_b[q][d]) << kLines[q];
  }
}

TEST_F(SeveralModels, AnEnsemblesListsAreThoseOfTheWeightedSums) {
  const auto e = ensemble(.5, 2);
  const auto answer = retrieval::Retrieval(e).retrieve(pool_, requests(), {.k = 4, .exclude_seen = false});
  const auto of_a = retrieval::Retrieval(a_).user_vectors(pool_, requests()),
             of_b = retrieval::Retrieval(b_).user_vectors(pool_, requests());
  for (size_t q = 0; q < kLines.size(); ++q) {
    std::vector<std::pair<double, std::string>> all;
    for (uint32_t i = 0; i < 10; ++i)
      all.emplace_back(-.5 * product(of_a.row(q), a_->item_vectors().row(i)) -
                           2 * product(of_b.row(q), b_->item_vectors().row(9 - i)),
                       a_->item_ids()[i]);
    std::sort(all.begin(), all.end());
    Names expected;
    for (size_t r = 0; r < 4; ++r) {
      expected.push_back(all[r].second);
      EXPECT_NEAR(answer.found.scores[4 * q + r], -all[r].first, 1e-6);
    }
    EXPECT_EQ(names(*e, answer, q), expected) << kLines[q];
  }
}

TEST_F(SeveralModels, AUserIsKnownAndHasSeenItemsWhenAnyMemberSaysSo) {
  const auto e = ensemble(1, 1);
  const auto answer = retrieval::Retrieval(e).retrieve(pool_, requests(), {.k = 10});
  EXPECT_EQ(answer.user_known, (std::vector<bool>{true, true, true, true, false, false, true, false, true}));
  const auto eve = names(*e, answer, 3);
  EXPECT_EQ(eve.size(), 9u);
  EXPECT_EQ(std::find(eve.begin(), eve.end(), "i8"), eve.end());
  EXPECT_EQ(names(*e, answer, 0).size(), 5u);
}

TEST_F(SeveralModels, AnEnsembleEncodesItemsAndReadsTheNamesOfEachMember) {
  const retrieval::Retrieval e(ensemble(1, 3)), a(a_), b(b_);
  const auto both = e.item_vectors(pool_, a_->item_ids(), &a_->item_attributes());
  for (uint32_t i = 0; i < 10; ++i) {
    EXPECT_TRUE(std::ranges::equal(both.row(i), e.bundle().item_vectors().row(i)));
    EXPECT_TRUE(std::ranges::equal(both.row(i).subspan(8), b_->item_vectors().row(9 - i)));
  }
  const auto asks = [](const retrieval::Retrieval& r, const char* feature) {
    try {
      r.check_names(retrieval::parse_request(fmt::format(R"({{"features": {{"{}": "x"}}}})", feature), ""),
                    "users.txt:1");
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  for (const char* name : {"country", "likes", "hates"}) EXPECT_EQ(asks(e, name), "");
  EXPECT_NE(asks(a, "hates"), "");
  EXPECT_NE(asks(e, "hate").find("did you mean 'hates'?"), std::string::npos);
  EXPECT_EQ(asks(retrieval::Retrieval(a_, b_, 10), "hates"), "");
}

TEST_F(SeveralModels, ACascadeReordersWhatTheFirstRetrieves) {
  const retrieval::Retrieval cascade(a_, b_, 4), a(a_);
  const auto of_b = retrieval::Retrieval(b_).user_vectors(pool_, requests());
  for (const retrieval::RetrieveOptions& options :
       {retrieval::RetrieveOptions{.k = 3}, retrieval::RetrieveOptions{.k = 4, .exclude_seen = false},
        retrieval::RetrieveOptions{.k = 2, .filter = "year >= 1993", .exclude = {"i8", "i4"}}}) {
    auto wider = options;
    wider.k = 4;
    const auto found = a.retrieve(pool_, requests(), wider), answer = cascade.retrieve(pool_, requests(), options);
    EXPECT_EQ(answer.user_known, found.user_known);
    for (size_t q = 0; q < kLines.size(); ++q) {
      std::vector<std::pair<double, uint32_t>> scored;
      for (auto item : found.found.items[q])
        scored.emplace_back(-product(of_b.row(q), b_->item_vectors().row(9 - item)), item);
      std::sort(scored.begin(), scored.end());
      scored.resize(std::min(scored.size(), options.k));
      ASSERT_EQ(answer.found.items[q].size(), scored.size());
      for (size_t r = 0; r < scored.size(); ++r) {
        EXPECT_EQ(answer.found.items[q][r], scored[r].second) << kLines[q];
        EXPECT_NEAR(answer.found.scores[answer.found.items.offsets[q] + r], -scored[r].first, 1e-6);
      }
    }
  }
}

TEST_F(SeveralModels, ACascadeOfAModelWithItselfIsTheModel) {
  const auto answer = retrieval::Retrieval(a_, a_, 10).retrieve(pool_, requests(), {.k = 5});
  const auto alone = retrieval::Retrieval(a_).retrieve(pool_, requests(), {.k = 5});
  EXPECT_EQ(answer.found.items.values, alone.found.items.values);
  EXPECT_EQ(answer.found.scores, alone.found.scores);
}

TEST_F(SeveralModels, ItemsThatTheSecondHasNeverHeardOfComeLast) {
  const auto old = bundle("old", {.dim = 4, .seed = 2, .items = 6});
  const auto e = retrieval::Retrieval(a_, old, 10).retrieve(pool_, requests(), {.k = 10, .exclude_seen = false});
  const auto a = retrieval::Retrieval(a_).retrieve(pool_, requests(), {.k = 10, .exclude_seen = false});
  for (size_t q = 0; q < kLines.size(); ++q) {
    auto order = a.found.items[q];
    std::vector<uint32_t> unknown;
    std::copy_if(order.begin(), order.end(), std::back_inserter(unknown), [](uint32_t item) { return item >= 6; });
    EXPECT_TRUE(std::ranges::equal(e.found.items[q].subspan(6), unknown)) << kLines[q];
  }
}

TEST_F(SeveralModels, WhatACascadeCanNotAnswerIsToldSo) {
  const retrieval::Retrieval cascade(a_, b_, 4);
  const auto message = [&](const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      return std::string(e.what());
    }
    return std::string("nothing was thrown");
  };
  const math::Matrix<float> vectors(1, 8);
  EXPECT_NE(message([&] { cascade.retrieve(pool_, vectors.view(), {.k = 3}); }).find("query vectors"),
            std::string::npos);
  EXPECT_NE(message([&] { cascade.retrieve(pool_, requests(), {.k = 5}); }).find("rescore-from = 4"),
            std::string::npos);
}

}  // namespace
}  // namespace pagoda::server
