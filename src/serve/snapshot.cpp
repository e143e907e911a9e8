#include "serve/snapshot.h"

#include <sys/stat.h>

#include "core/log.h"

namespace pagoda {

// Its first search is made here: kernels are compiled and memory is touched before anyone waits for an answer.
Snapshot::Snapshot(const std::string& path) : retrieval(Bundle::open(path)) {
  ThreadPool pool(1);
  if (bundle().info().towers)
    retrieval.retrieve(pool, {RetrieveRequest{}}, {.k = 1});
  else
    retrieval.retrieve(pool, Matrix<float>(1, bundle().item_vectors().cols()), {.k = 1});
}

Snapshots::Snapshots(std::string path) : path_(std::move(path)), looked_at_(identity()) {
  current_ = std::make_shared<const Snapshot>(path_);
}

std::shared_ptr<const Snapshot> Snapshots::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

bool Snapshots::reload() {
  const auto before = identity();
  std::shared_ptr<const Snapshot> next;
  try {
    next = std::make_shared<const Snapshot>(path_);
  } catch (const std::exception& e) {
    log_warning("{}; the bundle {} serves on", e.what(), current()->bundle().fingerprint());
  }
  const std::lock_guard lock(mutex_);
  looked_at_ = before;
  if (!next) return false;
  log_info("{}: serving bundle {}, {} items", path_, next->bundle().fingerprint(), next->bundle().item_ids().size());
  std::swap(current_, next);  // the old one is let go of outside the lock, or by the last request that holds it
  return true;
}

bool Snapshots::changed() const {
  const auto now = identity();
  const std::lock_guard lock(mutex_);
  return now != Identity{} && now != looked_at_;
}

Snapshots::Identity Snapshots::identity() const {
  struct stat s{};
  if (::stat(path_.c_str(), &s) != 0) return {};
  return {s.st_dev, s.st_ino, static_cast<uint64_t>(s.st_size), s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec};
}

}  // namespace pagoda
