#include "serve/snapshot.h"

#include <sys/stat.h>

#include "core/log.h"

namespace pagoda {

namespace {

// Kernels are compiled and memory is touched before anyone waits for an answer.
void warm_up(const Retrieval& retrieval) {
  ThreadPool pool(1);
  if (retrieval.bundle().info().towers)
    retrieval.retrieve(pool, {RetrieveRequest{}}, {.k = 1});
  else
    retrieval.retrieve(pool, Matrix<float>(1, retrieval.bundle().item_vectors().cols()), {.k = 1});
}

Retrieval with_changes(const Retrieval& before, const std::vector<ItemChange>& changes) {
  ThreadPool pool(1);
  const auto encode = [&](const Interner& ids, const Attributes& attributes) {
    return before.item_vectors(pool, ids, &attributes);
  };
  return {before, std::make_shared<const Additions>(before.shared_bundle(), before.additions(), changes, encode)};
}

}  // namespace

Snapshots::Snapshots(std::string path) : path_(std::move(path)), journal_(path_ + ".items"), looked_at_(identity()) {
  current_ = load();
}

std::shared_ptr<const Snapshot> Snapshots::load() {
  const auto bundle = Bundle::open(path_);
  Retrieval retrieval(bundle);
  warm_up(retrieval);
  const auto changes = journal_.read();
  if (changes.empty()) return std::make_shared<const Snapshot>(Snapshot{std::move(retrieval)});
  return std::make_shared<const Snapshot>(Snapshot{with_changes(retrieval, changes)});
}

std::shared_ptr<const Snapshot> Snapshots::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void Snapshots::put(std::shared_ptr<const Snapshot> next) {
  const std::lock_guard lock(mutex_);
  std::swap(current_, next);  // the old one is let go of outside the lock, or by the last request that holds it
}

bool Snapshots::reload() {
  const auto before = identity();
  std::shared_ptr<const Snapshot> next;
  try {
    next = load();
  } catch (const std::exception& e) {
    log_warning("{}; the bundle {} serves on", e.what(), current()->bundle().fingerprint());
  }
  {
    const std::lock_guard lock(mutex_);
    looked_at_ = before;
  }
  if (!next) return false;
  log_info("{}: serving bundle {}, {} items", path_, next->bundle().fingerprint(), next->bundle().item_ids().size());
  put(std::move(next));
  return true;
}

void Snapshots::change(const std::vector<ItemChange>& changes) {
  const auto before = current();
  if (!before->bundle().info().towers) fail(ErrorKind::usage, "the bundle holds bare vectors and no towers");
  auto next = std::make_shared<const Snapshot>(Snapshot{with_changes(before->retrieval, changes)});
  journal_.append(changes);
  put(std::move(next));
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
