#include "files/text_lines.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "files/text_encoding.h"

namespace pagoda::files {

namespace {

constexpr size_t kChunk = 1 << 18, kAhead = 1 << 16;

}  // namespace

TextLines::TextLines(const std::string& path, const std::string& encoding)
    : path_(path == "-" ? "stdin" : path), source_(open_text(path, encoding)), buffer_(kChunk) {
  while (end_ < kAhead && refill()) {}
  const std::string_view first(buffer_.data(), end_);
  if (first.starts_with("\xef\xbb\xbf")) line_end_ = begin_ = 3;
}

std::string TextLines::place() const { return fmt::format("{}:{}", path_, number_); }

// Reads more bytes behind the current line, which may move. False at the end of the file.
bool TextLines::refill() {
  constexpr size_t kLongest = size_t{256} << 20;
  if (at_end_) return false;
  if (end_ == buffer_.size()) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      line_end_ -= begin_;
      end_ -= begin_;
      begin_ = 0;
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
    check_bytes(n);
    end_ += n;
  } catch (const ByteSource::ReadError& error) {
    const auto more = std::count(buffer_.data() + line_end_, buffer_.data() + end_, '\n');
    fail(ErrorKind::input, "{}: {} (after line {})", path_, error.what, line_feeds_ + static_cast<uint64_t>(more));
  }
  return !at_end_;
}

// Checks the n bytes at end_: text holds no NUL, which would end a value early or hide in it.
void TextLines::check_bytes(size_t n) {
  const char* const fresh = buffer_.data() + end_;
  cr_ = cr_ || std::memchr(fresh, '\r', n);
  const auto* nul = static_cast<const char*>(std::memchr(fresh, '\0', n));
  if (!nul) return;
  const auto line =
      line_feeds_ + 1 + static_cast<uint64_t>(std::count<const char*>(buffer_.data() + line_end_, nul, '\n'));
  fail(
      ErrorKind::input,
      "{}:{}: holds a NUL byte: is it UTF-16, or not text? convert it, as with 'iconv -f UTF-16LE -t UTF-8', or remove "
      "the NULs with 'tr -d \"\\000\"'",
      path_, line);
}

bool TextLines::next(std::string_view& line) {
  begin_ = line_end_;
  if (number_ > 0 && begin_ < end_) {
    ++begin_;
    ++line_feeds_;
  }  // past the line feed that ended the line before
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

}  // namespace pagoda::files
