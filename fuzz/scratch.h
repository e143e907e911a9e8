// A small bundle with a partitioned index, in a folder that is removed when the process ends.
#pragma once

#include <filesystem>
#include <string>

#include "index/partitioned_index.h"
#include "math/rows_view.h"
#include "retrieval/retrieval_test.h"

namespace pagoda {

class Scratch {
 public:
  Scratch() {
    const auto memory = std::filesystem::path("/dev/shm");  // each write of a bundle is flushed to disk
    const auto parent = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    folder_ = parent / ("pagoda_fuzz_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    const auto exact = path("exact.pagoda");
    retrieval::write_small_bundle(pool, exact, {.items = 40});
    const auto small = model::Bundle::open(exact);
    math::Matrix<float> memory_of_queries;
    const auto partitions = index::build_partitions(pool, small->item_vectors(), {.lists = 4, .k = 5},
                                                    math::as_floats(small->item_vectors(), memory_of_queries));
    model::rewrite_index(exact, bundle(), small->item_vectors(), &partitions);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string bundle() const { return path("good.pagoda"); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  ThreadPool pool{1};

 private:
  std::filesystem::path folder_;
};

}  // namespace pagoda
