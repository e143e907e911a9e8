// What bench/index.py runs: the indexes of this program, one question after another, so that peers may be measured in between.
//
//   bench_index ITEMS QUERIES BUNDLE THREADS
//
// ITEMS are the vectors that `pagoda index` made the bundle of. Lines in: "about", "exact K FIRST N BATCH SHARE" (a scan of
// ITEMS), "search K RECALL FIRST N BATCH SHARE" (of the bundle). One line of JSON and an empty one out for each; the answers' item rows of exact
// and search go to BUNDLE.rows as u32 [N, K] (UINT32_MAX where a list is short).
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>

#include "bench/memory.h"
#include "bench/timing.h"
#include "core/rng.h"
#include "data/vector_file.h"
#include "index/partitioned_index.h"
#include "math/environment.h"
#include "model/bundle.h"

namespace pagoda {
namespace {

void write_rows(const std::string& path, const std::vector<index::SearchResult>& answers, size_t k) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  check(file != nullptr, "the folder can be written to");
  for (const auto& answer : answers)
    for (size_t q = 0; q < answer.items.size(); ++q) {
      std::vector<uint32_t> rows(answer.items[q].begin(), answer.items[q].end());
      rows.resize(k, UINT32_MAX);
      std::fwrite(rows.data(), sizeof(uint32_t), k, file);
    }
  std::fclose(file);
}

// Of this process: on one thread the same as a clock on the wall, but that it stands still while others have the core.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

size_t memory_bytes() {
  return static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Items picked at random, the same for a share.
math::ItemSet matching(size_t items, double share) {
  Rng rng(1, Stream::simulate, static_cast<uint64_t>(1 / share));
  math::ItemSet set(items);
  for (uint32_t i = 0; i < items; ++i)
    if (rng.uniform() < share) set.add(i);
  return set;
}

int run(int argc, char** argv) {
  check(argc == 5, "bench_index ITEMS QUERIES BUNDLE THREADS");
  const auto queries = data::read_vectors(argv[2]).values;
  const auto mapped = data::map_vectors(argv[1]);
  const std::string path = argv[3];
  ThreadPool pool(std::atoi(argv[4]));
  const auto clock = pool.size() == 1 ? cpu_seconds : seconds;
  // In memory where that is at most half of it.
  math::Matrix<float> copy;
  std::unique_ptr<index::Index> exact;
  // The index and its vectors alone: ids and the rest of a bundle take memory that has nothing to do with a search.
  std::optional<SectionFile> bundle;
  std::unique_ptr<index::Index> index;
  const auto open = [&] {
    bundle.emplace(path, model::kBundleKind, model::kBundleVersion);
    bundle->verify();  // reads it in
    const size_t items = mapped.values.rows(), dim = mapped.values.cols();
    const auto bytes = bundle->bytes("item_vectors");
    bundle->advise_random("item_vectors");
    const bool half = bytes.size() < items * dim * sizeof(float);
    const math::MatrixView halves(reinterpret_cast<const uint16_t*>(bytes.data()), items, dim);
    const math::MatrixView floats(reinterpret_cast<const float*>(bytes.data()), items, dim);
    index = index::make_partitioned_index(index::load_partitions(*bundle, items, dim),
                                          half ? math::RowsView(halves) : math::RowsView(floats));
  };
  std::map<double, math::ItemSet> filters;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string what;
    in >> what;
    if (what != "exact" && !index) open();
    if (what == "about") {
      const auto p = index::load_partitions(*bundle, index->items(), index->dim());
      std::printf("{\"lists\": %zu, \"largest\": %u, \"bytes\": %zu, \"own_mb\": %.0f, \"mapped_mb\": %.0f}\n\n",
                  p.lists, *std::max_element(p.counts.begin(), p.counts.end()),
                  p.codes.size() + 4 * p.rows.size() + p.centroids.size(), memory_mb("RssAnon"), memory_mb("RssFile"));
      std::fflush(stdout);
      continue;
    }
    size_t k = 0, first = 0, n = 0, batch = 1;
    double recall = 0, share = 1;
    if (what == "exact")
      in >> k >> first >> n >> batch >> share;
    else
      in >> k >> recall >> first >> n >> batch >> share;
    if (what == "exact" && !exact) {
      if (mapped.values.rows() * mapped.values.cols() * 2 * sizeof(float) < memory_bytes()) {
        copy.resize(mapped.values.rows(), mapped.values.cols());
        for (size_t row = 0; row < copy.rows(); ++row) mapped.values.read(row, copy[row]);
      }
      exact = index::make_exact_index(copy.size() > 0 ? math::RowsView(copy) : mapped.values);
    }
    const index::Index& asked = what == "exact" ? *exact : *index;
    index::SearchOptions options{.k = k, .recall = recall};
    if (share < 1) {
      if (!filters.contains(share)) filters.emplace(share, matching(mapped.values.rows(), share));
      options.allowed = &filters.at(share);
    }
    std::vector<index::SearchResult> answers;
    std::vector<double> took, wall;
    for (size_t q = first; q < first + n; q += batch) {
      const auto view = queries.view().slice_rows(q, std::min(first + n, q + batch));
      const double begin = clock(), on_wall = seconds();
      answers.push_back(asked.search(pool, view, options));
      took.push_back(clock() - begin), wall.push_back(seconds() - on_wall);
    }
    // Once more for where the time goes: query by query, as they were asked.
    index::SearchExplain sum;
    for (size_t q = first; q < first + n; q += batch) {
      index::SearchExplain explain;
      options.explain = &explain;
      asked.search(pool, queries.view().slice_rows(q, std::min(first + n, q + batch)), options);
      sum.plan = explain.plan, sum.queries.insert(sum.queries.end(), explain.queries.begin(), explain.queries.end());
      sum.centroids_s += explain.centroids_s, sum.scan_s += explain.scan_s, sum.rerank_s += explain.rerank_s;
    }
    double scored = 0, lists = 0, reranked = 0, short_by = 0;
    for (const auto& q : sum.queries)
      scored += q.vectors_scored, lists += q.lists_probed, reranked += q.vectors_reranked;
    for (const auto& a : answers)
      for (size_t q = 0; q < a.items.size(); ++q) short_by += k > a.items[q].size() ? k - a.items[q].size() : 0;
    write_rows(path + ".rows", answers, k);
    double total = 0, total_wall = 0;
    for (const double t : took) total += t;
    for (const double t : wall) total_wall += t;
    std::sort(took.begin(), took.end());
    const auto per = static_cast<double>(n);
    std::printf(
        "{\"plan\": \"%s\", \"qps\": %.1f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"wall_p50_ms\": %.4f, "
        "\"wall_mean_ms\": %.4f, \"scored\": "
        "%.0f, \"lists\": %.1f, "
        "\"reranked\": %.0f, \"short_by\": %.0f, \"centres_ms\": %.4f, \"scan_ms\": %.4f, \"rerank_ms\": %.4f, "
        "\"peak_rss_mb\": %.0f}\n\n",
        sum.plan.c_str(), per / total, 1e3 * took[took.size() / 2], 1e3 * took[took.size() * 99 / 100],
        1e3 * median(wall), 1e3 * total_wall / per, scored / per, lists / per, reranked / per, short_by,
        1e3 * sum.centroids_s / per, 1e3 * sum.scan_s / per, 1e3 * sum.rerank_s / per, peak_rss_mb());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) {
  pagoda::math::take_environment();
  try {
    return pagoda::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
