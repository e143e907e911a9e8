// Your own vectors, searched: an index with ids and attributes, a filter, a file.
//   search_vectors [FILE]     where the index is kept; items.pagoda otherwise
#include <pagoda/index.h>

#include <cstdio>
#include <random>

int main(int argc, char** argv) try {
  constexpr std::size_t kItems = 20000, kDim = 32;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> items(kItems * kDim), query(kDim);
  for (float& x : items) x = normal(random);
  for (float& x : query) x = normal(random);

  pagoda::IndexOptions options{.kind = pagoda::IndexKind::partitioned, .cosine = true, .recall = 0.95, .k = 100};
  std::vector<std::int64_t> years;
  for (std::size_t i = 0; i < kItems; ++i) {
    options.ids.push_back("item-" + std::to_string(i));
    years.push_back(1990 + static_cast<std::int64_t>(i % 35));
  }
  options.attributes.push_back({"year", years});

  const std::string path = argc > 1 ? argv[1] : "items.pagoda";
  pagoda::Index::build({items, kDim}, options).save(path);
  const auto index = pagoda::Index::open(path);  // vectors stay in the mapped file

  // The filter works inside the search, so ten come back.
  const auto found = index.search({query, kDim}, {.k = 10, .filter = "year >= 2020"});
  for (const auto& [item, score] : found[0]) std::printf("%s\t%.4f\n", item.c_str(), score);
} catch (const pagoda::Error& e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return 1;
}
