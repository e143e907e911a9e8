#include "index/partitioned_index.h"

#include <unistd.h>

#include <filesystem>
#include <functional>

#include "core/error.h"
#include "index/code_kernels.h"
#include "index/index_test.h"
#include "index/partitioned_search.h"

namespace pagoda::index {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::unique_ptr<Index> built(const math::Matrix<float>& items, const math::Matrix<float>& held = {},
                             PartitionedOptions options = {}) {
  ThreadPool pool(2);
  return make_partitioned_index(build_partitions(pool, items, options, held), items);
}

math::Ragged<uint32_t> random_exclusions(size_t queries, size_t items, size_t most, uint64_t seed) {
  Rng rng(seed, Stream::test);
  math::Ragged<uint32_t> excluded;
  for (size_t q = 0; q < queries; ++q) {
    for (size_t n = rng.below(most + 1); n > 0; --n) excluded.values.push_back(static_cast<uint32_t>(rng.below(items)));
    excluded.close();
  }
  return excluded;
}

math::ItemSet random_set(size_t items, double share, uint64_t seed) {
  Rng rng(seed, Stream::test);
  math::ItemSet set(items);
  for (uint32_t i = 0; i < items; ++i)
    if (rng.uniform() < share) set.add(i);
  return set;
}

TEST(PartitionedIndex, WithRecallOneIsTheExactIndexBitForBit) {
  ThreadPool pool(2);
  for (const auto& [rows, dim] :
       std::vector<std::array<size_t, 2>>{{1, 3}, {17, 1}, {700, 5}, {3000, 16}, {5000, 64}, {900, 300}}) {
    const auto items = clustered_matrix(rows, dim, 1), queries = clustered_matrix(9, dim, 2);
    const auto index = built(items), exact = make_exact_index(items);
    const auto excluded = random_exclusions(9, rows, rows / 2, 3);
    for (const size_t k : {size_t{0}, size_t{1}, size_t{10}, rows / 2, 2 * rows})
      for (const bool with : {false, true})
        for (const float min_score : {-kInfinity, 0.3f}) {
          SearchOptions options{.k = k, .min_score = min_score, .recall = 1};
          if (with) options.excluded = &excluded;
          SCOPED_TRACE(fmt::format("{} x {}, k {}, min {}", rows, dim, k, min_score));
          expect_same(index->search(pool, queries, options), exact->search(pool, queries, options));
        }
  }
}

TEST(PartitionedIndex, WithRecallOneIsExactForVectorsOfVeryDifferentLengthsAndSpikes) {
  ThreadPool pool(2);
  Rng rng(4, Stream::test);
  auto items = clustered_matrix(4000, 24, 1);
  for (size_t row = 0; row < items.rows(); ++row) {
    const auto length = static_cast<float>(std::exp(2 * rng.normal()));
    for (auto& x : items.row(row)) x *= length;
    if (row % 50 == 0) items[row][row % 24] += 20;
  }
  const auto queries = clustered_matrix(100, 24, 2);
  const auto index = built(items), exact = make_exact_index(items);
  for (const size_t k : {1, 50, 1000}) {
    expect_same(index->search(pool, queries, {.k = k, .recall = 1}), exact->search(pool, queries, {.k = k}));
    EXPECT_GE(recall_of(index->search(pool, queries, {.k = k, .recall = 0.9}), exact->search(pool, queries, {.k = k})),
              0.8);
  }
}

TEST(PartitionedIndex, EqualScoresComeInTheOrderOfTheRows) {
  ThreadPool pool(1);
  auto items = clustered_matrix(500, 8, 1);
  for (size_t row = 250; row < 500; ++row) std::copy_n(items[row - 250], 8, items[row]);
  const auto queries = clustered_matrix(5, 8, 2);
  expect_same(built(items)->search(pool, queries, {.k = 100, .recall = 1}),
              make_exact_index(items)->search(pool, queries, {.k = 100}));
}

// 20,000 items: enough for the stop rule to matter; queries and held queries enough that chance moves a recall by less
// than the bounds below.
class PartitionedSearch : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    items_ = new math::Matrix<float>(clustered_matrix(20000, 32, 1, 100));
    queries_ = new math::Matrix<float>(clustered_matrix(500, 32, 2, 100));
    held_ = new math::Matrix<float>(clustered_matrix(1000, 32, 3, 100));
    index_ = built(*items_, *held_, {.recall = 0.95, .k = 500}).release();
    exact_ = make_exact_index(*items_).release();
  }
  static void TearDownTestSuite() {
    delete index_;
    delete exact_;
    delete items_;
    delete queries_;
    delete held_;
  }
  static math::Matrix<float>*items_, *queries_, *held_;
  static Index *index_, *exact_;
  ThreadPool pool_{2};
};
math::Matrix<float>*PartitionedSearch::items_, *PartitionedSearch::queries_, *PartitionedSearch::held_;
Index *PartitionedSearch::index_, *PartitionedSearch::exact_;

TEST_F(PartitionedSearch, ReachesTheWantedRecallAtAnyKWithoutLookingEverywhere) {
  for (const double recall : {0.8, 0.9, 0.95, 0.99})
    for (const size_t k : {1, 10, 37, 100, 500, 1500}) {
      SearchExplain explain;
      const auto found = index_->search(pool_, *queries_, {.k = k, .recall = recall, .explain = &explain});
      EXPECT_GE(recall_of(found, exact_->search(pool_, *queries_, {.k = k})), recall - (k < 10 ? 0.06 : 0.02))
          << recall << " " << k;
      uint64_t scored = 0;
      for (const auto& q : explain.queries) scored += q.vectors_scored;
      if (k <= 500) {
        EXPECT_LT(scored, queries_->rows() * 20000u * 2 / 3) << recall << " " << k;
      }
      EXPECT_EQ(explain.plan, "lists");
    }
}

TEST_F(PartitionedSearch, ScoresAreThoseOfTheExactIndex) {
  const auto found = index_->search(pool_, *queries_, {.k = 300}), all = exact_->search(pool_, *queries_, {.k = 20000});
  for (size_t q = 0; q < queries_->rows(); ++q) {
    std::vector<float> score_of(20000);
    for (size_t i = 0; i < 20000; ++i) score_of[all.items[q][i]] = all.scores[q * 20000 + i];
    for (size_t i = 0; i < 300; ++i) ASSERT_EQ(found.scores[q * 300 + i], score_of[found.items[q][i]]);
  }
}

TEST_F(PartitionedSearch, AQueryGetsTheSameAloneAndInAnyCompanyOnAnyNumberOfThreads) {
  ThreadPool one(1), three(3);
  const auto excluded = random_exclusions(queries_->rows(), 20000, 300, 4);
  const auto allowed = random_set(20000, 0.6, 5);
  for (const SearchOptions& options :
       {SearchOptions{.k = 200}, SearchOptions{.k = 700, .allowed = &allowed, .excluded = &excluded}}) {
    const auto all = index_->search(one, *queries_, options);
    expect_same(index_->search(three, *queries_, options), all);
    for (size_t q = 0; q < queries_->rows(); q += 7) {
      math::Ragged<uint32_t> own;
      own.push(std::span<const uint32_t>(excluded[q]));
      auto alone = options;
      if (options.excluded) alone.excluded = &own;
      const auto found = index_->search(three, queries_->view().slice_rows(q, q + 1), alone);
      ASSERT_TRUE(std::ranges::equal(found.items.values, all.items[q]));
    }
  }
}

TEST_F(PartitionedSearch, FillsWheneverEnoughMatchAndHoldsRecallUnderEveryFilter) {
  for (const double share : {0.5, 0.1, 0.01, 0.001, 0.0}) {
    const auto allowed = random_set(20000, share, 6);
    const auto excluded = random_exclusions(queries_->rows(), 20000, 400, 7);
    for (const size_t k : {5, 200, 3000})
      for (const bool with : {false, true}) {
        SearchOptions options{.k = k, .allowed = &allowed};
        if (with) options.excluded = &excluded;
        const auto found = index_->search(pool_, *queries_, options), exact = exact_->search(pool_, *queries_, options);
        SCOPED_TRACE(fmt::format("share {}, k {}, excluded {}", share, k, with));
        ASSERT_EQ(found.items.offsets, exact.items.offsets);  // as many as there are, never more
        EXPECT_GE(recall_of(found, exact), 0.93);
        for (size_t q = 0; q < queries_->rows(); ++q)
          for (const uint32_t item : found.items[q]) {
            ASSERT_TRUE(allowed.has(item));
            ASSERT_TRUE(!with || std::ranges::find(excluded[q], item) == excluded[q].end());
          }
      }
  }
}

TEST_F(PartitionedSearch, AFilterThatLetsInOnlyWhatLiesFarAwayIsFilledToo) {
  // The worst for a search by lists: what matches is what the query is least like.
  const auto query = queries_->view().slice_rows(0, 1);
  const auto all = exact_->search(pool_, query, {.k = 20000});
  math::ItemSet farthest(20000);
  for (size_t i = 14000; i < 20000; ++i) farthest.add(all.items.values[i]);
  for (const size_t k : {10, 1000, 6000, 10000}) {
    const SearchOptions options{.k = k, .allowed = &farthest};
    const auto found = index_->search(pool_, query, options), exact = exact_->search(pool_, query, options);
    EXPECT_EQ(found.items.values.size(), exact.items.values.size());
    EXPECT_GE(recall_of(found, exact), 0.9) << k;
  }
}

TEST_F(PartitionedSearch, WhereTheListsProveDearerThanTheMatchingRowsTheseAreScored) {
  const auto query = queries_->view().slice_rows(0, 1);
  const auto all = exact_->search(pool_, query, {.k = 20000});
  math::ItemSet farthest(20000);
  for (size_t i = 19400; i < 20000; ++i) farthest.add(all.items.values[i]);
  SearchExplain explain;
  const SearchOptions options{.k = 10, .allowed = &farthest, .explain = &explain};
  const auto found = index_->search(pool_, query, options);
  const auto exact = exact_->search(pool_, query, {.k = 10, .allowed = &farthest});
  EXPECT_EQ(found.items.values, exact.items.values);
  EXPECT_EQ(found.scores, exact.scores);
  EXPECT_EQ(explain.plan, "lists") << "of a query like the others they would have been cheaper";
  EXPECT_EQ(explain.queries[0].vectors_reranked, 0u);
  EXPECT_LT(explain.queries[0].vectors_scored, 15000u);
}

TEST_F(PartitionedSearch, MinScoreLeavesOutWhatIsBelowIt) {
  for (const float min_score : {0.2f, 0.5f, 0.99f}) {
    const SearchOptions options{.k = 400, .min_score = min_score};
    const auto found = index_->search(pool_, *queries_, options), exact = exact_->search(pool_, *queries_, options);
    for (const float score : found.scores) ASSERT_GE(score, min_score);
    EXPECT_GE(recall_of(found, exact), 0.9) << min_score;
  }
}

TEST_F(PartitionedSearch, QueriesThatCanNotBeCodedAreAnsweredAsTheExactIndexDoesAndLongOnesAsOthers) {
  math::Matrix<float> odd(8, 32);
  odd.fill(0);
  odd[1][3] = std::numeric_limits<float>::quiet_NaN();
  odd[2][5] = kInfinity;
  std::ranges::fill(odd.row(3), std::numeric_limits<float>::max());
  for (size_t d = 0; d < 32; ++d) {
    const float x = (*queries_)[0][d];
    odd[4][d] = 1e38f * x;
    odd[5][d] = 1e-30f * x;
    odd[6][d] = 1e-41f * x;
    odd[7][d] = x;
  }
  for (const double recall : {0.0, 1.0}) {
    const SearchOptions options{.k = 50, .recall = recall};
    const auto found = index_->search(pool_, odd, options), exact = exact_->search(pool_, odd, options);
    for (size_t q = 0; q < (recall == 1 ? 7 : 3); ++q)
      EXPECT_TRUE(std::ranges::equal(found.items[q], exact.items[q])) << q;
    EXPECT_GE(recall_of(found, exact), 0.9);
    const auto usual = index_->search(pool_, queries_->view().slice_rows(0, 1), options);
    EXPECT_TRUE(std::ranges::equal(found.items[7], usual.items[0]));
  }
}

TEST_F(PartitionedSearch, ExplainSaysWhatWasDone) {
  SearchExplain explain;
  index_->search(pool_, *queries_, {.k = 100, .recall = 1, .explain = &explain});
  EXPECT_EQ(explain.plan, "lists");
  EXPECT_EQ(explain.selectivity, 1);
  ASSERT_EQ(explain.queries.size(), queries_->rows());
  for (const auto& q : explain.queries) {
    EXPECT_EQ(q.vectors_scored, 20000u);
    EXPECT_GE(q.vectors_reranked, 100u);
    EXPECT_LT(q.vectors_reranked, 2000u);
  }
  EXPECT_GT(explain.centroids_s, 0);
  EXPECT_GT(explain.scan_s, 0);
  EXPECT_GT(explain.rerank_s, 0);
  const auto few = random_set(20000, 0.005, 8);
  index_->search(pool_, *queries_, {.k = 50, .allowed = &few, .explain = &explain});
  EXPECT_EQ(explain.plan, "matching rows");
  EXPECT_DOUBLE_EQ(explain.selectivity, static_cast<double>(few.count()) / 20000);
  EXPECT_EQ(explain.queries[7].vectors_scored, few.count());
}

TEST(PartitionedBuild, IsTheSameBitsOnAnyNumberOfThreads) {
  const auto items = clustered_matrix(6000, 20, 1), held = clustered_matrix(40, 20, 2);
  ThreadPool one(1), three(3);
  const auto a = build_partitions(one, items, {.seed = 5}, held), b = build_partitions(three, items, {.seed = 5}, held);
  EXPECT_TRUE(std::ranges::equal(a.codes, b.codes));
  EXPECT_TRUE(std::ranges::equal(a.rows, b.rows));
  EXPECT_TRUE(std::ranges::equal(a.centroids, b.centroids));
  EXPECT_TRUE(std::ranges::equal(a.scales, b.scales));
  EXPECT_TRUE(std::ranges::equal(a.stddevs, b.stddevs));
  EXPECT_EQ(a.curve.recalls, b.curve.recalls);
  EXPECT_EQ(a.curve.rows, b.curve.rows);
  const auto other = build_partitions(one, items, {.seed = 6}, held);
  EXPECT_FALSE(std::ranges::equal(a.codes, other.codes));
}

TEST(PartitionedBuild, NoListIsLeftMuchLargerThanTheMean) {
  auto items = clustered_matrix(8000, 16, 1, 3, 0.2);  // three heaps
  ThreadPool pool(2);
  const auto p = build_partitions(pool, items, {.lists = 64}, {});
  ASSERT_EQ(p.lists, 64u);
  EXPECT_LE(*std::ranges::max_element(p.counts), 5u * 8000 / 64);
}

TEST(PartitionedBuild, RefusesWhatCanNotBe) {
  ThreadPool pool(1);
  auto items = clustered_matrix(50, 4, 1);
  const auto message = [&](const PartitionedOptions& options) -> std::string {
    try {
      build_partitions(pool, items, options, {});
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(message({.recall = 1.5}), "recall = 1.5 must be above 0 and at most 1");
  EXPECT_EQ(message({.lists = -1}), "lists = -1 must be at least 0");
  EXPECT_EQ(message({.k = 0}), "k = 0 must be at least 1");
  items[7][2] = kInfinity;
  EXPECT_EQ(message({}), "the vector of item row 7 has a component that is not finite, so it cannot be indexed");
}

TEST(PartitionedBuild, NoItemsIsOrdinary) {
  ThreadPool pool(1);
  const math::Matrix<float> none(0, 8);
  const auto index = built(none);
  const auto found = index->search(pool, clustered_matrix(3, 8, 1), {.k = 5});
  EXPECT_EQ(found.items.offsets, (std::vector<uint64_t>{0, 0, 0, 0}));
}

class StoredPartitions : public testing::Test {
 public:
  ~StoredPartitions() override { std::filesystem::remove(path_); }

 protected:
  StoredPartitions() : items_(clustered_matrix(2000, 12, 1)) {
    path_ = testing::TempDir() + "pagoda_partitions_" + std::to_string(getpid());
    ThreadPool pool(1);
    p_ = build_partitions(pool, items_, {.recall = 0.9, .k = 77}, {});
  }

  std::string refused(const std::function<void(Partitions&)>& change) {
    auto p = p_;
    change(p);
    SectionWriter out(path_, "test", 1);
    save_partitions(out, p);
    out.commit();
    const SectionFile file(path_, "test", 1);
    try {
      load_partitions(file, 2000, 12);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::failed);
      return e.what();
    }
    return "";
  }

  math::Matrix<float> items_;
  std::string path_;
  Partitions p_;
};

TEST_F(StoredPartitions, ComeBackAndAnswerTheSame) {
  EXPECT_EQ(refused([](Partitions&) {}), "");
  const SectionFile file(path_, "test", 1);
  file.verify();
  auto loaded = load_partitions(file, 2000, 12);
  EXPECT_EQ(loaded.recall, 0.9);
  EXPECT_EQ(loaded.k, 77u);
  EXPECT_EQ(loaded.curve.recalls, p_.curve.recalls);
  ThreadPool pool(1);
  const auto queries = clustered_matrix(30, 12, 2);
  expect_same(make_partitioned_index(loaded, items_)->search(pool, queries, {.k = 60}),
              make_partitioned_index(p_, items_)->search(pool, queries, {.k = 60}));
}

TEST_F(StoredPartitions, ThatLieAreRefused) {
  const auto says = [](const std::string& message, const char* part) {
    return message.find(part) != std::string::npos;
  };
  std::vector<uint32_t> rows(p_.rows.begin(), p_.rows.end()), counts(p_.counts.begin(), p_.counts.end());
  EXPECT_TRUE(says(refused([&](Partitions& p) {
                     rows[3] = 2000;
                     p.rows = rows;
                   }),
                   "'index/rows': points past"));
  rows[3] = rows[4];
  EXPECT_TRUE(
      says(refused([&](Partitions& p) { p.rows = rows; }), "'index/rows': its lists do not hold each item once"));
  ++counts[0];
  EXPECT_TRUE(says(refused([&](Partitions& p) { p.counts = counts; }), "'index/lists'"));
  counts[0] = UINT32_MAX;
  EXPECT_TRUE(says(refused([&](Partitions& p) { p.counts = counts; }), "'index/lists'"));
  EXPECT_TRUE(says(refused([](Partitions& p) { p.codes = p.codes.first(100); }), "'index/codes' has 100 bytes"));
  EXPECT_TRUE(says(refused([](Partitions& p) { p.lists = 1 << 30; }), "more lists than items"));
  EXPECT_TRUE(says(refused([](Partitions& p) { p.items = 1999; }), "does not belong to the vectors"));
  EXPECT_TRUE(says(refused([](Partitions& p) { p.recall = std::nan(""); }), "a number out of range"));
  EXPECT_TRUE(says(refused([](Partitions& p) { p.curve.recalls.pop_back(); }), "recall curve"));
  EXPECT_TRUE(says(refused([](Partitions& p) { p.curve.stop_slacks[1] = p.curve.stop_slacks[0]; }),
                   "ascending order of the slack"));
}

}  // namespace
}  // namespace pagoda::index
