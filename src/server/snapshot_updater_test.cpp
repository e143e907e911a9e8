#include "server/snapshot_updater.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <future>

#include "retrieval/retrieval_test.h"

namespace pagoda::server {
namespace {

using ChangeResult = SnapshotUpdater::ChangeResult;

retrieval::ItemChange by(const std::string& item, const std::string& author) {
  return {.item = item, .attributes = {{"author", {author}, false}}};
}

// Files cannot grow beyond so many bytes: a disk with little room left.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(SnapshotUpdater, AChangeThatCannotBeMadeFailsAlone) {
  ThreadPool pool(1);
  const auto path = testing::TempDir() + "pagoda_updater_" + std::to_string(getpid()) + ".pagoda";
  retrieval::write_small_bundle(pool, path, {});
  retrieval::Snapshots snapshots(path);
  ServeMetrics metrics;
  {
    SnapshotUpdater updater({.watch = {}}, snapshots, metrics);
    // Those that come while the first is answered wait together.
    std::promise<void> answering, go_on;
    std::vector<std::promise<ChangeResult>> made(3);
    ASSERT_TRUE(updater.change({by("n0", "kim")}, [&](ChangeResult) {
      answering.set_value();
      go_on.get_future().wait();
    }));
    answering.get_future().wait();
    const FileSizeLimit limit(1 << 16);
    for (size_t i = 0; i < made.size(); ++i)
      ASSERT_TRUE(updater.change({by("n" + std::to_string(i + 1), i == 1 ? std::string(1 << 17, 'x') : "kim")},
                                 [&made, i](ChangeResult result) { made[i].set_value(result); }));
    go_on.set_value();
    EXPECT_EQ(made[0].get_future().get(), ChangeResult::applied);
    EXPECT_EQ(made[1].get_future().get(), ChangeResult::failed);
    EXPECT_EQ(made[2].get_future().get(), ChangeResult::applied);
  }
  const auto holds = [](const retrieval::Snapshots& of, const std::string& item) {
    return of.current()->retrieval.find_item(item) != columns::Interner::kNone;
  };
  const retrieval::Snapshots again(path);
  for (const auto* of : {static_cast<const retrieval::Snapshots*>(&snapshots), &again}) {
    EXPECT_TRUE(holds(*of, "n1") && holds(*of, "n3"));
    EXPECT_FALSE(holds(*of, "n2"));
  }
  for (const auto& file : {path, path + ".items", path + ".items.lock"}) std::filesystem::remove(file);
}

}  // namespace
}  // namespace pagoda::server
