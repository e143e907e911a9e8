#include "files/text_encoding.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "columns/column.h"
#include "core/error.h"
#include "core/lower_case.h"

namespace pagoda::files {

namespace {

constexpr size_t kConvertBytes = 1 << 18;

// Gives back bytes that were read ahead, then those of the source.
class PeekedBytes : public ByteSource {
 public:
  PeekedBytes(std::unique_ptr<ByteSource> source, std::string first)
      : source_(std::move(source)), first_(std::move(first)) {}

  bool compressed() const override { return source_->compressed(); }
  size_t read(char* to, size_t size) override {
    if (first_.empty()) return source_->read(to, size);
    const size_t n = std::min(size, first_.size());
    std::memcpy(to, first_.data(), n);
    first_.erase(0, n);
    return n;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::string first_;
};

class DecodedBytes : public ByteSource {
 public:
  DecodedBytes(std::unique_ptr<ByteSource> source, std::string encoding, const std::string& path)
      : source_(std::move(source)), encoding_(std::move(encoding)), input_(kConvertBytes), output_(4 * kConvertBytes),
        decoder_(iconv_open("UTF-8", encoding_.c_str())) {
    if (decoder_ == reinterpret_cast<iconv_t>(-1))
      fail(ErrorKind::usage,
           "{}: '{}' is not an encoding that this machine knows; usual are utf-8, latin-1, windows-1252, utf-16", path,
           encoding_);
  }
  ~DecodedBytes() override { iconv_close(decoder_); }
  DecodedBytes(const DecodedBytes&) = delete;
  DecodedBytes& operator=(const DecodedBytes&) = delete;

  bool compressed() const override { return source_->compressed(); }
  size_t read(char* to, size_t size) override {
    if (given_ == decoded_ && !decode()) return 0;
    const size_t n = std::min(size, decoded_ - given_);
    std::memcpy(to, output_.data() + given_, n);
    given_ += n;
    return n;
  }

 private:
  // Fills output_; false at the end.
  bool decode() {
    given_ = decoded_ = 0;
    while (decoded_ == 0) {
      const size_t n = strange_ ? 0 : source_->read(input_.data() + held_, input_.size() - held_);
      if (n == 0 && held_ == 0) return false;
      if (n == 0 && !strange_) throw ReadError{fmt::format("ends in the middle of a character, read as {}", encoding_)};
      held_ += n;
      char *in = input_.data(), *out = output_.data();
      size_t left = held_, room = output_.size();
      const bool whole = iconv(decoder_, &in, &left, &out, &room) != static_cast<size_t>(-1);
      strange_ = !whole && errno == EILSEQ;
      decoded_ = output_.size() - room;
      std::memmove(input_.data(), in, left);
      held_ = left;
      if (strange_ && decoded_ == 0)  // what stands before the byte is given first
        throw ReadError{fmt::format("has the byte 0x{:02x}, which is no character in {}",
                                    static_cast<unsigned>(static_cast<unsigned char>(input_[0])), encoding_)};
    }
    return true;
  }

  std::unique_ptr<ByteSource> source_;
  std::string encoding_;
  std::vector<char> input_, output_;
  size_t held_ = 0;                 // bytes in input_
  bool strange_ = false;            // the first of them is no character
  size_t decoded_ = 0, given_ = 0;  // bytes in output_, and how many of them read() has given
  iconv_t decoder_;
};

// The name that iconv has for it.
std::string iconv_name(std::string_view encoding) {
  const auto name = lower_case(encoding);
  if (name == "latin-1" || name == "latin1" || name == "iso8859-1") return "ISO-8859-1";
  if (name == "utf8") return "UTF-8";
  return std::string(encoding);
}

// UTF-16 if it begins with a byte order mark, otherwise what it is. The first read() looks, and so has the errors of
// the first bytes.
class MarkedText : public ByteSource {
 public:
  MarkedText(std::unique_ptr<ByteSource> source, std::string path)
      : source_(std::move(source)), path_(std::move(path)) {}

  bool compressed() const override { return source_->compressed(); }
  size_t read(char* to, size_t size) override {
    if (!looked_) look();
    return source_->read(to, size);
  }

 private:
  void look() {
    std::string first(2, '\0');
    size_t n = 0;
    for (size_t got = 1; n < first.size() && got > 0; n += got) got = source_->read(first.data() + n, first.size() - n);
    first.resize(n);
    const bool wide = first == "\xff\xfe" || first == "\xfe\xff";
    source_ = std::make_unique<PeekedBytes>(std::move(source_), std::move(first));
    if (wide) source_ = std::make_unique<DecodedBytes>(std::move(source_), "UTF-16", path_);
    looked_ = true;
  }

  std::unique_ptr<ByteSource> source_;
  std::string path_;
  bool looked_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> open_text(const std::string& path, const std::string& encoding, bool ahead) {
  auto source = open_bytes(path, ahead);
  if (encoding == "auto") return std::make_unique<MarkedText>(std::move(source), path);
  auto name = iconv_name(encoding);
  if (lower_case(name) == "utf-8") return source;
  return std::make_unique<DecodedBytes>(std::move(source), std::move(name), path);
}

void EncodingSurvey::add(std::string_view line, uint64_t number) {
  if (std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return;
  if (columns::is_utf8(line)) {
    ++utf8_;
    return;
  }
  if (not_utf8_++ == 0) first_ = number;
  signs_ |= std::ranges::any_of(line, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 && byte < 0xa0;
  });
}

std::string EncodingSurvey::encoding() const {
  if (not_utf8_ <= utf8_) return "auto";
  return signs_ ? "windows-1252" : "latin-1";
}

}  // namespace pagoda::files
