#include "core/log_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace pagoda {

LogWriter::LogWriter(int descriptor, Gap gap, const Limits& limits)
    : descriptor_(descriptor), gap_(std::move(gap)), limits_(limits), thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    ends_ = std::chrono::steady_clock::now() + limits_.last_words;
  }
  changed_.notify_one();
  thread_.join();
}

void LogWriter::write(std::string_view line) {
  {
    const std::lock_guard lock(mutex_);
    if (dropped_ > 0 || waiting_.size() + line.size() > limits_.waiting_bytes)
      ++dropped_;
    else
      waiting_ += line;
  }
  changed_.notify_one();
}

// The lines that wait are older than those that were dropped: they come first, and the gap after them.
void LogWriter::run() {
  std::string text;
  for (bool open = true;;) {
    uint64_t dropped = 0;
    {
      std::unique_lock lock(mutex_);
      const auto any = [this] { return !waiting_.empty() || dropped_ > 0; };
      changed_.wait(lock, [&] { return ending_ || any(); });
      if (ending_ && (!any() || !open)) return;
      text = std::exchange(waiting_, {});
      dropped = std::exchange(dropped_, 0);
    }
    if (dropped > 0) text += gap_(dropped);
    open = write_all(text);
  }
}

bool LogWriter::gave_up() const {
  const std::lock_guard lock(mutex_);
  return ending_ && std::chrono::steady_clock::now() >= ends_;
}

// A pipe that poll() calls ready takes PIPE_BUF bytes at once, so that this thread can always end. The descriptor is
// not made non-blocking: other processes share it. Returns false if it takes nothing more.
bool LogWriter::write_all(std::string_view text) {
  constexpr int kPatienceMs = 50;
  while (!text.empty()) {
    pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    const int polled = ::poll(&ready, 1, kPatienceMs);
    if (polled == 0 && gave_up()) return false;
    if (polled == 0 || (polled < 0 && errno == EINTR)) continue;
    const auto written = ::write(descriptor_, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace pagoda
