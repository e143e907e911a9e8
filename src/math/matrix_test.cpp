#include "math/matrix.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.h"

namespace pagoda::math {
namespace {

TEST(Memory, IsZeroedAlignedAndWritableAtEverySize) {
  for (const size_t bytes : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{100000}, (size_t{4} << 20) - 1,
                             size_t{4} << 20, (size_t{4} << 20) + 1, (size_t{9} << 20) + 12345}) {
    for (int again = 0; again < 2; ++again) {  // the second time on memory that was used before
      const auto memory = allocate_zeroed(bytes);
      auto* p = static_cast<unsigned char*>(memory.get());
      const size_t alignment = bytes >= size_t{4} << 20 ? size_t{2} << 20 : 64;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % alignment, 0u) << bytes;
      EXPECT_EQ(std::accumulate(p, p + bytes, size_t{0}), 0u) << bytes;
      std::fill(p, p + bytes, 0xff);
    }
  }
  EXPECT_EQ(allocate_zeroed(0), nullptr);
  EXPECT_THROW(allocate_zeroed(SIZE_MAX), std::bad_alloc);
}

TEST(Memory, ATableCostsOnlyWhatIsTouched) {
  const auto memory = allocate_zeroed(size_t{1} << 36);  // 64 GiB
  static_cast<char*>(memory.get())[size_t{1} << 35] = 1;
  EXPECT_EQ(static_cast<char*>(memory.get())[size_t{1} << 35], 1);
}

TEST(Matrix, RowsLieOneAfterAnother) {
  Matrix<float> m(2, 3);
  EXPECT_EQ(std::accumulate(m.begin(), m.end(), 0.0f), 0.0f);
  std::iota(m.begin(), m.end(), 1.0f);
  EXPECT_EQ(m[1][0], 4.0f);
  EXPECT_EQ(m.row(1)[2], 6.0f);
  EXPECT_EQ(m.size(), 6u);
  EXPECT_EQ(m.values().size(), 6u);
}

TEST(Matrix, ACopyIsItsOwnAndAMoveTakesTheMemory) {
  Matrix<float> a(2, 2);
  a.fill(3);
  Matrix<float> b = a;
  b[0][0] = 7;
  EXPECT_EQ(a[0][0], 3);
  const float* memory = b.data();
  const Matrix<float> c = std::move(b);
  EXPECT_EQ(c.data(), memory);
  EXPECT_EQ(b.size(), 0u);  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): what is left is the point
  a = c;
  EXPECT_EQ(a[0][0], 7);
  EXPECT_NE(a.data(), c.data());
}

TEST(Matrix, ResizeKeepsMemoryThatIsLargeEnough) {
  Matrix<double> m(10, 10);
  const double* memory = m.data();
  m.resize(5, 20);
  EXPECT_EQ(m.data(), memory);
  EXPECT_EQ(m.rows(), 5u);
  EXPECT_EQ(m.cols(), 20u);
  m.resize(0, 7);
  EXPECT_EQ(m.size(), 0u);
  m.resize(100, 100);
  EXPECT_EQ(m[99][99], 0.0);
  EXPECT_THROW(m.resize(size_t{1} << 40, size_t{1} << 40), std::bad_alloc);
}

TEST(Matrix, OfATableLiesInAFileOfTheFolderThatIsNamed) {
  const auto mapped_files = [] {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    int n = 0;
    while (std::getline(maps, line)) n += line.find("(deleted)") != std::string::npos;
    return n;
  };
  const int before = mapped_files();
  set_table_folder(testing::TempDir());
  {
    Matrix<float> small, large;
    small.resize(10, 10, allocate_table);
    EXPECT_EQ(mapped_files(), before);
    large.resize(size_t{1} << 15, 64, allocate_table);
    EXPECT_EQ(mapped_files(), before + 1);
    EXPECT_EQ(large[(1 << 15) - 1][63], 0.0f);
    large[12345][6] = 7;
    EXPECT_EQ(large[12345][6], 7.0f);
  }
  EXPECT_EQ(mapped_files(), before);
  set_table_folder("/nowhere/at/all");
  Matrix<float> large;
  try {
    large.resize(size_t{1} << 15, 64, allocate_table);
    ADD_FAILURE() << "no file can be made there";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("/nowhere/at/all: no file"), std::string::npos) << e.what();
  }
  set_table_folder("");
  large.resize(size_t{1} << 15, 64, allocate_table);
  EXPECT_EQ(mapped_files(), before);
}

TEST(Matrix, AFileThatCannotBeMadeIsToldWithTheReason) {
  const pid_t child = fork();  // a limit on a file's size is no full disk, but fails alike
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 20, 1 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    errno = EACCES;  // of an earlier call, and no reason of this one
    int result = 1;
    try {
      allocate_in_file(size_t{8} << 20, testing::TempDir().c_str());
    } catch (const Error& e) {
      result = std::string(e.what()).ends_with("in this folder: File too large") ? 0 : 2;
    }
    _exit(result);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(MatrixView, SlicesSeeTheSameElements) {
  std::vector<int> values(12);
  std::iota(values.begin(), values.end(), 0);
  const MatrixView<int> all(values.data(), 3, 4);
  const auto inner = all.slice_rows(1, 3).slice_cols(1, 3);  // 5 6 / 9 10
  EXPECT_EQ(inner.rows(), 2u);
  EXPECT_EQ(inner.cols(), 2u);
  EXPECT_EQ(inner.stride(), 4u);
  EXPECT_EQ(inner[1][0], 9);
  EXPECT_EQ(inner.row(1).size(), 2u);
  inner[0][1] = 60;
  EXPECT_EQ(values[6], 60);
  const MatrixView<const int> read_only = inner;
  EXPECT_EQ(read_only[0][1], 60);
}

}  // namespace
}  // namespace pagoda::math
