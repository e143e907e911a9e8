// Messages for a person, to stderr; stdout belongs to results.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace pagoda {

enum class LogLevel { debug, info, warning, error };

void set_log_level(LogLevel least);
void log_message(LogLevel level, std::string_view message);
// The same, but each message once per process: for files that are opened several times.
void log_once(LogLevel level, std::string_view message);

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
