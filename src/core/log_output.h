// How messages are written: their form, with or without a time, and events with fields. For programs that run for long.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/log.h"

namespace pagoda {

enum class LogFormat {
  text,   // "warning: the message"
  timed,  // "2024-05-01T10:00:00.123Z warning: the message"
  json,   // {"time": "2024-05-01T10:00:00.123Z", "level": "warning", "message": "the message"}
};

// Of all messages from now on. Not for several threads at once.
void set_log_format(LogFormat format);

struct LogField {
  std::string_view name;
  std::variant<std::string_view, int64_t, double> value;  // a double is written with three decimals
};

// A message with fields: members of the object in JSON, otherwise name=value behind the message. Thread-safe.
void log_event(LogLevel level, std::string_view message, std::span<const LogField> fields);

// While one exists, messages are written by a thread of its own (log_writer.h): a reader of stderr that is stuck keeps
// nobody waiting, and a line says how many lines were dropped. At most one at a time.
class BackgroundLog {
 public:
  BackgroundLog();
  ~BackgroundLog();  // writes what waits
  BackgroundLog(const BackgroundLog&) = delete;
  BackgroundLog& operator=(const BackgroundLog&) = delete;
};

// Private to log.cpp: whether the level is written at all, and writes a message unless it is one for a terminal.
bool logs(LogLevel level);
bool write_formatted(LogLevel level, std::string_view message);

// One line as it is written, without the line end. `us`: since 1970 UTC.
std::string log_line(LogFormat format, int64_t us, LogLevel level, std::string_view message,
                     std::span<const LogField> fields);

}  // namespace pagoda
