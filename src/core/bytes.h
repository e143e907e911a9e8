// Writes and reads little-endian values, for the sections of our own file formats.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/error.h"

namespace pagoda {

static_assert(std::endian::native == std::endian::little, "the file formats are written as this machine stores them");

class ByteWriter {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void value(const T& v) {
    raw(&v, sizeof(T));
  }
  void text(std::string_view s) {
    value<uint64_t>(s.size());
    raw(s.data(), s.size());
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void array(std::span<const T> values) {  // u64 count, then the elements
    value<uint64_t>(values.size());
    raw(values.data(), values.size_bytes());
  }
  template <class T>
  void array(const std::vector<T>& values) {
    array(std::span<const T>(values));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }
  std::string bytes_;
};

// Reads what ByteWriter wrote. Never reads past the end, whatever the bytes say: a length that does not fit throws
// Error{failed}, which names `what` (a section of a file).
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string what) : bytes_(bytes), what_(std::move(what)) {}

  template <class T>
    requires std::is_trivially_copyable_v<T>
  T value() {
    T v;
    std::memcpy(&v, take(sizeof(T)), sizeof(T));
    return v;
  }
  std::string text() {
    const auto n = value<uint64_t>();
    return std::string(reinterpret_cast<const char*>(take(n)), n);
  }
  template <class T>
  std::vector<T> array() {
    const auto n = value<uint64_t>();
    if (n > bytes_.size() / sizeof(T)) damaged();
    std::vector<T> values(n);
    if (n) std::memcpy(values.data(), take(n * sizeof(T)), n * sizeof(T));
    return values;
  }
  bool at_end() const { return at_ == bytes_.size(); }
  // For loaders: the bytes are all there, but what they say is impossible.
  [[noreturn]] void damaged(std::string_view how = "ends before its content does") const {
    fail(ErrorKind::failed, "{}: {}", what_, how);
  }

 private:
  const std::byte* take(size_t size) {
    if (size > bytes_.size() - at_) damaged();
    const auto* p = bytes_.data() + at_;
    at_ += size;
    return p;
  }

  std::span<const std::byte> bytes_;
  std::string what_;
  size_t at_ = 0;
};

}  // namespace pagoda
