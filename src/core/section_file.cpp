#include "core/section_file.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "core/bytes.h"
#include "core/error.h"

namespace pagoda {

namespace {

constexpr std::string_view kMagic = "PAGODA\r\n";
constexpr uint32_t kContainerVersion = 1;
constexpr size_t kPage = 4096, kKindBytes = 16, kHeaderSummed = kPage - sizeof(uint64_t);

struct FreeHash {
  void operator()(XXH3_state_t* s) const { XXH3_freeState(s); }
};

// xxh3 of bytes that arrive in pieces.
class RunningChecksum {
 public:
  RunningChecksum() : state_(XXH3_createState()) {
    check(state_ != nullptr, "memory for a checksum");
    restart();
  }
  void restart() { XXH3_64bits_reset(state_.get()); }
  void add(const void* data, size_t size) { XXH3_64bits_update(state_.get(), data, size); }
  uint64_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  std::unique_ptr<XXH3_state_t, FreeHash> state_;
};

size_t padding_after(size_t size) { return (kPage - size % kPage) % kPage; }

}  // namespace

uint64_t checksum(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

struct SectionWriter::State {
  AtomicFile file;
  std::string kind;
  uint32_t content_version;
  std::vector<SectionFile::Section> sections;
  RunningChecksum sum;
  bool open = false;

  void write(const void* data, size_t size) {
    sum.add(data, size);
    file.write(data, size);
  }
  void pad() {
    static constexpr char kZeros[kPage] = {};
    write(kZeros, padding_after(file.size()));
  }
};

SectionWriter::SectionWriter(const std::string& path, std::string_view kind, uint32_t content_version)
    : state_(new State{AtomicFile(path), std::string(kind), content_version, {}, {}}) {
  check(!kind.empty() && kind.size() <= kKindBytes, "a content kind has 1 to 16 characters");
  state_->file.write(std::string(kPage, '\0'));  // the header is written last, once sizes and checksums are known
}

SectionWriter::~SectionWriter() = default;

void SectionWriter::section(std::string_view name, std::span<const std::byte> bytes) {
  begin(name);
  append(bytes);
  end();
}

void SectionWriter::begin(std::string_view name) {
  check(!state_->open, "a section begins after the one before has ended");
  for (const auto& s : state_->sections) check(s.name != name, "a section's name is used once");
  state_->sections.push_back({std::string(name), state_->file.size(), 0, 0});
  state_->sum.restart();
  state_->open = true;
}

void SectionWriter::append(std::span<const std::byte> bytes) {
  check(state_->open, "bytes are appended to a section that has begun");
  state_->write(bytes.data(), bytes.size());
}

void SectionWriter::end() {
  check(state_->open, "a section ends that has begun");
  auto& section = state_->sections.back();
  section.size = state_->file.size() - section.offset;
  state_->pad();
  section.checksum = state_->sum.value();
  state_->open = false;
}

void SectionWriter::commit() {
  check(!state_->open, "every section has ended before commit");
  auto& s = *state_;
  ByteWriter table;
  table.value<uint64_t>(s.sections.size());
  for (const auto& section : s.sections) {
    table.text(section.name);
    table.value(section.offset);
    table.value(section.size);
    table.value(section.checksum);
  }
  const uint64_t table_offset = s.file.size();
  s.sum.restart();
  s.write(table.bytes().data(), table.bytes().size());
  s.pad();

  ByteWriter header;
  for (const char c : kMagic) header.value(c);
  header.value(kContainerVersion);
  header.value(s.content_version);
  s.kind.resize(kKindBytes, '\0');
  for (const char c : s.kind) header.value(c);
  header.value<uint64_t>(s.file.size());
  header.value(table_offset);
  header.value<uint64_t>(table.bytes().size());
  header.value(s.sum.value());
  std::string page = header.bytes();
  page.resize(kHeaderSummed, '\0');
  const uint64_t header_sum = checksum(page);
  page.append(reinterpret_cast<const char*>(&header_sum), sizeof header_sum);
  s.file.write_at(0, page.data(), page.size());
  s.file.commit();
}

SectionFile::SectionFile(const std::string& path, std::string_view kind, uint32_t content_version) : file_(path) {
  const auto all = file_.bytes();
  if (all.size() < kMagic.size() || std::memcmp(all.data(), kMagic.data(), kMagic.size()) != 0)
    fail(ErrorKind::failed, "{}: not a pagoda file, or its first bytes are damaged", path);
  if (all.size() < kPage) fail(ErrorKind::failed, "{}: damaged: ends within its header", path);
  ByteReader header(all.first(kPage), path + ": header");
  for (size_t i = 0; i < kMagic.size(); ++i) header.value<char>();
  const auto container = header.value<uint32_t>(), content = header.value<uint32_t>();
  std::string found;
  for (size_t i = 0; i < kKindBytes; ++i) found += header.value<char>();
  found.erase(std::find(found.begin(), found.end(), '\0'), found.end());
  const auto file_size = header.value<uint64_t>(), table_offset = header.value<uint64_t>(),
             table_size = header.value<uint64_t>();
  const uint64_t table_checksum = header.value<uint64_t>();
  uint64_t header_sum;
  std::memcpy(&header_sum, all.data() + kHeaderSummed, sizeof header_sum);
  if (checksum(all.first(kHeaderSummed)) != header_sum) fail(ErrorKind::failed, "{}: damaged: header", path);
  if (container > kContainerVersion)
    fail(ErrorKind::failed, "{}: file format version {}, but this program reads up to {}; use a newer pagoda", path,
         container, kContainerVersion);
  if (found != kind) fail(ErrorKind::failed, "{}: holds a {}, expected a {}", path, found, kind);
  if (content > content_version)
    fail(ErrorKind::failed, "{}: {} version {}, but this program reads up to {}; use a newer pagoda", path, kind,
         content, content_version);
  if (all.size() != file_size)
    fail(ErrorKind::failed, "{}: damaged: {} bytes long, but {} were written; copy it again", path, all.size(),
         file_size);
  if (table_offset > file_size || table_size > file_size - table_offset || table_offset % kPage != 0 ||
      checksum(all.subspan(table_offset)) != table_checksum)
    fail(ErrorKind::failed, "{}: damaged: table of sections", path);

  ByteReader table(all.subspan(table_offset, table_size), path + ": table of sections");
  const auto n = table.value<uint64_t>();
  uint64_t expected = kPage;  // sections lie one after another, so that no byte is outside of all checksums
  for (uint64_t i = 0; i < n; ++i) {
    Section s;
    s.name = table.text();
    s.offset = table.value<uint64_t>();
    s.size = table.value<uint64_t>();
    s.checksum = table.value<uint64_t>();
    if (s.offset != expected || s.size > table_offset - s.offset)
      fail(ErrorKind::failed, "{}: damaged: section '{}' is out of place", path, s.name);
    expected = s.offset + s.size + padding_after(s.size);
    sections_.push_back(std::move(s));
  }
  if (!table.at_end() || expected != table_offset) fail(ErrorKind::failed, "{}: damaged: table of sections", path);
}

void SectionFile::verify() const {
  for (const auto& s : sections_)
    if (checksum(file_.bytes().subspan(s.offset, s.size + padding_after(s.size))) != s.checksum)
      fail(ErrorKind::failed, "{}: damaged: section '{}'; copy the file again or make it anew", path(), s.name);
}

bool SectionFile::has(std::string_view name) const {
  return std::any_of(sections_.begin(), sections_.end(), [&](const Section& s) { return s.name == name; });
}

std::span<const std::byte> SectionFile::bytes(std::string_view name) const {
  for (const auto& s : sections_)
    if (s.name == name) return file_.bytes().subspan(s.offset, s.size);
  fail(ErrorKind::failed, "{}: has no section '{}'", path(), name);
}

std::string_view SectionFile::text(std::string_view name) const {
  const auto b = bytes(name);
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

}  // namespace pagoda
