// Files: mapped for reading, written beside their final name and renamed. Every error names the path.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pagoda {

// A whole file, read-only, mapped: pages come in as they are touched. Immutable, so may be shared between threads.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);  // Error{input}: missing, a directory, unreadable
  ~MappedFile();
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }
  // What of it will be read in pieces here and there: then no more is fetched from disk than is read.
  void advise_random(std::span<const std::byte> part) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// A file that appears under its name whole or not at all: bytes go to a temporary name in the same folder, commit()
// flushes them to disk and renames. Without commit (an exception, a kill) the old file stays and the temporary one is
// removed by the destructor, or by the next AtomicFile of the same name when the process was killed.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);  // Error{failed}: no such folder, no permission
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);  // Error{failed}: disk full, with the path and how much was needed
  void write(std::string_view text) { write(text.data(), text.size()); }
  void write_at(size_t offset, const void* data, size_t size);  // overwrites what is already written
  size_t size() const { return size_; }
  const std::string& temporary_path() const { return temporary_; }  // for libraries that open a file themselves
  void commit();

 private:
  void flush_buffer();
  std::string path_, temporary_, buffer_;
  int fd_ = -1;
  size_t size_ = 0;
  bool committed_ = false;
};

// That one process at a time does something: an exclusive lock on a file that is made for it and stays. Its end, or the process's,
// lets go of it.
class FileLock {
 public:
  explicit FileLock(std::string path) : path_(std::move(path)) {}
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool take();  // false: another holds it, or the file can not be made
  bool held() const { return fd_ >= 0; }

 private:
  std::string path_;
  int fd_ = -1;
};

// On disk then: the names in the folder of the file, where the file system can.
void sync_folder_of(const std::string& path);

std::string read_file(const std::string& path);  // a pipe or /dev/stdin, too; Error{input} when it can not be read
void write_file(const std::string& path, std::string_view bytes);  // atomically
void make_folder(const std::string& path);                         // with its parents
bool file_exists(const std::string& path);

}  // namespace pagoda
