// A log from its file to what training reads: users, items, times and context as numbers, split in three.
//
//   bench_read FILE REPEATS      columns user_id, item_id, timestamp, format
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "bench/memory.h"
#include "bench/timing.h"
#include "train/dataset.h"

namespace pagoda {
namespace {

int main_of(const char* file, int repeats) {
  DataOptions options;
  options.interactions = {file};
  options.time = "timestamp", options.context = {"format"};
  options.split = {.kind = SplitKind::time, .validation = "30d", .test = "30d", .test_files = {}};
  std::vector<double> took;
  size_t rows = 0, users = 0, items = 0;
  for (int r = 0; r < repeats; ++r) {
    const double start = seconds();
    const auto data = load_dataset(options);
    took.push_back(seconds() - start);
    rows = data.log.size(), users = data.users.size(), items = data.catalogue.size();
  }
  std::printf("{\"rows\": %zu, \"users\": %zu, \"items\": %zu, \"seconds\": %.3f, \"peak_rss_mb\": %.0f}\n", rows,
              users, items, median(took), peak_rss_mb());
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_read FILE REPEATS\n");
    return 2;
  }
  try {
    return pagoda::main_of(argv[1], std::atoi(argv[2]));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
