#include "files/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"
#include "core/suggest.h"

namespace pagoda::files {

namespace {

using namespace std::string_view_literals;

constexpr size_t kEntryBytes = 1 << 18;

using Handle = std::unique_ptr<archive, decltype(&archive_read_free)>;

std::string reason(archive* handle) {
  const char* said = archive_error_string(handle);
  return said ? said : "unknown error";
}

Handle open_archive(const std::string& path) {
  Handle handle(archive_read_new(), &archive_read_free);
  archive_read_support_filter_all(handle.get());
  archive_read_support_format_zip(handle.get());
  archive_read_support_format_tar(handle.get());
  archive_read_support_format_7zip(handle.get());
  if (archive_read_open_filename(handle.get(), path.c_str(), kEntryBytes) != ARCHIVE_OK)
    fail(ErrorKind::input, "{}: cannot be opened as an archive: {}", path, reason(handle.get()));
  return handle;
}

// The name of a member: as UTF-8 if the archive says what its letters are, otherwise its bytes.
std::string entry_name(archive_entry* entry) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (!name) name = archive_entry_pathname(entry);
  std::string_view text = name ? name : "";
  while (text.starts_with("./")) text.remove_prefix(2);
  return std::string(text);
}

// Visits the regular files of an archive until `take` returns true; false at the end.
template <class Take>
bool visit(archive* handle, const std::string& path, Take take) {
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(handle, &entry);
    if (status == ARCHIVE_EOF) return false;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
      fail(ErrorKind::input, "{}: the archive is damaged ({}): is the download complete?", path, reason(handle));
    if (archive_entry_filetype(entry) == AE_IFREG && take(entry)) return true;
  }
}

class ArchiveBytes : public ByteSource {
 public:
  ArchiveBytes(Handle handle, std::unique_ptr<ByteSource> packed, std::string what)
      : handle_(std::move(handle)), packed_(std::move(packed)), what_(std::move(what)) {}

  bool compressed() const override { return true; }
  size_t read(char* to, size_t size) override {
    const auto n = archive_read_data(handle_.get(), to, size);
    if (n < 0) throw ReadError{fmt::format("{} is damaged or cut short ({})", what_, reason(handle_.get()))};
    return static_cast<size_t>(n);
  }

 private:
  Handle handle_;  // reads from packed_, if that is not null
  std::unique_ptr<ByteSource> packed_;
  std::string what_;
};

// What a Handle reads from while it decompresses a stream.
class PackedBytes : public ByteSource {
 public:
  explicit PackedBytes(std::unique_ptr<ByteSource> source) : source_(std::move(source)), buffer_(kEntryBytes) {}

  size_t read(char* to, size_t size) override { return source_->read(to, size); }
  static la_ssize_t fill(archive* handle, void* self, const void** bytes) {
    auto& packed = *static_cast<PackedBytes*>(self);
    *bytes = packed.buffer_.data();
    try {
      return static_cast<la_ssize_t>(packed.source_->read(packed.buffer_.data(), packed.buffer_.size()));
    } catch (const ReadError& error) {
      archive_set_error(handle, EIO, "%s", error.what.c_str());
      return -1;
    }
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
};

}  // namespace

std::optional<MemberPath> split_member_path(const std::string& path) {
  struct stat info{};
  for (size_t slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
    const auto front = path.substr(0, slash);
    if (stat(front.c_str(), &info) != 0) return std::nullopt;
    if (S_ISREG(info.st_mode)) return MemberPath{front, path.substr(slash + 1)};
  }
  return std::nullopt;
}

bool begins_as_archive(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04"sv) || bytes.starts_with("PK\x05\x06"sv) ||
         bytes.starts_with("7z\xbc\xaf\x27\x1c"sv) || (bytes.size() > 262 && bytes.substr(257).starts_with("ustar"));
}

std::vector<ArchiveMember> archive_members(const std::string& path) {
  std::vector<ArchiveMember> members;
  const auto handle = open_archive(path);
  visit(handle.get(), path, [&](archive_entry* entry) {
    members.push_back({entry_name(entry), static_cast<uint64_t>(archive_entry_size(entry))});
    return false;
  });
  return members;
}

std::unique_ptr<ByteSource> open_member(const MemberPath& path) {
  auto handle = open_archive(path.archive);
  std::vector<std::string> names;
  const bool found = visit(handle.get(), path.archive, [&](archive_entry* entry) {
    names.push_back(entry_name(entry));
    if (names.back() != path.member) return false;
    if (archive_entry_is_data_encrypted(entry))
      fail(ErrorKind::input, "{}: '{}' is encrypted; unpack it with its password", path.archive, path.member);
    return true;
  });
  if (!found)
    fail(ErrorKind::input, "{}: the archive has no file '{}'{}", path.archive, path.member,
         suggestion(path.member, names));
  return std::make_unique<ArchiveBytes>(std::move(handle), nullptr, "the archive");
}

std::string_view compression_of(std::string_view bytes) {
  if (bytes.starts_with("\xfd\x37zXZ\0"sv)) return "xz";
  if (bytes.starts_with("\x04\x22\x4d\x18"sv)) return "lz4";
  const auto block = bytes.substr(std::min<size_t>(4, bytes.size()));  // after "BZh" and the level
  if (bytes.starts_with("BZh") && (block.starts_with("1AY&SY") || block.starts_with("\x17\x72\x45\x38\x50\x90")))
    return "bzip2";
  return {};
}

std::unique_ptr<ByteSource> decompress(std::unique_ptr<ByteSource> packed, const std::string& path) {
  Handle handle(archive_read_new(), &archive_read_free);
  archive_read_support_filter_bzip2(handle.get());
  archive_read_support_filter_xz(handle.get());
  archive_read_support_filter_lz4(handle.get());
  archive_read_support_format_raw(handle.get());
  archive_entry* entry = nullptr;
  auto source = std::make_unique<PackedBytes>(std::move(packed));
  if (archive_read_open(handle.get(), source.get(), nullptr, &PackedBytes::fill, nullptr) != ARCHIVE_OK ||
      archive_read_next_header(handle.get(), &entry) != ARCHIVE_OK)
    fail(ErrorKind::input, "{}: the compressed content is damaged ({}): is the download complete?", path,
         reason(handle.get()));
  return std::make_unique<ArchiveBytes>(std::move(handle), std::move(source), "the compressed content");
}

}  // namespace pagoda::files
