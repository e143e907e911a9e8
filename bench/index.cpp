// What bench/index.py runs: the indexes of this program, one question after another, so that peers may be measured in between.
//
//   bench_index ITEMS QUERIES BUNDLE THREADS
//
// Lines in: "exact K FIRST N", "build RECALL K LISTS", "search K RECALL FIRST N BATCH SHARE". One line of JSON out for each;
// the answers' item rows of exact and search go to BUNDLE.rows as u32 [N, K] (UINT32_MAX where a list is short).
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>

#include "bench/memory.h"
#include "bench/timing.h"
#include "core/file.h"
#include "core/rng.h"
#include "core/section_file.h"
#include "data/vector_file.h"
#include "index/partitioned_index.h"

namespace pagoda {
namespace {

void write_rows(const std::string& path, const std::vector<SearchResult>& answers, size_t k) {
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

// The vectors of a .npy file as numpy writes it, float32 in C order, mapped: a hundred million of them do not fit in memory.
MatrixView<const float> view_of(const MappedFile& npy, size_t dim) {
  const auto bytes = npy.bytes();
  check(bytes.size() > 10 && std::memcmp(bytes.data(), "\x93NUMPY\x01", 7) == 0, "a .npy file of version 1");
  uint16_t header = 0;
  std::memcpy(&header, bytes.data() + 8, sizeof header);
  const size_t begin = size_t{10} + header;
  return {reinterpret_cast<const float*>(bytes.data() + begin), (bytes.size() - begin) / (dim * sizeof(float)), dim};
}

// Items picked at random, the same for a share.
ItemSet matching(size_t items, double share) {
  Rng rng(1, Stream::simulate, static_cast<uint64_t>(1 / share));
  ItemSet set(items);
  for (uint32_t i = 0; i < items; ++i)
    if (rng.uniform() < share) set.add(i);
  return set;
}

int run(int argc, char** argv) {
  check(argc == 5, "bench_index ITEMS QUERIES BUNDLE THREADS");
  const auto queries = read_vectors(argv[2]).values;
  const MappedFile npy(argv[1]);
  const auto mapped = view_of(npy, queries.cols());
  // In memory where that is at most half of it.
  Matrix<float> copy;
  if (2 * npy.bytes().size() < memory_bytes()) {
    copy.resize(mapped.rows(), mapped.cols());
    std::copy_n(mapped.data(), mapped.rows() * mapped.cols(), copy.data());
  }
  const MatrixView<const float> items = copy.rows() > 0 ? MatrixView<const float>(copy) : mapped;
  const std::string bundle = argv[3];
  ThreadPool pool(std::atoi(argv[4]));
  const auto clock = pool.size() == 1 ? cpu_seconds : seconds;
  const auto exact = make_exact_index(items);
  std::optional<SectionFile> file;
  std::unique_ptr<Index> index;
  std::map<double, ItemSet> filters;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string what;
    in >> what;
    if (what == "build") {
      PartitionedOptions options;
      in >> options.recall >> options.k >> options.lists;
      const double begin = seconds();
      // The last quarter of the queries is for this alone.
      const auto held = queries.view().slice_rows(queries.rows() * 3 / 4, queries.rows());
      const auto p = build_partitions(pool, items, options, held);
      const double took = seconds() - begin;
      SectionWriter out(bundle, "bench", 1);
      save_partitions(out, p);
      out.commit();
      std::printf("{\"seconds\": %.2f, \"lists\": %zu, \"largest\": %u, \"bytes\": %zu, \"peak_rss_mb\": %.0f}\n", took,
                  p.lists, *std::max_element(p.counts.begin(), p.counts.end()), p.codes.size() + 4 * p.rows.size(),
                  peak_rss_mb());
      std::fflush(stdout);
      index.reset(), file.reset();
      continue;
    }
    size_t k = 0, first = 0, n = 0, batch = 1;
    double recall = 0, share = 1;
    if (what == "exact")
      in >> k >> first >> n >> batch >> share;
    else
      in >> k >> recall >> first >> n >> batch >> share;
    if (what != "exact" && !index) {
      file.emplace(bundle, "bench", 1);
      index = make_partitioned_index(load_partitions(*file, items.rows(), items.cols()), items);
      file->verify();  // reads it in
    }
    const Index& asked = what == "exact" ? *exact : *index;
    SearchExplain explain;
    SearchOptions options{.k = k, .recall = recall};
    if (share < 1) {
      if (!filters.contains(share)) filters.emplace(share, matching(items.rows(), share));
      options.allowed = &filters.at(share);
    }
    std::vector<SearchResult> answers;
    std::vector<double> took, wall;
    for (size_t q = first; q < first + n; q += batch) {
      const auto view = queries.view().slice_rows(q, std::min(first + n, q + batch));
      const double begin = clock(), on_wall = seconds();
      answers.push_back(asked.search(pool, view, options));
      took.push_back(clock() - begin), wall.push_back(seconds() - on_wall);
    }
    options.explain = &explain;
    asked.search(pool, queries.view().slice_rows(first, first + n), options);
    double scored = 0, lists = 0, reranked = 0, short_by = 0;
    for (const auto& q : explain.queries)
      scored += q.vectors_scored, lists += q.lists_probed, reranked += q.vectors_reranked;
    for (const auto& a : answers)
      for (size_t q = 0; q < a.items.size(); ++q) short_by += k > a.items[q].size() ? k - a.items[q].size() : 0;
    write_rows(bundle + ".rows", answers, k);
    double total = 0;
    for (const double t : took) total += t;
    std::sort(took.begin(), took.end());
    const auto per = static_cast<double>(n);
    std::printf(
        "{\"plan\": \"%s\", \"qps\": %.1f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"wall_p50_ms\": %.4f, \"scored\": "
        "%.0f, \"lists\": %.1f, "
        "\"reranked\": %.0f, \"short_by\": %.0f, \"centres_ms\": %.4f, \"scan_ms\": %.4f, \"rerank_ms\": %.4f}\n",
        explain.plan.c_str(), per / total, 1e3 * took[took.size() / 2], 1e3 * took[took.size() * 99 / 100],
        1e3 * median(wall), scored / per, lists / per, reranked / per, short_by, 1e3 * explain.centres_s / per,
        1e3 * explain.scan_s / per, 1e3 * explain.rerank_s / per);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) {
  try {
    return pagoda::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
