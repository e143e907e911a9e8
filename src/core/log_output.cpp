#include "core/log_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <shared_mutex>

#include "core/error.h"
#include "core/log_writer.h"
#include "core/printable.h"

namespace pagoda {

namespace {

struct Output {
  LogFormat format = LogFormat::text;
  std::shared_mutex mutex;  // of `writer` as such: it is thread-safe itself
  std::optional<LogWriter> writer;
};

Output& output() {
  static Output only;
  return only;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "info";
}

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string time_text(int64_t us) {
  const std::time_t seconds = us / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, us / 1000 % 1000);
}

std::string field_text(const LogField& field, bool as_json) {
  if (const auto* number = std::get_if<int64_t>(&field.value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&field.value)) return fmt::format("{:.3f}", *number);
  const auto text = std::get<std::string_view>(field.value);
  const bool plain = !text.empty() && text.find_first_of(" \"=\\") == text.npos;
  return as_json || !plain ? json_text(text) : std::string(text);
}

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The one place that writes messages of a form of their own, or of a writer.
void write_line(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  auto& out = output();
  const auto line = log_line(out.format, now_us(), level, printable_lines(message), fields) + "\n";
  const std::shared_lock lock(out.mutex);
  if (out.writer)
    out.writer->write(line);
  else
    std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

std::string log_line(LogFormat format, int64_t us, LogLevel level, std::string_view message,
                     std::span<const LogField> fields) {
  if (format == LogFormat::json) {
    auto line = fmt::format("{{\"time\": \"{}\", \"level\": \"{}\", \"message\": {}", time_text(us), name_of(level),
                            json_text(message));
    for (const auto& field : fields) line += fmt::format(", {}: {}", json_text(field.name), field_text(field, true));
    return line + "}";
  }
  std::string line;
  if (format == LogFormat::timed)
    line = fmt::format("{} {}: ", time_text(us), name_of(level));
  else if (level != LogLevel::info)
    line = fmt::format("{}: ", name_of(level));
  line += message;
  for (const auto& field : fields) line += fmt::format(" {}={}", field.name, field_text(field, false));
  return line;
}

void set_log_format(LogFormat format) { output().format = format; }

bool write_formatted(LogLevel level, std::string_view message) {
  auto& out = output();
  {
    const std::shared_lock lock(out.mutex);
    if (out.format == LogFormat::text && !out.writer) return false;
  }
  write_line(level, message, {});
  return true;
}

void log_event(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  if (logs(level)) write_line(level, message, fields);
}

BackgroundLog::BackgroundLog() {
  auto& out = output();
  const std::unique_lock lock(out.mutex);
  check(!out.writer, "one background log at a time");
  const auto gap = [](uint64_t lines) {
    return log_line(output().format, now_us(), LogLevel::warning,
                    fmt::format("{} lines of the log were dropped: stderr is read too slowly", lines), {}) +
           "\n";
  };
  out.writer.emplace(STDERR_FILENO, gap, LogWriter::Limits());
}

BackgroundLog::~BackgroundLog() {
  auto& out = output();
  const std::unique_lock lock(out.mutex);
  out.writer.reset();
}

}  // namespace pagoda
