// Messages for a person, to stderr; stdout belongs to results.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <string_view>
#include <utility>

namespace pagoda {

enum class LogLevel { debug, info, warning, error };

void set_log_level(LogLevel least);
void log_message(LogLevel level, std::string_view message);
// The same, but each message once per process: for files that are opened several times.
void log_once(LogLevel level, std::string_view message);

// Takes the messages in place of stderr, from any thread, one at a time; an empty function: stderr again. For a host
// program with a log of its own.
using LogReceiver = std::function<void(LogLevel level, std::string_view message)>;
void set_log_receiver(LogReceiver receiver);

template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace pagoda
