#include "stream/publisher.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/error.h"
#include "core/log.h"
#include "index/partitioned_index.h"
#include "retrieval/retrieval.h"

namespace pagoda::stream {

namespace {

namespace fs = std::filesystem;

std::string version_path(const std::string& output, uint64_t version) {
  return fmt::format("{}/{:06}.pagoda", versions_folder(output), version);
}

// Writes the bundle with the index that its size asks for.
void write_version(ThreadPool& pool, const std::shared_ptr<const model::Bundle>& bundle, const std::string& path) {
  model::copy_bundle(*bundle, path);
  if (bundle->info().items < kPartitionFrom) return;
  const auto queries = retrieval::Retrieval(bundle).user_vectors(pool, retrieval::some_users(*bundle));
  const auto partitions = index::build_partitions(pool, bundle->item_vectors(), {}, queries);
  model::rewrite_index(path, path, bundle->item_vectors(), &partitions);
}

}  // namespace

std::string versions_folder(const std::string& output) { return output + ".versions"; }

std::vector<uint64_t> versions(const std::string& output) {
  std::vector<uint64_t> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(versions_folder(output), none)) {
    const auto name = entry.path().stem().string();
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size() && entry.path().extension() == ".pagoda")
      found.push_back(number);
  }
  std::ranges::sort(found);
  return found;
}

void publish_version(const std::string& output, uint64_t version) {
  const auto path = version_path(output, version);
  const auto kept = versions(output);
  if (std::ranges::find(kept, version) == kept.end()) {
    fail(ErrorKind::usage, "{}: version {} is not kept; there are: {}", versions_folder(output), version,
         kept.empty() ? "none" : fmt::format("{}", fmt::join(kept, ", ")));
  }
  // A second name of the file, which is renamed: nothing is copied, and no reader sees half of it.
  const auto beside = output + ".next";
  std::error_code error;
  fs::remove(beside, error);
  fs::create_hard_link(path, beside, error);
  if (error)
    model::copy_bundle(*model::Bundle::open(path), output);
  else
    fs::rename(beside, output);
  sync_folder_of(output);
}

std::optional<uint64_t> served_version(const std::string& output) {
  if (!file_exists(output)) return std::nullopt;
  const auto served = model::fingerprint_of_bundle(output);
  for (const uint64_t version : versions(output))
    if (model::fingerprint_of_bundle(version_path(output, version)) == served) return version;
  return std::nullopt;
}

Publisher::Publisher(std::string output, size_t keep, int threads)
    : output_(std::move(output)), keep_(keep), pool_(threads), thread_([this] { run(); }) {
  make_folder(versions_folder(output_));
}

Publisher::~Publisher() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Publisher::publish(std::shared_ptr<const model::Bundle> bundle, uint64_t version) {
  finish();
  std::lock_guard lock(mutex_);
  job_ = Job{std::move(bundle), version};
  changed_.notify_all();
}

bool Publisher::busy() const {
  std::lock_guard lock(mutex_);
  return job_.has_value();
}

void Publisher::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !job_; });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

uint64_t Publisher::published() const {
  std::lock_guard lock(mutex_);
  return published_;
}

void Publisher::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || job_; });
    if (!job_) return;
    const Job job = *job_;
    lock.unlock();
    std::exception_ptr error;
    try {
      write_version(pool_, job.bundle, version_path(output_, job.version));
      publish_version(output_, job.version);
      auto kept = versions(output_);
      while (kept.size() > keep_) {
        fs::remove(version_path(output_, kept.front()));
        kept.erase(kept.begin());
      }
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    if (!error) published_ = job.version;
    job_.reset();
    changed_.notify_all();
  }
}

}  // namespace pagoda::stream
