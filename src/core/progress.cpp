#include "core/progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <utility>

#include "core/log.h"

namespace pagoda {

namespace {

std::atomic<bool> quiet{false};
std::atomic<bool> line_shown{false};  // a bar stands on the terminal's current line

ProgressReceiver& progress_receiver() {
  static ProgressReceiver only;
  return only;
}

constexpr size_t kBarCells = 24;

size_t terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// The first `columns` characters of UTF-8 text.
std::string_view cut(std::string_view text, size_t columns) {
  size_t seen = 0;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] & 0xC0) != 0x80 && ++seen > columns) return text.substr(0, i);
  return text;
}

}  // namespace

Progress::Progress(std::string title, uint64_t total, std::string_view unit)
    : title_(std::move(title)), unit_(unit), total_(total), start_(std::chrono::steady_clock::now()), drawn_(start_),
      terminal_(!progress_receiver() && isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (!finished_) end();
}

void Progress::set_receiver(ProgressReceiver function) { progress_receiver() = std::move(function); }

void Progress::end() {
  finished_ = true;
  if (progress_receiver())
    progress_receiver()({.title = title_, .unit = unit_, .note = "", .done = done_, .total = total_, .ended = true});
  else
    clear_line();
}

void Progress::set_quiet(bool on) { quiet = on; }

void Progress::clear_line() {
  if (line_shown.exchange(false)) {
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
  }
}

void Progress::update(uint64_t done, std::string_view note) {
  using namespace std::chrono_literals;
  if (quiet || finished_) return;
  const auto now = std::chrono::steady_clock::now();
  done_ = done;
  if (now - drawn_ < (terminal_ || progress_receiver() ? 100ms : 10000ms)) return;
  drawn_ = now;
  if (progress_receiver())
    return progress_receiver()({.title = title_, .unit = unit_, .note = note, .done = done, .total = total_});
  draw(done, note);
}

void Progress::draw(uint64_t done, std::string_view note) {
  const std::string line = line_at(done, std::chrono::duration<double>(drawn_ - start_).count(), note);
  if (!terminal_) return log_info("{}", line);
  std::fprintf(stderr, "\r%s\x1b[K", std::string(cut(line, terminal_columns() - 1)).c_str());
  std::fflush(stderr);
  line_shown = true;
}

std::string Progress::line_at(uint64_t done, double seconds, std::string_view note) const {
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0.0;
  std::string line = title_ + "  ";
  if (total_ > 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    if (terminal_) {
      const auto full = static_cast<size_t>(part * kBarCells);
      for (size_t i = 0; i < kBarCells; ++i) line += i < full ? "━" : "·";
      line += ' ';
    }
    line += fmt::format("{:3.0f}%  {}/{} {}", std::floor(part * 100), human_count(static_cast<double>(done)),
                        human_count(static_cast<double>(total_)), unit_);
  } else {
    line += fmt::format("{} {}", human_count(static_cast<double>(done)), unit_);
  }
  if (rate > 0) line += fmt::format("  {}/s", human_count(rate));
  if (rate > 0 && done < total_)
    line += fmt::format("  {} left", human_duration(static_cast<double>(total_ - done) / rate));
  if (!note.empty()) line += fmt::format("  {}", note);
  return line;
}

void Progress::finish(std::string_view note) {
  if (finished_) return;
  end();
  if (!note.empty() && !quiet) log_info("{}  {}", title_, note);
}

std::string human_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 9.95) return fmt::format("{:.1f}s", seconds);
  const auto s = static_cast<uint64_t>(std::llround(seconds));
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return s % 60 ? fmt::format("{}m {}s", s / 60, s % 60) : fmt::format("{}m", s / 60);
  const uint64_t minutes = (s + 30) / 60;
  return minutes % 60 ? fmt::format("{}h {}m", minutes / 60, minutes % 60) : fmt::format("{}h", minutes / 60);
}

std::string human_count(double count) {
  static constexpr const char* kSuffixes[] = {"", "k", "M", "G", "T"};
  size_t power = 0;
  while (std::abs(count) >= 999.5 && power < 4) {
    count /= 1000;
    ++power;
  }
  const bool tenths = power > 0 ? std::abs(count) < 99.95 : std::abs(count) < 9.95;
  std::string text = tenths ? fmt::format("{:.1f}", count) : fmt::format("{:.0f}", count);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + kSuffixes[power];
}

}  // namespace pagoda
