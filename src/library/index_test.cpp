#include <pagoda/index.h>
#include <pagoda/retriever.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

namespace pagoda {
namespace {

Vectors random_vectors(size_t rows, size_t dim, uint64_t seed) {
  Vectors vectors{.dim = dim, .values = std::vector<float>(rows * dim)};
  uint64_t state = seed;
  for (float& x : vectors.values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = static_cast<float>(state >> 40) / (1 << 23) - 1;
  }
  return vectors;
}

// The best of all rows, in doubles.
std::string best_of(const Vectors& items, std::span<const float> query) {
  size_t best = 0;
  double most = -1e300;
  for (size_t row = 0; row < items.rows(); ++row) {
    double score = 0;
    for (size_t i = 0; i < items.dim; ++i) score += double{items[row][i]} * query[i];
    if (score > most) {
      best = row;
      most = score;
    }
  }
  return std::to_string(best);
}

template <class F>
std::string field_of_error(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.field();
  }
  return "nothing was thrown";
}

TEST(Index, FindsTheBestAndKeepsItsAnswersInAFile) {
  const auto items = random_vectors(3000, 16, 1), queries = random_vectors(20, 16, 2);
  const auto path = testing::TempDir() + "pagoda_index_" + std::to_string(getpid()) + ".pagoda";
  for (const auto kind : {IndexKind::exact, IndexKind::partitioned}) {
    const auto built = Index::build(items, {.kind = kind});
    EXPECT_EQ(built.items(), 3000u);
    EXPECT_EQ(built.dim(), 16u);
    EXPECT_EQ(built.kind(), kind);
    const auto found = built.search(queries, {.k = 10, .recall = 1});
    ASSERT_EQ(found.size(), 20u);
    for (size_t q = 0; q < found.size(); ++q) {
      ASSERT_EQ(found[q].size(), 10u);
      EXPECT_EQ(found[q][0].item, best_of(items, queries[q]));
    }
    built.save(path);
    const auto opened = Index::open(path);
    EXPECT_EQ(opened.kind(), kind);
    EXPECT_EQ(opened.search(queries, {.k = 10, .recall = 1}), found);
    EXPECT_EQ(opened.search(queries, {.k = 10}), built.search(queries, {.k = 10}));
    EXPECT_EQ(Retriever(path).search(queries, {.k = 10, .recall = 1}), found) << "a bundle as any other";
    std::filesystem::rename(path, path + ".moved");
    opened.save(path);
    EXPECT_EQ(Index::open(path).search(queries, {.k = 10, .recall = 1}), found);
    std::filesystem::remove(path + ".moved");
  }
  std::filesystem::remove(path);
}

TEST(Index, FiltersAndExclusionsWorkInside) {
  const auto items = random_vectors(50, 4, 3), query = random_vectors(1, 4, 4);
  IndexOptions options;
  std::vector<std::string> colours;
  std::vector<int64_t> years;
  std::vector<double> prices;
  for (int i = 0; i < 50; ++i) {
    options.ids.push_back("v" + std::to_string(i));
    colours.push_back(i % 2 ? "red" : "blue");
    years.push_back(2000 + i);
    prices.push_back(i < 10 ? NAN : i / 2.0);
  }
  options.attributes = {{"colour", colours}, {"year", years}, {"price", prices}};
  const auto index = Index::build(items, options);
  const auto count = [&](const std::string& filter) {
    return index.search(query, {.k = 100, .filter = filter})[0].size();
  };
  EXPECT_EQ(count("colour = 'red'"), 25u);
  EXPECT_EQ(count("year < 2005"), 5u);
  EXPECT_EQ(count("price is null"), 10u);
  EXPECT_EQ(count("price = 12.5 and year = 2025"), 1u);
  EXPECT_EQ(count("colour = 'green'"), 0u);
  const auto all = index.search(query, {.k = 3})[0];
  EXPECT_EQ(index.search(query, {.k = 2, .exclude = {all[0].item, "unknown"}})[0],
            Candidates(all.begin() + 1, all.end()));
  EXPECT_EQ(index.search(query, {.k = 50, .min_score = all[1].score})[0].size(), 2u);
}

TEST(Index, CosineAndHalfPrecision) {
  const Vectors items{.dim = 2, .values = {10, 0, 0.5f, 0.5f, 0, 0}};
  const Vectors query{.dim = 2, .values = {1, 0}};
  const auto cosine = Index::build(items, {.cosine = true}).search(query, {.k = 3})[0];
  EXPECT_FLOAT_EQ(cosine[0].score, 1);
  EXPECT_FLOAT_EQ(cosine[1].score, std::sqrt(0.5f));
  EXPECT_EQ(cosine[2].score, 0) << "a row of zeros stays so";
  const Vectors tenth{.dim = 1, .values = {0.1f}}, one{.dim = 1, .values = {1}};
  const auto half = Index::build(tenth, {.half_precision = true}).search(one, {.k = 1})[0];
  EXPECT_NE(half[0].score, 0.1f);
  EXPECT_NEAR(half[0].score, 0.1f, 1e-4);
}

TEST(Index, WhatIsWrongNamesItsField) {
  const auto items = random_vectors(5, 4, 5);
  EXPECT_EQ(field_of_error([&] { Index::build({}); }), "vectors");
  EXPECT_EQ(field_of_error([&] { Index::build(items, {.ids = {"a"}}); }), "ids");
  EXPECT_EQ(field_of_error([&] { Index::build(items, {.ids = {"a", "b", "c", "a", "d"}}); }), "ids");
  EXPECT_EQ(field_of_error([&] { Index::build(items, {.ids = {"a", "b", "", "c", "d"}}); }), "ids");
  EXPECT_EQ(field_of_error([&] { Index::build(items, {.attributes = {{"year", std::vector<int64_t>{1}}}}); }),
            "attributes");
  EXPECT_EQ(field_of_error([&] { Index::build(items, {.recall = 0}); }), "recall");
  const auto index = Index::build(items);
  EXPECT_EQ(field_of_error([&] { index.search(items, {.k = 0}); }), "k");
  EXPECT_EQ(field_of_error([&] { index.search(items, {.filter = "year > 3"}); }), "filter");
  EXPECT_EQ(field_of_error([&] { index.search(items, {.filter = "not seen"}); }), "filter");
  EXPECT_EQ(field_of_error([&] { index.search(random_vectors(1, 3, 1)); }), "queries");
  auto bad = items;
  bad.values[7] = INFINITY;
  EXPECT_EQ(field_of_error([&] { Index::build(bad); }), "vectors");
}

}  // namespace
}  // namespace pagoda
