#include "core/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/core.h>

#include "core/error.h"

namespace pagoda {

namespace {

std::string reason(int error) { return std::strerror(error); }

std::string missing_or(int error) { return error == ENOENT ? "no such file" : reason(error); }

std::string folder_of(const std::string& path) {
  auto parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string temporary_prefix(const std::string& path) {
  return fmt::format(".{}.tmp-", std::filesystem::path(path).filename().string());
}

// What a killed writer of this name left: `.name.tmp-PID` of a process that is no more.
void remove_orphans(const std::string& path) {
  const std::string prefix = temporary_prefix(path);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(path), ignored)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const long pid = std::strtol(name.c_str() + prefix.size(), nullptr, 10);
    if (pid > 0 && (kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH))
      std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe is refused below, not waited for
  if (fd < 0) fail(ErrorKind::input, "{}: {}", path, missing_or(errno));
  struct stat info{};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    fail(ErrorKind::input, "{}: not a regular file", path);
  }
  size_ = static_cast<size_t>(info.st_size);
  if (size_ > 0) {
    void* p = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    const int error = errno;
    close(fd);
    if (p == MAP_FAILED) fail(ErrorKind::failed, "{}: can not be mapped: {}", path, reason(error));
    data_ = static_cast<const std::byte*>(p);
  } else {
    close(fd);
  }
}

void MappedFile::advise_random(std::span<const std::byte> part) const {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(part.data()) / page * page;
  madvise(reinterpret_cast<void*>(begin), reinterpret_cast<uintptr_t>(part.data()) + part.size() - begin, MADV_RANDOM);
}

MappedFile::~MappedFile() {
  if (data_) munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  const auto p = std::filesystem::path(path_);
  // Renaming over a folder fails, but only at the end; renaming over a device (/dev/stdout) would replace it.
  std::error_code ignored;
  if (const auto status = std::filesystem::status(p, ignored);
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    fail(ErrorKind::failed, "{}: can not be written: it exists and is not a regular file", path_);
  remove_orphans(path_);
  temporary_ = (p.parent_path() / fmt::format("{}{}", temporary_prefix(path_), getpid())).string();
  fd_ = open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0)
    fail(ErrorKind::failed, "{}: can not be written: {}; does the folder exist, and may you write there?", path_,
         reason(errno));
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) close(fd_);
  if (!committed_) unlink(temporary_.c_str());
}

void AtomicFile::flush_buffer() {
  size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      fail(ErrorKind::failed, "{}: writing failed after {} bytes: {}; free some space or write elsewhere", path_,
           size_ - buffer_.size() + done, reason(errno));
    done += static_cast<size_t>(n);
  }
  buffer_.clear();
}

void AtomicFile::write(const void* data, size_t size) {
  constexpr size_t kBufferBytes = 1 << 20;
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const size_t n = std::min(size, kBufferBytes - buffer_.size());
    buffer_.append(bytes, n);
    size_ += n, bytes += n, size -= n;
    if (buffer_.size() == kBufferBytes) flush_buffer();
  }
}

void AtomicFile::write_at(size_t offset, const void* data, size_t size) {
  flush_buffer();
  check(offset + size <= size_, "write_at overwrites what is written");
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = pwrite(fd_, bytes, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(ErrorKind::failed, "{}: writing failed: {}", path_, reason(errno));
    bytes += n, offset += static_cast<size_t>(n), size -= static_cast<size_t>(n);
  }
}

void AtomicFile::commit() {
  flush_buffer();
  if (fsync(fd_) != 0 || close(std::exchange(fd_, -1)) != 0)
    fail(ErrorKind::failed, "{}: could not be flushed to disk: {}; free some space or write elsewhere", path_,
         reason(errno));
  if (rename(temporary_.c_str(), path_.c_str()) != 0)
    fail(ErrorKind::failed, "{}: could not be put in place: {}", path_, reason(errno));
  committed_ = true;
  sync_folder_of(path_);
}

void sync_folder_of(const std::string& path) {
  const int folder = open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) fsync(folder), close(folder);
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

bool FileLock::take() {
  if (fd_ >= 0) return true;
  const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0)
    fd_ = fd;
  else
    close(fd);
  return held();
}

std::string read_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(ErrorKind::input, "{}: {}", path, missing_or(errno));
  std::string bytes;
  for (;;) {
    constexpr size_t kPiece = 1 << 16;
    const size_t have = bytes.size();
    bytes.resize(have + kPiece);
    const ssize_t n = read(fd, bytes.data() + have, kPiece);
    const int error = errno;
    bytes.resize(have + static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && error == EINTR) continue;
    if (n <= 0) close(fd);
    if (n < 0) fail(ErrorKind::input, "{}: {}", path, reason(error));
    if (n == 0) return bytes;
  }
}

void write_file(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail(ErrorKind::failed, "{}: the folder can not be made: {}", path, error.message());
}

bool file_exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace pagoda
