#include "retrieval/snapshot.h"

#include <sys/stat.h>

#include <filesystem>

#include "retrieval/retrieval_test.h"

namespace pagoda::retrieval {
namespace {

TEST(Snapshots, TheSameBundleInAnotherFileIsNoChange) {
  ThreadPool pool(1);
  const auto path = testing::TempDir() + "pagoda_snapshots_" + std::to_string(getpid()) + ".pagoda";
  const auto inode = [&] {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
  };
  write_small_bundle(pool, path, {});
  Snapshots snapshots(path);
  EXPECT_FALSE(snapshots.changed());
  const auto before = inode();
  write_small_bundle(pool, path, {});
  EXPECT_NE(inode(), before);
  EXPECT_FALSE(snapshots.changed());
  write_small_bundle(pool, path, {.seed = 6});
  EXPECT_TRUE(snapshots.changed());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace pagoda::retrieval
