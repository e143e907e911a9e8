#include "data/byte_sink.h"

#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/file.h"

namespace pagoda {

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

}  // namespace

std::unique_ptr<ByteSink> open_sink(const std::string& path) {
  if (path == "-") return std::make_unique<StdoutSink>();
  auto file = std::make_unique<FileSink>(path);
  if (path.ends_with(".gz")) return std::make_unique<GzipSink>(std::move(file));
  if (path.ends_with(".zst")) return std::make_unique<ZstdSink>(std::move(file));
  return file;
}

}  // namespace pagoda
