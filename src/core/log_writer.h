// Lines to a file descriptor from a thread of its own: a reader that is slow, or stuck, keeps no caller waiting.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace pagoda {

// Thread-safe.
class LogWriter {
 public:
  struct Limits {
    size_t waiting_bytes = 1 << 20;              // of lines that wait; a line beyond it is dropped
    std::chrono::milliseconds last_words{1000};  // how long the destructor waits for the reader
  };
  // The line that tells of `lines` dropped ones, with its line end.
  using Gap = std::function<std::string(uint64_t lines)>;

  // Borrows the descriptor. `gap` stands in the log where lines are missing; it is called on the writer's thread.
  LogWriter(int descriptor, Gap gap, const Limits& limits);
  ~LogWriter();  // writes what waits
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // One line, with its line end. Never waits for the reader.
  void write(std::string_view line);

 private:
  void run();
  bool write_all(std::string_view text);
  bool gave_up() const;

  const int descriptor_;
  const Gap gap_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  uint64_t dropped_ = 0;
  bool ending_ = false;
  std::chrono::steady_clock::time_point ends_;
  std::thread thread_;
};

}  // namespace pagoda
