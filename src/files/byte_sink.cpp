#include "files/byte_sink.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/lower_case.h"

namespace pagoda::files {

namespace {

class FileSink : public ByteSink {
 public:
  explicit FileSink(const std::string& path) : file_(path) {}
  void write(std::string_view bytes) override { file_.write(bytes); }
  void close() override { file_.commit(); }

 private:
  AtomicFile file_;
};

class StdoutSink : public ByteSink {
 public:
  void write(std::string_view bytes) override {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) failed();
  }
  void close() override {
    if (std::fflush(stdout) != 0) failed();
  }

 private:
  [[noreturn]] static void failed() { fail(ErrorKind::failed, "stdout: writing failed: {}", std::strerror(errno)); }
};

class GzipSink : public ByteSink {
 public:
  explicit GzipSink(std::unique_ptr<ByteSink> to) : to_(std::move(to)), out_(1 << 16) {
    check(deflateInit2(&stream_, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib starts");
  }
  ~GzipSink() override { deflateEnd(&stream_); }
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;

  void write(std::string_view bytes) override { run(bytes, Z_NO_FLUSH); }
  void close() override {
    run({}, Z_FINISH);
    to_->close();
  }

 private:
  void run(std::string_view bytes, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
      stream_.avail_out = static_cast<uInt>(out_.size());
      check(deflate(&stream_, flush) != Z_STREAM_ERROR, "zlib goes on");
      to_->write({out_.data(), out_.size() - stream_.avail_out});
    } while (stream_.avail_out == 0);
  }

  std::unique_ptr<ByteSink> to_;
  std::vector<char> out_;
  z_stream stream_{};
};

class ZstdSink : public ByteSink {
 public:
  explicit ZstdSink(std::unique_ptr<ByteSink> to)
      : to_(std::move(to)), out_(ZSTD_CStreamOutSize()), stream_(ZSTD_createCStream(), &ZSTD_freeCStream) {
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1);
  }
  void write(std::string_view bytes) override { run(bytes, ZSTD_e_continue); }
  void close() override {
    run({}, ZSTD_e_end);
    to_->close();
  }

 private:
  void run(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (size_t left = 1; left != 0;) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      left = ZSTD_compressStream2(stream_.get(), &out, &in, directive);
      check(!ZSTD_isError(left), "zstd goes on");
      to_->write({out_.data(), out.pos});
      if (directive == ZSTD_e_continue) left = in.size - in.pos;
    }
  }

  std::unique_ptr<ByteSink> to_;
  std::vector<char> out_;
  std::unique_ptr<ZSTD_CStream, decltype(&ZSTD_freeCStream)> stream_;
};

// Extensions of compressions that Pagoda does not write.
constexpr std::string_view kUnwritten[] = {".bz2", ".xz",     ".lz4", ".lzma", ".zip", ".7z",
                                           ".br",  ".snappy", ".sz",  ".tgz",  ".z"};

std::string ending_of(const std::string& path) {
  return lower_case(std::string_view(path).substr(std::min(path.rfind('.'), path.size())));
}

bool is_one_of(const std::string& ending, std::span<const std::string_view> known) {
  return std::ranges::find(known, ending) != known.end();
}

}  // namespace

void check_output_name(const std::string& path) {
  if (const auto ending = ending_of(path); is_one_of(ending, kUnwritten))
    fail(ErrorKind::usage, "{}: {} is not written; text is compressed into .gz or .zst", path, ending);
}

std::unique_ptr<ByteSink> open_sink(const std::string& path) {
  if (path == "-") return std::make_unique<StdoutSink>();
  check_output_name(path);
  auto file = std::make_unique<FileSink>(path);
  if (ending_of(path) == ".gz") return std::make_unique<GzipSink>(std::move(file));
  if (ending_of(path) == ".zst") return std::make_unique<ZstdSink>(std::move(file));
  return file;
}

void write_text(const std::string& path, std::string_view text) {
  const auto sink = open_sink(path);
  sink->write(text);
  sink->close();
}

void check_not_compressed(const std::string& path, std::string_view what) {
  const auto ending = ending_of(path);
  if (ending == ".gz" || ending == ".zst" || is_one_of(ending, kUnwritten))
    fail(ErrorKind::usage, "{}: {} is not compressed; leave {} out of its name", path, what, ending);
}

}  // namespace pagoda::files
