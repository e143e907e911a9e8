#include "formats/arrow_schema.h"

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/util/base64.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace pagoda::formats {

namespace {

constexpr const char* kStoredSchema = "ARROW:schema";
constexpr std::string_view kMagic = "ARROW1";

// Reads the FlatBuffers of Arrow's Schema.fbs as far as is needed to find the types of fields. An offset that points
// outside the bytes counts as absent.
class SchemaBytes {
 public:
  explicit SchemaBytes(std::string& bytes) : bytes_(bytes), fields_left_(bytes.size()) {}

  // Turns 128-bit integers into FixedSizeBinary of 16 bytes: in both, the width is the type's first member.
  void patch(size_t schema, std::vector<WideColumn>& wide) {
    for (const size_t field : tables(schema, 1)) patch_field(field, &wide, 0);
  }

  size_t root() const { return follow(0).value_or(kNone); }
  // The table that member number `n` of a table points to; kNone if there is none.
  size_t table(size_t of, size_t n) const {
    const auto at = member(of, n);
    return at ? follow(*at).value_or(kNone) : kNone;
  }

  static constexpr size_t kNone = SIZE_MAX;

 private:
  static constexpr uint8_t kInt = 2, kFixedSizeBinary = 15;
  static constexpr size_t kDeepest = 64;

  template <class T>
  std::optional<T> get(size_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  std::optional<size_t> follow(size_t at) const {
    const auto offset = get<uint32_t>(at);
    return offset && *offset > 0 && *offset < bytes_.size() - at ? std::optional(at + *offset) : std::nullopt;
  }
  // The offset of member number `n` of a table.
  std::optional<size_t> member(size_t table, size_t n) const {
    const auto back = get<int32_t>(table);
    if (!back) return std::nullopt;
    const auto vtable = static_cast<size_t>(static_cast<int64_t>(table) - *back);
    const auto length = get<uint16_t>(vtable), offset = get<uint16_t>(vtable + 4 + 2 * n);
    if (!length || *length < 6 + 2 * n || !offset || *offset == 0) return std::nullopt;
    return table + *offset;
  }
  std::vector<size_t> tables(size_t of, size_t n) const {
    std::vector<size_t> found;
    const size_t list = table(of, n);
    const uint32_t count = get<uint32_t>(list).value_or(0);
    for (size_t i = 0; i < count; ++i) {
      const auto one = follow(list + 4 + 4 * i);
      if (!one) break;
      found.push_back(*one);
    }
    return found;
  }
  std::string text(size_t of, size_t n) const {
    const size_t at = table(of, n);
    const auto length = get<uint32_t>(at);
    return length && *length <= bytes_.size() - at - 4 ? bytes_.substr(at + 4, *length) : "";
  }

  void patch_field(size_t field, std::vector<WideColumn>* wide, size_t depth) {
    if (depth > kDeepest || fields_left_ == 0) return;
    --fields_left_;
    for (const size_t child : tables(field, 5)) patch_field(child, nullptr, depth + 1);
    const auto kind = member(field, 2);
    const size_t type = table(field, 3);
    const auto width = member(type, 0);
    if (!kind || get<uint8_t>(*kind) != kInt || !width || get<int32_t>(*width) != 128) return;
    const auto is_signed = member(type, 1);
    if (wide) wide->push_back({text(field, 0), is_signed && get<uint8_t>(*is_signed).value_or(0) != 0});
    bytes_[*kind] = kFixedSizeBinary;
    const int32_t bytes = 16;
    std::memcpy(bytes_.data() + *width, &bytes, sizeof bytes);
  }

  std::string& bytes_;
  size_t fields_left_;  // the offsets of a damaged file may form a cycle
};

// The place in `bytes` of the FlatBuffer of a length-prefixed message, with which a stream begins.
std::pair<size_t, size_t> message_in(std::string_view bytes) {
  uint32_t head[2] = {0, 0};
  std::memcpy(head, bytes.data(), std::min(sizeof head, bytes.size()));
  return head[0] == UINT32_MAX ? std::pair<size_t, size_t>{8, head[1]} : std::pair<size_t, size_t>{4, head[0]};
}

// A file with some of its bytes replaced.
class PatchedFile : public arrow::io::RandomAccessFile {
 public:
  PatchedFile(std::shared_ptr<arrow::io::RandomAccessFile> file, int64_t at, std::string bytes)
      : file_(std::move(file)), at_(at), bytes_(std::move(bytes)) {}

  arrow::Result<int64_t> GetSize() override { return file_->GetSize(); }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return file_->Close(); }
  bool closed() const override { return file_->closed(); }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, file_->ReadAt(position, size, out));
    const int64_t begin = std::max(position, at_);
    const int64_t end = std::min(position + got, at_ + static_cast<int64_t>(bytes_.size()));
    if (begin < end)
      std::memcpy(static_cast<char*>(out) + (begin - position), bytes_.data() + (begin - at_),
                  static_cast<size_t>(end - begin));
    return got;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(size));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position, size, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<int64_t> Read(int64_t size, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, size, out));
    position_ += got;
    return got;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, size));
    position_ += buffer->size();
    return buffer;
  }

 private:
  std::shared_ptr<arrow::io::RandomAccessFile> file_;
  int64_t at_;  // the offset at which bytes_ replace the file's
  std::string bytes_;
  int64_t position_ = 0;
};

std::string read_text(arrow::io::RandomAccessFile& file, int64_t at, int64_t size) {
  const auto buffer = file.ReadAt(at, size);
  return buffer.ok() ? (*buffer)->ToString() : "";
}

}  // namespace

std::optional<WideColumn> find_wide(const std::vector<WideColumn>& wide, const arrow::Field& field) {
  const auto found = std::ranges::find(wide, field.name(), &WideColumn::name);
  if (found == wide.end() || field.type()->id() != arrow::Type::FIXED_SIZE_BINARY) return std::nullopt;
  return *found;
}

std::shared_ptr<arrow::io::RandomAccessFile> patch_arrow_file(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                                              std::vector<WideColumn>& wide) {
  const int64_t size = file->GetSize().ValueOr(0);
  int64_t at = 0, length = 0;
  const bool whole = read_text(*file, 0, kMagic.size()) == kMagic;
  if (whole) {  // <footer> <its length> <magic>
    const int64_t tail = static_cast<int64_t>(kMagic.size()) + 4;
    const auto end = read_text(*file, std::max<int64_t>(0, size - tail), tail);
    int32_t footer = 0;
    if (end.size() < sizeof footer) return file;
    std::memcpy(&footer, end.data(), sizeof footer);
    at = size - tail - footer;
    length = footer;
  } else {
    const auto [begin, bytes] = message_in(read_text(*file, 0, 8));
    at = static_cast<int64_t>(begin);
    length = static_cast<int64_t>(bytes);
  }
  if (at < 0 || length <= 0 || length > size - at) return file;
  auto bytes = read_text(*file, at, length);
  SchemaBytes buffer(bytes);
  const size_t before = wide.size();
  const auto untouched = bytes;
  buffer.patch(buffer.table(buffer.root(), whole ? 1 : 2), wide);  // a Footer's schema, a Message's header
  if (wide.size() == before && bytes == untouched) return file;
  return std::make_shared<PatchedFile>(std::move(file), at, std::move(bytes));
}

void patch_stored_schema(arrow::KeyValueMetadata& metadata, std::vector<WideColumn>& wide) {
  const auto stored = metadata.Get(kStoredSchema);
  if (!stored.ok()) return;
  const auto decoded = arrow::util::base64_decode(*stored);
  if (!decoded.ok()) return;
  const auto [at, length] = message_in(*decoded);
  if (at > decoded->size() || length > decoded->size() - at) return;
  auto bytes = decoded->substr(at, length);
  const auto untouched = bytes;
  SchemaBytes buffer(bytes);
  buffer.patch(buffer.table(buffer.root(), 2), wide);
  if (bytes == untouched) return;
  (void)metadata.Set(kStoredSchema, arrow::util::base64_encode(decoded->substr(0, at) + bytes));
}

bool drop_stored_schema(arrow::KeyValueMetadata& metadata) { return metadata.Delete(kStoredSchema).ok(); }

}  // namespace pagoda::formats
