// A library that is preloaded into a program under test and lets one of its calls on files fail.
//
//   LD_PRELOAD=libio_faults.so IO_FAULTS_FOLDER=FOLDER IO_FAULTS=CALL:N:FAULT [IO_FAULTS_COUNT=FILE] program ...
//
// CALL is write, sync or rename: the N-th such call (from 1) on a file below FOLDER fails. FAULT:
//   ENOSPC  the disk is full: that write fails, and so does every later one
//   EIO     that call fails, once
//   short   that write takes half of its bytes, as the system may at any time; it is no error
// N = 0: nothing fails. At the end FILE gets a line "write W sync S rename R", the calls that were made.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

enum Call { kWrite, kSync, kRename };
enum class Fault { none, full, once, part };

struct Plan {
  std::string folder, count_file;
  Call call = kWrite;
  long at = 0;
  Fault fault = Fault::none;
  std::atomic<long> made[3] = {};

  Plan() {
    const auto setting = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string(value ? value : "");
    };
    char real[PATH_MAX];
    if (::realpath(setting("IO_FAULTS_FOLDER").c_str(), real)) folder = std::string(real) + "/";
    count_file = setting("IO_FAULTS_COUNT");
    const auto words = setting("IO_FAULTS");
    const auto first = words.find(':'), second = words.rfind(':');
    if (first == words.npos || first == second) return;
    const auto name = words.substr(0, first), what = words.substr(second + 1);
    call = name == "rename" ? kRename : name == "sync" ? kSync : kWrite;
    at = std::strtol(words.c_str() + first + 1, nullptr, 10);
    fault = what == "ENOSPC" ? Fault::full : what == "short" ? Fault::part : Fault::once;
  }
  ~Plan() {
    if (count_file.empty()) return;
    if (FILE* file = std::fopen(count_file.c_str(), "w")) {
      std::fprintf(file, "write %ld sync %ld rename %ld\n", made[0].load(), made[1].load(), made[2].load());
      std::fclose(file);
    }
  }

  bool is_below(const std::string& path) const { return !folder.empty() && path.starts_with(folder); }
  bool is_below(int file) const {
    if (folder.empty()) return false;
    char name[64], path[PATH_MAX];
    std::snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    const auto n = ::readlink(name, path, sizeof path - 1);
    if (n <= 0) return false;
    const std::string at_path(path, static_cast<size_t>(n));
    return is_below(at_path) || at_path + "/" == folder;
  }

  // Whether this call fails; errno is set then.
  Fault next(Call of) {
    const long n = ++made[of];
    if (at == 0 || of != call || n < at || (n > at && fault != Fault::full)) return Fault::none;
    errno = fault == Fault::full ? ENOSPC : EIO;
    return fault;
  }
};

Plan& plan() {
  static Plan it;
  return it;
}

template <class F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

// Counts are written when the program ends, even if it never writes to the folder.
[[gnu::constructor]] void begin() { plan(); }

}  // namespace

extern "C" {

ssize_t write(int file, const void* data, size_t size) {
  static const auto call = real<ssize_t (*)(int, const void*, size_t)>("write");
  if (!plan().is_below(file)) return call(file, data, size);
  switch (plan().next(kWrite)) {
    case Fault::none: return call(file, data, size);
    case Fault::part: return call(file, data, size > 1 ? size / 2 : size);
    default: return -1;
  }
}

ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  static const auto call = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (!plan().is_below(file)) return call(file, data, size, offset);
  switch (plan().next(kWrite)) {
    case Fault::none: return call(file, data, size, offset);
    case Fault::part: return call(file, data, size > 1 ? size / 2 : size, offset);
    default: return -1;
  }
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) { return pwrite(file, data, size, offset); }

ssize_t writev(int file, const iovec* parts, int n) {
  static const auto call = real<ssize_t (*)(int, const iovec*, int)>("writev");
  if (!plan().is_below(file)) return call(file, parts, n);
  switch (plan().next(kWrite)) {
    case Fault::none: return call(file, parts, n);
    case Fault::part: return call(file, parts, n > 1 ? 1 : n);
    default: return -1;
  }
}

int fsync(int file) {
  static const auto call = real<int (*)(int)>("fsync");
  return plan().is_below(file) && plan().next(kSync) != Fault::none ? -1 : call(file);
}

int fdatasync(int file) {
  static const auto call = real<int (*)(int)>("fdatasync");
  return plan().is_below(file) && plan().next(kSync) != Fault::none ? -1 : call(file);
}

int rename(const char* from, const char* to) noexcept {
  static const auto call = real<int (*)(const char*, const char*)>("rename");
  char folder[PATH_MAX];
  std::string parent(to);
  parent = parent.find('/') == parent.npos ? "." : parent.substr(0, parent.rfind('/') + 1);
  const bool below = ::realpath(parent.c_str(), folder) && plan().is_below(std::string(folder) + "/");
  return below && plan().next(kRename) != Fault::none ? -1 : call(from, to);
}

}  // extern "C"
