#include "core/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>
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

// The file that `path` names after its symbolic links are followed. The file itself need not exist.
std::string followed(const std::string& path) {
  constexpr int kMaxLinks = 40;  // as in the kernel
  std::error_code error;
  std::filesystem::path at = path;
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(at, error)); ++links) {
    const auto next = std::filesystem::read_symlink(at, error);
    if (error || links == kMaxLinks)
      fail(ErrorKind::failed, "{}: cannot be written: this symbolic link cannot be followed: {}", path,
           error ? error.message() : reason(ELOOP));
    at = at.parent_path() / next;  // an absolute `next` replaces it
  }
  return at.string();
}

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

// A writer locks its temporary file. An unlocked one was left by a writer that was killed. Process ids would not do: on
// a shared volume, a process of another container or machine may have the same id.
void remove_orphans(const std::string& path) {
  const std::string prefix = temporary_prefix(path);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(path), ignored)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    const int fd = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) continue;
    struct stat opened{}, named{};
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 && lstat(entry.path().c_str(), &named) == 0 &&
        S_ISREG(opened.st_mode) && same_file(opened, named))
      unlink(entry.path().c_str());
    close(fd);
  }
}

// Creates a file of a new name that starts with `prefix`, and locks it.
int create_temporary(const std::string& prefix, mode_t mode, std::string& name) {
  std::random_device random;
  for (int attempt = 0;; ++attempt) {
    name = fmt::format("{}{:08x}{:08x}", prefix, random(), random());
    const int fd = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
      if (errno == EEXIST && attempt < 100) continue;
      return fd;
    }
    // Between open and flock another writer may have taken it for an orphan.
    struct stat opened{}, named{};
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;  // a file system without locks
    if (locked && fstat(fd, &opened) == 0 && lstat(name.c_str(), &named) == 0 && same_file(opened, named)) return fd;
    close(fd);
    if (attempt == 100) {
      errno = EAGAIN;
      return -1;
    }
  }
}

// Gives the new file the owner, group and permissions of the one that it replaces. Where the group cannot be kept, the
// group gets no more than everybody has.
void keep_access(int fd, const struct stat& old) {
  mode_t mode = old.st_mode & 0777;
  struct stat now{};
  if (fstat(fd, &now) == 0 && (now.st_uid != old.st_uid || now.st_gid != old.st_gid) &&
      fchown(fd, old.st_uid, old.st_gid) != 0 && now.st_gid != old.st_gid && fchown(fd, -1, old.st_gid) != 0)
    mode = (mode & 0707) | (mode & (mode << 3) & 0070);
  [[maybe_unused]] const int ignored = fchmod(fd, mode);  // some file systems have no permissions
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
    if (p == MAP_FAILED) fail(ErrorKind::failed, "{}: cannot be mapped: {}", path, reason(error));
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
  // Renaming over a folder fails, but only at the end; renaming over a device (/dev/stdout) would replace it.
  std::error_code ignored;
  if (const auto status = std::filesystem::status(path_, ignored);
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    fail(ErrorKind::failed, "{}: cannot be written: it exists and is not a regular file", path_);
  target_ = followed(path_);
  remove_orphans(target_);
  struct stat old{};
  const bool replaces = stat(target_.c_str(), &old) == 0;
  const auto prefix = (std::filesystem::path(target_).parent_path() / temporary_prefix(target_)).string();
  fd_ = create_temporary(prefix, replaces ? 0600 : 0644, temporary_);
  if (fd_ < 0) {
    const auto why = reason(errno);
    fail(ErrorKind::failed, "{}: cannot be written: {}; does the folder exist, and may you write there?",
         target_ == path_ ? path_ : fmt::format("{} (a link to {})", path_, target_), why);
  }
}

AtomicFile::~AtomicFile() {
  if (!committed_ && fd_ >= 0) unlink(temporary_.c_str());
  if (fd_ >= 0) close(fd_);
}

void AtomicFile::write_buffer() {
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
    size_ += n;
    bytes += n;
    size -= n;
    flushed_ = false;
    if (buffer_.size() == kBufferBytes) write_buffer();
  }
}

void AtomicFile::write_at(size_t offset, const void* data, size_t size) {
  write_buffer();
  check(offset + size <= size_, "write_at overwrites what is written");
  flushed_ = false;
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = pwrite(fd_, bytes, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(ErrorKind::failed, "{}: writing failed: {}", path_, reason(errno));
    bytes += n;
    offset += static_cast<size_t>(n);
    size -= static_cast<size_t>(n);
  }
}

void AtomicFile::flush() {
  write_buffer();
  if (!flushed_ && fsync(fd_) != 0)
    fail(ErrorKind::failed, "{}: could not be flushed to disk: {}; free some space or write elsewhere", path_,
         reason(errno));
  flushed_ = true;
}

void AtomicFile::commit() {
  flush();
  if (struct stat old{}; stat(target_.c_str(), &old) == 0) keep_access(fd_, old);
  if (rename(temporary_.c_str(), target_.c_str()) != 0)
    fail(ErrorKind::failed, "{}: could not be put in place: {}", path_, reason(errno));
  committed_ = true;
  close(std::exchange(fd_, -1));  // not before: the lock says that the temporary file has a writer
  sync_folder_of(target_);
}

void sync_folder_of(const std::string& path) {
  const int folder = open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  const int error = fsync(folder) == 0 ? 0 : errno;
  close(folder);
  if (error != 0 && error != EINVAL && error != ENOTSUP)
    fail(ErrorKind::failed, "{}: its name could not be flushed to disk: {}; a power failure may undo it", path,
         reason(error));
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
  if (error) fail(ErrorKind::failed, "{}: the folder cannot be made: {}", path, error.message());
}

bool file_exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace pagoda
