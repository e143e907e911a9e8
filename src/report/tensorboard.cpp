#include "report/tensorboard.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"

namespace pagoda::report {

namespace {

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
    table[i] = crc;
  }
  return table;
}();

constexpr std::string_view kPrefix = "events.out.tfevents.", kSuffix = ".pagoda";

// Protobuf's wire types: the low three bits of a field's key.
enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void put_key(std::string& out, int field, WireType type) { out += static_cast<char>(field << 3 | type); }
void put_text(std::string& out, int field, std::string_view text) {
  put_key(out, field, kBytes);
  put_varint(out, text.size());
  out += text;
}
template <class T>
void put_raw(std::string& out, T value) {
  static_assert(std::endian::native == std::endian::little);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

std::string event_at(double wall_time) {
  std::string event;
  put_key(event, 1, kFixed64);
  put_raw(event, wall_time);
  return event;
}
std::string event_at(double wall_time, int64_t step) {
  std::string event = event_at(wall_time);
  put_key(event, 2, kVarint);
  put_varint(event, static_cast<uint64_t>(step));
  return event;
}

uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::string tensorboard_record(std::string_view event) {
  std::string record;
  put_raw<uint64_t>(record, event.size());
  put_raw(record, masked_crc(record));
  record += event;
  put_raw(record, masked_crc(event));
  return record;
}

std::string version_event(double wall_time) {
  std::string event = event_at(wall_time);
  put_text(event, 3, "brain.Event:2");
  return event;
}

std::string scalar_event(double wall_time, int64_t step, std::span<const NamedValue> scalars) {
  std::string summary;
  for (const auto& [name, number] : scalars) {
    std::string value;
    put_text(value, 1, name);
    put_key(value, 2, kFixed32);
    put_raw(value, static_cast<float>(number));
    put_text(summary, 1, value);
  }
  std::string event = event_at(wall_time, step);
  put_text(event, 5, summary);
  return event;
}

std::string restart_event(double wall_time, int64_t step) {
  std::string session;
  put_key(session, 1, kVarint);
  put_varint(session, 1);
  std::string event = event_at(wall_time, step);
  put_text(event, 7, session);
  return event;
}

EventWriter::EventWriter(const std::string& folder, double wall_time) {
  make_folder(folder);
  // TensorBoard reads the files of a folder in the order of their names: the second of creation, then a number.
  const auto seconds = static_cast<int64_t>(wall_time);
  for (int number = 0; path_.empty() || file_exists(path_); ++number)
    path_ = fmt::format("{}/{}{:010d}.{:03d}{}", folder, kPrefix, seconds, number, kSuffix);
  file_.open(path_, std::ios::binary);
  append(version_event(wall_time));
}

void EventWriter::scalars(double wall_time, int64_t step, std::span<const NamedValue> values) {
  append(scalar_event(wall_time, step, values));
}

void EventWriter::restart(double wall_time, int64_t step) { append(restart_event(wall_time, step)); }

void EventWriter::append(std::string_view event) {
  const std::string record = tensorboard_record(event);
  errno = 0;
  file_.write(record.data(), static_cast<std::streamsize>(record.size())).flush();
  if (!file_) fail(ErrorKind::failed, "{}: cannot be written: {}", path_, std::strerror(errno));
}

std::vector<std::string> event_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace pagoda::report
