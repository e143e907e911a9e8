// Publishes the models of a stream: indexed beside the training, renamed into place, the last few kept.
//
// OUTPUT is the model that is served; OUTPUT.versions/000012.pagoda are the last `keep`, numbered by segment. A server
// takes up what is renamed to OUTPUT.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/thread_pool.h"
#include "model/bundle.h"

namespace pagoda::stream {

// From so many items on, a published model has a partitioned index.
inline constexpr uint64_t kPartitionFrom = 100'000;

std::string versions_folder(const std::string& output);  // OUTPUT.versions
// The numbers of the versions that are kept, rising.
std::vector<uint64_t> versions(const std::string& output);
// Makes a version that is kept the one that is served. Error{usage}: it is not kept (the message has those that are).
void publish_version(const std::string& output, uint64_t version);
// The version that is served; nothing if it is none of those kept.
std::optional<uint64_t> served_version(const std::string& output);

// A thread of its own makes the index and writes; training goes on meanwhile.
class Publisher {
 public:
  Publisher(std::string output, size_t keep, int threads);
  ~Publisher();

  // Begins to publish a model, whose file may be replaced meanwhile. Waits for the one before. Error: what stopped that.
  void publish(std::shared_ptr<const model::Bundle> bundle, uint64_t version);
  bool busy() const;
  void finish();               // waits; Error as publish()
  uint64_t published() const;  // the last version that is in place; 0: none

 private:
  void run();
  std::string output_;
  size_t keep_;
  ThreadPool pool_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  struct Job {
    std::shared_ptr<const model::Bundle> bundle;
    uint64_t version;
  };
  std::optional<Job> job_;
  bool stop_ = false;
  uint64_t published_ = 0;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace pagoda::stream
