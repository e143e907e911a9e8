#include "retrieval/snapshot.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/log.h"
#include "index/partitioned_index.h"

namespace pagoda::retrieval {

namespace {

// Warms up the bundle: kernels are chosen and memory is touched before a request arrives.
void warm_up(const Retrieval& retrieval) {
  ThreadPool pool(1);
  if (retrieval.bundle().info().towers)
    retrieval.retrieve(pool, {RetrieveRequest{}}, {.k = 1});
  else
    retrieval.retrieve(pool, math::Matrix<float>(1, retrieval.bundle().item_vectors().cols()), {.k = 1});
}

EncodeItemsFn encoding_of(const Retrieval& retrieval, BackgroundThrottle* throttle) {
  return [&retrieval, throttle](const columns::Interner& ids, const data::Attributes& attributes) {
    ThreadPool pool(1, throttle);
    return retrieval.item_vectors(pool, ids, &attributes);
  };
}

// Builds an index of the same kind as the bundle's, calibrated with its users' queries.
BuildIndexFn indexing_of(const Retrieval& retrieval, const MergeOptions& options, BackgroundThrottle* throttle) {
  return [&retrieval, options, throttle](math::MatrixView<const float> vectors) -> std::unique_ptr<const index::Index> {
    const auto& bundle = retrieval.bundle();
    if (bundle.index().kind() != "partitioned" || vectors.rows() < options.lists_from)
      return index::make_exact_index(vectors);
    ThreadPool pool(1, throttle);
    const auto like = index::load_partitions(bundle.file(), bundle.item_ids().size(), bundle.item_vectors().cols());
    return index::make_partitioned_index(
        index::build_partitions(pool, vectors,
                                {.seed = like.seed, .recall = like.recall, .k = static_cast<int64_t>(like.k)},
                                retrieval.user_vectors(pool, some_users(bundle))),
        vectors);
  };
}

bool is_to_be_merged(const DeltaLayer::Ptr& merged, const DeltaLayer::Ptr& fresh, const MergeOptions& options) {
  return fresh && fresh->items().rows() >= std::max(options.merge_at, merged ? merged->items().rows() / 4 : 0);
}

}  // namespace

Retrieval with_changes(std::shared_ptr<const model::Bundle> bundle, const std::vector<ItemChange>& changes,
                       const MergeOptions& options, BackgroundThrottle* throttle) {
  Retrieval retrieval(std::move(bundle));
  if (changes.empty()) return retrieval;
  if (!retrieval.bundle().info().towers)
    fail(ErrorKind::usage,
         "a bundle of bare vectors has a journal of changed items (its name with .items), but no tower to encode them; "
         "move the journal away");
  auto layer = std::make_shared<const DeltaLayer>(retrieval.shared_bundle(), nullptr, nullptr, changes,
                                                  encoding_of(retrieval, throttle), throttle);
  if (!is_to_be_merged(nullptr, layer, options)) return {retrieval, nullptr, layer};
  return {retrieval, DeltaLayer::merged(nullptr, *layer, indexing_of(retrieval, options, throttle), throttle), nullptr};
}

Snapshots::Snapshots(std::string path, const MergeOptions& options, bool with_catalogue)
    : path_(std::move(path)), options_(options), with_catalogue_(with_catalogue), journal_(item_journal_path(path_)),
      looked_at_(identity()) {
  current_ = load();
  if (!journal_.has_stale_lines()) return;
  try {
    if (const auto compaction = journal_.start_compaction()) {
      compaction->write();
      journal_.replace(*compaction);
    }
  } catch (const Error& e) {  // the journal can be read, but not written
    log_warning("the journal cannot be compacted: {}", e.what());
  }
}

std::shared_ptr<const Snapshot> Snapshots::load(BackgroundThrottle* throttle) {
  auto retrieval = with_changes(model::Bundle::open(path_), journal_.read(throttle), options_, throttle);
  if (const auto before = current()) retrieval.arrange_as(before->retrieval, throttle);
  warm_up(retrieval);
  const auto catalogue = with_catalogue_ ? std::make_shared<const BrowseIndex>(retrieval.shared_bundle()) : nullptr;
  return std::make_shared<const Snapshot>(Snapshot{std::move(retrieval), catalogue});
}

std::shared_ptr<const Snapshot> Snapshots::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

// The writing thread frees the former snapshot once the last request has released it: freeing a large one takes
// milliseconds, for which no search should wait.
void Snapshots::put(std::shared_ptr<const Snapshot> next) {
  {
    const std::lock_guard lock(mutex_);
    std::swap(current_, next);
  }
  former_.push_back(std::move(next));
  release_former();
}

bool Snapshots::release_former() {
  std::erase_if(former_, [](const auto& snapshot) { return snapshot.use_count() == 1; });
  return former_.empty();
}

bool Snapshots::reload(BackgroundThrottle* throttle) {
  const auto before = identity();
  std::shared_ptr<const Snapshot> next;
  try {
    next = load(throttle);
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

void Snapshots::change(const std::vector<ItemChange>& changes, BackgroundThrottle* throttle) {
  if (journal_.acquire()) reload(throttle);
  const auto before = current();
  const auto& retrieval = before->retrieval;
  if (!before->bundle().info().towers) fail(ErrorKind::usage, "the bundle holds bare vectors and no towers");
  const auto fresh =
      std::make_shared<const DeltaLayer>(retrieval.shared_bundle(), retrieval.merged(), retrieval.fresh().get(),
                                         changes, encoding_of(retrieval, throttle), throttle);
  auto next = std::make_shared<const Snapshot>(Snapshot{{retrieval, retrieval.merged(), fresh}, before->catalogue});
  journal_.append(changes, throttle);
  if (changed_since_)
    for (const auto& change : changes) changed_since_->insert(change.item);
  put(std::move(next));
}

Snapshots::MaintenanceFn Snapshots::maintenance() {
  const auto now = current();
  if (is_to_be_merged(now->retrieval.merged(), now->retrieval.fresh(), options_)) return merge();
  if (journal_.needs_compaction()) return compact_journal();
  return nullptr;
}

// Items that change during the merge stay in the fresh layer.
Snapshots::MaintenanceFn Snapshots::merge() {
  changed_since_.emplace();
  return [this, began_with = current()](BackgroundThrottle* throttle) -> CommitFn {
    const auto& retrieval = began_with->retrieval;
    const auto merged = DeltaLayer::merged(retrieval.merged().get(), *retrieval.fresh(),
                                           indexing_of(retrieval, options_, throttle), throttle);
    return [this, merged, bundle = retrieval.shared_bundle()] {
      const auto changed = *std::exchange(changed_since_, std::nullopt);
      const auto now = current();
      if (now->retrieval.shared_bundle() != bundle) return;
      DeltaLayer::Ptr fresh;
      if (!changed.empty()) fresh = DeltaLayer::over(merged, *now->retrieval.fresh(), changed);
      put(std::make_shared<const Snapshot>(Snapshot{{now->retrieval, merged, fresh}, now->catalogue}));
    };
  };
}

Snapshots::MaintenanceFn Snapshots::compact_journal() {
  std::shared_ptr<ItemJournal::Compaction> compaction = journal_.start_compaction();
  if (!compaction) return nullptr;
  return [this, compaction](BackgroundThrottle* throttle) -> CommitFn {
    compaction->write(throttle);
    return [this, compaction] { journal_.replace(*compaction); };
  };
}

bool Snapshots::changed() {
  const auto now = identity();
  {
    const std::lock_guard lock(mutex_);
    if (now == Identity{} || now == looked_at_) return false;
  }
  try {
    if (model::fingerprint_of_bundle(path_) != current()->bundle().fingerprint()) return true;
  } catch (const Error&) {
    return true;  // reload() reports what is wrong with it
  }
  const std::lock_guard lock(mutex_);
  looked_at_ = now;
  return false;
}

Snapshots::Identity Snapshots::identity() const {
  struct stat s{};
  if (::stat(path_.c_str(), &s) != 0) return {};
  return {s.st_dev, s.st_ino, static_cast<uint64_t>(s.st_size), s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec};
}

}  // namespace pagoda::retrieval
