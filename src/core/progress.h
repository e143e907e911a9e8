// A progress bar on a terminal; elsewhere a line every few seconds. Always on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pagoda {

// How far a piece of work is, for a host program that draws it itself. The texts live as long as the call.
struct ProgressState {
  std::string_view title, unit, note;
  uint64_t done = 0, total = 0;  // total 0: unknown
  bool ended = false;
};
using ProgressReceiver = std::function<void(const ProgressState& state)>;

// Progress bar("epoch 3/20", rows, "rows"); bar.update(done, "loss 4.1");
// Draws at most ten times a second (a line every 10 s if stderr is not a terminal), so update() may be called often.
// Not thread-safe. The destructor clears an unfinished bar, so an error message starts on a clean line.
class Progress {
 public:
  Progress(std::string title, uint64_t total, std::string_view unit);  // total 0: unknown
  ~Progress();
  void update(uint64_t done, std::string_view note = "");
  void finish(std::string_view note = "");  // leaves nothing on a terminal: the caller reports the result
  static void set_quiet(bool quiet);
  // Takes what would be drawn, ten times a second, from any thread; an empty function: stderr again. Not while a
  // Progress exists.
  static void set_receiver(ProgressReceiver receiver);
  static void clear_line();  // removes a visible bar from the terminal, before a message is written

  // What is drawn after `seconds` with `done` done.
  std::string line_at(uint64_t done, double seconds, std::string_view note) const;

 private:
  void draw(uint64_t done, std::string_view note);
  void end();
  std::string title_, unit_;
  uint64_t total_, done_ = 0;
  std::chrono::steady_clock::time_point start_, drawn_;
  bool terminal_, finished_ = false;
};

// A duration for a person: "1m 20s", "850 ms".
std::string human_duration(double seconds);
// A count for a person: "1.2M", "850".
std::string human_count(double count);

}  // namespace pagoda
