// Files: mapped for reading; written under a temporary name and then renamed. Every error names the path.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pagoda {

// A whole file, mapped read-only: the system reads a page when it is first touched. Immutable, so threads may share it.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);  // Error{input}: missing, a directory, unreadable
  ~MappedFile();
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }
  // Disables read-ahead for a part of the file that will be accessed at random.
  void advise_random(std::span<const std::byte> part) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// A file that appears under its name complete or not at all. Bytes go to a temporary file in the same folder
// (`.NAME.tmp-RANDOM`, locked while its writer lives); commit() flushes it to disk and renames it. Without commit() the
// old file stays. The destructor removes the temporary file; if the process was killed, the next AtomicFile of the same
// name does.
//
// A symbolic link stays a link: the file that it points to is written. A file that is replaced keeps its permissions,
// and its owner and group where the system allows it (access control lists and extended attributes are not kept).
// Not thread-safe; several writers of one name, in one process or several, do not disturb each other: the last commit()
// wins.
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
  // Flushes everything to disk; what can still fail afterwards is the renaming. commit() calls it if the caller has
  // not.
  void flush();
  // Error{failed}: the file was not put in place; or it was, but the folder could not be flushed (the message says
  // which).
  void commit();

 private:
  void write_buffer();
  std::string path_;    // as given: what messages name
  std::string target_;  // path_ with symbolic links followed
  std::string temporary_, buffer_;
  int fd_ = -1;
  size_t size_ = 0;
  bool flushed_ = false, committed_ = false;
};

// An exclusive advisory lock on a file, which take() creates if it is missing and which is never removed. Released by
// the destructor or when the process exits.
class FileLock {
 public:
  explicit FileLock(std::string path) : path_(std::move(path)) {}
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool take();  // false: another holder has it, or the file cannot be created
  bool held() const { return fd_ >= 0; }

 private:
  std::string path_;
  int fd_ = -1;
};

// Flushes the folder that holds `path`, so that a new name in it survives a power failure. Does nothing where the file
// system does not support it or the folder may not be read. Error{failed}: the disk failed.
void sync_folder_of(const std::string& path);

std::string read_file(const std::string& path);  // also a pipe or /dev/stdin; Error{input} if it cannot be read
void write_file(const std::string& path, std::string_view bytes);  // atomically
void make_folder(const std::string& path);                         // with its parents
bool file_exists(const std::string& path);

}  // namespace pagoda
