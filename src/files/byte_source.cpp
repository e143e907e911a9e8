#include "files/byte_source.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "core/bounded_queue.h"
#include "core/error.h"
#include "files/archive.h"

namespace pagoda::files {

namespace {

constexpr size_t kPieceBytes = 1 << 18;
constexpr const char* kCutShort = "the file ends in the middle: is the download complete?";

class PlainBytes : public ByteSource {
 public:
  explicit PlainBytes(const std::string& path) {
    fd_ = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) fail(ErrorKind::input, "{}: {}", path, errno == ENOENT ? "no such file" : std::strerror(errno));
    struct stat info{};
    if (fstat(fd_, &info) == 0 && S_ISDIR(info.st_mode)) {
      close(fd_);
      fail(ErrorKind::input, "{}: is a folder, not a file", path);
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
      if (errno != EINTR) throw ReadError{fmt::format("cannot be read: {}", std::strerror(errno))};
    }
  }

  // The first bytes; read() returns them again.
  std::string peek(size_t size) {
    std::string bytes(size, '\0');
    size_t n = 0;
    try {
      for (size_t got = 1; n < size && got > 0; n += got) got = read(bytes.data() + n, size - n);
    } catch (const ReadError&) {
      // The first read() fails again, and there the caller names the place.
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
  explicit GzipBytes(std::unique_ptr<PlainBytes> file) : file_(std::move(file)), input_(kPieceBytes) {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }

  bool compressed() const override { return true; }
  size_t read(char* to, size_t size) override {
    state_.next_out = reinterpret_cast<uint8_t*>(to);
    state_.avail_out = static_cast<uint32_t>(size);
    while (state_.avail_out == size) {
      const bool more = state_.avail_in > 0 || refill();
      if (state_.block_state == ISAL_BLOCK_FINISH) {  // another member follows, or zeros that pad a tape
        if (!more) return 0;
        if (*state_.next_in == 0) {
          ++state_.next_in;
          --state_.avail_in;
          continue;
        }
        isal_inflate_reset(&state_);
        state_.crc_flag = ISAL_GZIP;
      }
      if (const int status = isal_inflate(&state_); status < 0)
        throw ReadError{fmt::format("the gzip content is damaged ({}): download or write it again", name_of(status))};
      if (!more && state_.avail_out == size && state_.block_state != ISAL_BLOCK_FINISH) throw ReadError{kCutShort};
    }
    return size - state_.avail_out;
  }

 private:
  bool refill() {
    state_.next_in = reinterpret_cast<uint8_t*>(input_.data());
    state_.avail_in = static_cast<uint32_t>(file_->read(input_.data(), input_.size()));
    return state_.avail_in > 0;
  }

  static std::string_view name_of(int status) {
    switch (status) {
      case ISAL_INVALID_BLOCK: return "invalid block";
      case ISAL_INVALID_SYMBOL: return "invalid symbol";
      case ISAL_INVALID_LOOKBACK: return "invalid distance";
      case ISAL_INCORRECT_CHECKSUM: return "wrong checksum";
      default: return "invalid header";
    }
  }

  std::unique_ptr<PlainBytes> file_;
  std::vector<char> input_;
  inflate_state state_{};
};

class ZstdBytes : public ByteSource {
 public:
  explicit ZstdBytes(std::unique_ptr<PlainBytes> file)
      : file_(std::move(file)), input_(kPieceBytes), stream_(ZSTD_createDStream(), &ZSTD_freeDStream) {}

  bool compressed() const override { return true; }
  size_t read(char* to, size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !more_output_) {
        in_ = {input_.data(), file_->read(input_.data(), input_.size()), 0};
        if (in_.size == 0) {
          if (frame_left_ != 0) throw ReadError{kCutShort};
          return 0;
        }
      }
      frame_left_ = ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (ZSTD_isError(frame_left_))
        throw ReadError{fmt::format("the zstd content is damaged ({}): download or write it again",
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

// Decompresses on a thread of its own, a few chunks ahead of the reader.
class PrefetchedBytes : public ByteSource {
 public:
  explicit PrefetchedBytes(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)), thread_([this] { decompress(); }) {}
  ~PrefetchedBytes() override {
    chunks_.close();
    thread_.join();
  }
  PrefetchedBytes(const PrefetchedBytes&) = delete;
  PrefetchedBytes& operator=(const PrefetchedBytes&) = delete;

  bool compressed() const override { return source_->compressed(); }
  size_t read(char* to, size_t size) override {
    if (at_ == chunk_.size()) {
      auto next = chunks_.pop();
      if (!next) return 0;
      chunk_ = std::move(*next);
      at_ = 0;
    }
    const size_t n = std::min(size, chunk_.size() - at_);
    std::memcpy(to, chunk_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  void decompress() {
    try {
      for (;;) {
        std::vector<char> chunk(kPieceBytes);
        chunk.resize(source_->read(chunk.data(), chunk.size()));
        if (chunk.empty() || !chunks_.push(std::move(chunk))) break;
      }
      chunks_.close();
    } catch (...) {
      chunks_.close(std::current_exception());  // read() throws it after the earlier chunks
    }
  }

  std::unique_ptr<ByteSource> source_;
  BoundedQueue<std::vector<char>> chunks_{4};
  std::vector<char> chunk_;
  size_t at_ = 0;  // the first byte of chunk_ that is not consumed yet
  std::thread thread_;
};

bool compression_in_name(const std::string& path) {
  for (const char* ending : {".gz", ".zst", ".bz2", ".xz", ".lz4"})
    if (path.ends_with(ending)) return true;
  return false;
}

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const std::string& path, bool ahead) {
  std::unique_ptr<ByteSource> packed;
  if (const auto member = split_member_path(path)) {
    packed = open_member(*member);
    const std::string nested = path.ends_with(".gz") ? "gunzip" : path.ends_with(".zst") ? "zstd -d" : "";
    if (!nested.empty())
      fail(ErrorKind::input, "{}: is compressed inside an archive, which is not read; unpack it, as with '{}'", path,
           nested);
  } else {
    auto file = std::make_unique<PlainBytes>(path);
    const std::string first = file->peek(10);
    if (first.starts_with("\x1f\x8b"))
      packed = std::make_unique<GzipBytes>(std::move(file));
    else if (first.starts_with("\x28\xb5\x2f\xfd"))
      packed = std::make_unique<ZstdBytes>(std::move(file));
    else if (!compression_of(first).empty())
      packed = decompress(std::move(file), path);
    if (!packed) {
      if (!first.empty() && compression_in_name(path))
        fail(ErrorKind::input, "{}: its name says compressed, but its content is not; download it again or rename it",
             path);
      return file;
    }
  }
  return ahead ? std::make_unique<PrefetchedBytes>(std::move(packed)) : std::move(packed);
}

}  // namespace pagoda::files
