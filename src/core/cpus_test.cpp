#include "core/cpus.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace pagoda {
namespace {

class Cpus : public testing::Test {
 protected:
  void SetUp() override { root_ = testing::TempDir() + "pagoda_cpus_" + std::to_string(getpid()); }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = root_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string root_;
};

TEST_F(Cpus, WithoutAQuotaAreThoseOfTheMask) {
  EXPECT_EQ(usable_cpus(6, "", root_), 6);
  EXPECT_EQ(usable_cpus(0, "", root_), 1) << "the mask is not known";
  write("a/cpu.max", "max 100000\n");
  EXPECT_EQ(usable_cpus(6, "0::/a\n", root_), 6);
  write("cpu,cpuacct/b/cpu.cfs_quota_us", "-1\n");
  write("cpu,cpuacct/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(usable_cpus(6, "4:cpu,cpuacct:/b\n", root_), 6);
}

TEST_F(Cpus, AQuotaIsRoundedUpAndNeverAddsToTheMask) {
  write("a/cpu.max", "150000 100000\n");
  EXPECT_EQ(usable_cpus(6, "0::/a\n", root_), 2);
  EXPECT_EQ(usable_cpus(1, "0::/a\n", root_), 1);
  write("a/cpu.max", "5000 100000\n");
  EXPECT_EQ(usable_cpus(6, "0::/a\n", root_), 1);
}

TEST_F(Cpus, TheSmallestQuotaOfAllGroupsAboveHolds) {
  write("a/cpu.max", "300000 100000\n");
  write("a/b/cpu.max", "max 100000\n");
  write("a/b/c/cpu.max", "400000 100000\n");
  EXPECT_EQ(usable_cpus(16, "0::/a/b/c\n", root_), 3);
  write("cpu.max", "200000 100000\n");
  EXPECT_EQ(usable_cpus(16, "0::/a/b/c\n", root_), 2);
  EXPECT_EQ(usable_cpus(16, "0::/\n", root_), 2) << "a container sees its own group at the top";
}

TEST_F(Cpus, VersionOneHasAFolderForEachController) {
  write("cpu,cpuacct/docker/1f/cpu.cfs_quota_us", "250000\n");
  write("cpu,cpuacct/docker/1f/cpu.cfs_period_us", "100000\n");
  const std::string groups = "5:cpuset:/docker/1f\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n";
  EXPECT_EQ(usable_cpus(16, groups, root_), 3);
  EXPECT_EQ(usable_cpus(16, "5:cpuset:/docker/1f\n", root_), 16);
}

TEST(CpusOfThisMachine, AreSome) { EXPECT_GE(usable_cpus(), 1); }

TEST(CpusOfThisMachine, AreThoseOfTheAffinityMask) {
  std::thread([] {
    cpu_set_t mask, one;
    CPU_ZERO(&mask);
    ASSERT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
    int first = 0;
    while (!CPU_ISSET(first, &mask)) ++first;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);  // of this thread alone
    EXPECT_EQ(usable_cpus(), 1);
  }).join();
}

}  // namespace
}  // namespace pagoda
