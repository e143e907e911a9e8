// A log from its file to what training reads: users, items, times and context as numbers, split in three.
//
//   bench_read FILE      columns user_id, item_id, timestamp, format
//
// It is read once for each line in; a line of JSON and an empty one out.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "bench/memory.h"
#include "bench/timing.h"
#include "dataset/dataset.h"

namespace pagoda {
namespace {

int run(const char* file) {
  dataset::DataOptions options;
  options.interactions = {file};
  options.time = "timestamp", options.context = {"format"};
  options.split = {.kind = data::SplitKind::time, .validation = "30d", .test = "30d", .test_files = {}};
  for (std::string line; std::getline(std::cin, line);) {
    const double start = seconds();
    const auto data = dataset::load_dataset(options);
    std::printf("{\"rows\": %zu, \"users\": %zu, \"items\": %zu, \"seconds\": %.4f, \"peak_rss_mb\": %.0f}\n\n",
                data.log.size(), data.users.size(), data.catalogue.size(), seconds() - start, peak_rss_mb());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_read FILE\n");
    return 2;
  }
  try {
    return pagoda::run(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
