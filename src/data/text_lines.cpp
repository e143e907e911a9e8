#include "data/text_lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace pagoda {

namespace {

constexpr size_t kChunk = 1 << 18;
constexpr const char* kCutShort = "the file ends in the middle: is the download complete?";

class PlainBytes : public ByteSource {
 public:
  explicit PlainBytes(const std::string& path) {
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) fail(ErrorKind::input, "{}: {}", path, errno == ENOENT ? "no such file" : std::strerror(errno));
    struct stat info{};
    if (fstat(fd_, &info) == 0 && S_ISDIR(info.st_mode)) {
      close(fd_);
      fail(ErrorKind::input, "{}: is a folder; name the files in it, as in '{}/*.csv'", path, path);
    }
  }
  ~PlainBytes() override { close(fd_); }
  PlainBytes(const PlainBytes&) = delete;
  PlainBytes& operator=(const PlainBytes&) = delete;

  size_t read(char* to, size_t size) override {
    if (!ahead_.empty()) {
      const size_t n = std::min(size, ahead_.size());
      std::memcpy(to, ahead_.data(), n);
      ahead_.erase(0, n);
      return n;
    }
    for (;;) {
      const ssize_t n = ::read(fd_, to, size);
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) throw Trouble{fmt::format("can not be read: {}", std::strerror(errno))};
    }
  }

  // The first bytes, which read() will give again.
  std::string peek(size_t size) {
    std::string bytes(size, '\0');
    size_t n = 0;
    try {
      for (size_t got = 1; n < size && got > 0; n += got) got = read(bytes.data() + n, size - n);
    } catch (const Trouble&) {
      // The first read() of the file meets it again, where the caller names the place.
    }
    bytes.resize(n);
    ahead_ = bytes;
    return bytes;
  }

 private:
  int fd_;
  std::string ahead_;
};

class GzipBytes : public ByteSource {
 public:
  explicit GzipBytes(std::unique_ptr<PlainBytes> file) : file_(std::move(file)), input_(kChunk) {
    check(inflateInit2(&stream_, 15 + 16) == Z_OK, "zlib starts");
  }
  ~GzipBytes() override { inflateEnd(&stream_); }
  GzipBytes(const GzipBytes&) = delete;
  GzipBytes& operator=(const GzipBytes&) = delete;

  size_t read(char* to, size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out == size) {
      if (stream_.avail_in == 0) {
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(file_->read(input_.data(), input_.size()));
        if (stream_.avail_in == 0) {
          if (!member_ended_) throw Trouble{kCutShort};
          return 0;
        }
      }
      if (member_ended_) {  // another member follows, or zeros that pad a tape
        if (*stream_.next_in == 0) {
          ++stream_.next_in, --stream_.avail_in;
          continue;
        }
        inflateReset(&stream_);
        member_ended_ = false;
      }
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END)
        member_ended_ = true;
      else if (status != Z_OK && status != Z_BUF_ERROR)
        throw Trouble{fmt::format("the gzip content is damaged ({}): download or write it again",
                                  stream_.msg ? stream_.msg : "no such code")};
    }
    return size - stream_.avail_out;
  }

 private:
  std::unique_ptr<PlainBytes> file_;
  std::vector<char> input_;
  z_stream stream_{};
  bool member_ended_ = false;
};

class ZstdBytes : public ByteSource {
 public:
  explicit ZstdBytes(std::unique_ptr<PlainBytes> file)
      : file_(std::move(file)), input_(kChunk), stream_(ZSTD_createDStream(), &ZSTD_freeDStream) {}

  size_t read(char* to, size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !more_output_) {
        in_ = {input_.data(), file_->read(input_.data(), input_.size()), 0};
        if (in_.size == 0) {
          if (frame_left_ != 0) throw Trouble{kCutShort};
          return 0;
        }
      }
      frame_left_ = ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (ZSTD_isError(frame_left_))
        throw Trouble{fmt::format("the zstd content is damaged ({}): download or write it again",
                                  ZSTD_getErrorName(frame_left_))};
      more_output_ = frame_left_ != 0 && out.pos == out.size;
    }
    return out.pos;
  }

 private:
  std::unique_ptr<PlainBytes> file_;
  std::vector<char> input_;
  std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  size_t frame_left_ = 0;
  bool more_output_ = false;  // the output was filled, so the decoder may hold more without any input
};

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const std::string& path) {
  auto file = std::make_unique<PlainBytes>(path);
  const std::string first = file->peek(4);
  if (first.starts_with("\x1f\x8b")) return std::make_unique<GzipBytes>(std::move(file));
  if (first == "\x28\xb5\x2f\xfd") return std::make_unique<ZstdBytes>(std::move(file));
  if (!first.empty() && (path.ends_with(".gz") || path.ends_with(".zst")))
    fail(ErrorKind::input, "{}: its name says compressed, but its content is not; download it again or rename it",
         path);
  return file;
}

TextLines::TextLines(const std::string& path) : path_(path), source_(open_bytes(path)), buffer_(kChunk) {
  while (end_ < 3 && refill()) {}
  const std::string_view first(buffer_.data(), end_);
  if (first.starts_with("\xff\xfe") || first.starts_with("\xfe\xff"))
    fail(ErrorKind::input, "{}: is UTF-16; convert it to UTF-8, as with 'iconv -f UTF-16 -t UTF-8'", path);
  if (first.starts_with("\xef\xbb\xbf")) line_end_ = begin_ = 3;
}

std::string TextLines::place() const { return fmt::format("{}:{}", path_, number_); }

// More bytes behind what the current line holds; the line may move. False at the end of the file.
bool TextLines::refill() {
  constexpr size_t kLongest = size_t{256} << 20;
  if (at_end_) return false;
  if (end_ == buffer_.size()) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      line_end_ -= begin_, end_ -= begin_, begin_ = 0;
    } else {
      if (end_ >= kLongest)
        fail(ErrorKind::input,
             "{}:{}: more than {} MiB without an end of line: is it a text file, is a quote left open?", path_, number_,
             kLongest >> 20);
      buffer_.resize(end_ * 2);
    }
  }
  try {
    const size_t n = source_->read(buffer_.data() + end_, buffer_.size() - end_);
    at_end_ = n == 0;
    end_ += n;
  } catch (const ByteSource::Trouble& trouble) {
    const auto more = std::count(buffer_.data() + line_end_, buffer_.data() + end_, '\n');
    fail(ErrorKind::input, "{}: {} (after line {})", path_, trouble.what, line_feeds_ + static_cast<uint64_t>(more));
  }
  return !at_end_;
}

bool TextLines::next(std::string_view& line) {
  begin_ = line_end_;
  if (number_ > 0 && begin_ < end_) ++begin_, ++line_feeds_;  // past the line feed that ended the line before
  line_end_ = begin_;
  number_ = line_feeds_ + 1;
  size_t searched = 0;
  for (;;) {
    const char* from = buffer_.data() + begin_ + searched;
    const void* feed = std::memchr(from, '\n', end_ - begin_ - searched);
    if (feed) {
      line_end_ = static_cast<size_t>(static_cast<const char*>(feed) - buffer_.data());
      break;
    }
    searched = end_ - begin_;
    if (!refill()) {
      line_end_ = end_;
      if (begin_ == end_) return false;
      break;
    }
  }
  line = {buffer_.data() + begin_, line_end_ - begin_};
  return true;
}

bool TextLines::extend(std::string_view& line) {
  if (line_end_ == end_) return false;  // no line feed ended it: the file did
  const size_t before = line_end_ - begin_;
  size_t searched = before + 1;
  for (;;) {
    const void* feed = std::memchr(buffer_.data() + begin_ + searched, '\n', end_ - begin_ - searched);
    if (feed) {
      line_end_ = static_cast<size_t>(static_cast<const char*>(feed) - buffer_.data());
      break;
    }
    searched = end_ - begin_;
    if (!refill()) {
      if (searched == before + 1) return false;
      line_end_ = end_;
      break;
    }
  }
  ++line_feeds_;
  line = {buffer_.data() + begin_, line_end_ - begin_};
  return true;
}

}  // namespace pagoda
