#include "math/matrix.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace pagoda::math {

namespace {

constexpr size_t kAlignment = 64, kPage = 4096, kHugePage = size_t{2} << 20, kMapped = 2 * kHugePage;

size_t rounded_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

// Pages from the kernel, which are zero until they are touched: a table of gigabytes costs only what is used of it.
void* map_zeroed(size_t bytes) {
  const size_t length = rounded_up(bytes, kPage);
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* p = mmap(nullptr, length + kHugePage, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  const auto address = reinterpret_cast<uintptr_t>(p);
  const uintptr_t aligned = rounded_up(address, kHugePage);
  const size_t before = aligned - address, after = kHugePage - before;
  if (before) munmap(p, before);
  if (after) munmap(reinterpret_cast<void*>(aligned + length), after);
  p = reinterpret_cast<void*>(aligned);
  madvise(p, length, MADV_HUGEPAGE);  // a hint: without it everything works, but slower
  return p;
}

std::string& table_folder() {
  static std::string folder;
  return folder;
}

}  // namespace

void set_table_folder(std::string folder) { table_folder() = std::move(folder); }

std::unique_ptr<void, FreeMemory> allocate_table(size_t bytes) {
  if (table_folder().empty()) return allocate_zeroed(bytes);
  auto memory = allocate_in_file(bytes, table_folder().c_str());
  if (bytes >= kMapped) madvise(memory.get(), rounded_up(bytes, kPage), MADV_RANDOM);
  return memory;
}

std::unique_ptr<void, FreeMemory> allocate_in_file(size_t bytes, const char* folder) {
  if (bytes < kMapped) return allocate_zeroed(bytes);
  const size_t length = rounded_up(bytes, kPage);
  const int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  int error = file < 0 ? errno : posix_fallocate(file, 0, static_cast<off_t>(length));  // which leaves errno alone
  void* p = MAP_FAILED;
  if (error == 0) {
    p = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (p == MAP_FAILED) error = errno;
  }
  if (file >= 0) close(file);
  if (p == MAP_FAILED)
    fail(ErrorKind::failed, "{}: no file of {} bytes can be made in this folder: {}", folder, length,
         std::strerror(error));
  return {p, FreeMemory{bytes}};
}

void ask_for_huge_pages(void* p, size_t bytes) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  const uintptr_t begin = rounded_up(address, kHugePage), end = (address + bytes) / kHugePage * kHugePage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

void FreeMemory::operator()(void* p) const {
  if (bytes >= kMapped)
    munmap(p, rounded_up(bytes, kPage));
  else
    std::free(p);
}

std::unique_ptr<void, FreeMemory> allocate_zeroed(size_t bytes) {
  if (bytes == 0) return {};
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  if (bytes >= kMapped) return {map_zeroed(bytes), FreeMemory{bytes}};
  void* p = std::aligned_alloc(kAlignment, rounded_up(bytes, kAlignment));
  if (!p) throw std::bad_alloc();
  std::memset(p, 0, bytes);
  return {p, FreeMemory{bytes}};
}

}  // namespace pagoda::math
