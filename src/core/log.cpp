#include "core/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "core/log_output.h"
#include "core/printable.h"
#include "core/progress.h"
#include "core/warnings.h"

namespace pagoda {

namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

// "warning: ", but no prefix for information.
class Prefix : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string_view prefix;
    if (message.level == spdlog::level::debug) prefix = "debug: ";
    if (message.level == spdlog::level::warn) prefix = "warning: ";
    if (message.level == spdlog::level::err) prefix = "error: ";
    out.append(prefix.data(), prefix.data() + prefix.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Prefix>(); }
};

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("pagoda", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>());
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Prefix>('*').set_pattern("%^%*%$%v");
    made.set_formatter(std::move(formatter));
    made.set_level(spdlog::level::info);
    made.flush_on(spdlog::level::debug);
    return made;
  }();
  return instance;
}

constexpr size_t kMostWarnings = 100;

struct Warnings {
  std::mutex mutex;
  std::vector<std::string> texts;
};

Warnings& warnings() {
  static Warnings all;
  return all;
}

struct Receiver {
  std::mutex mutex;
  LogReceiver function;
};

Receiver& receiver() {
  static Receiver only;
  return only;
}

bool give_to_receiver(LogLevel level, std::string_view message) {
  auto& to = receiver();
  const std::lock_guard lock(to.mutex);
  if (to.function) to.function(level, printable_lines(message));
  return static_cast<bool>(to.function);
}

}  // namespace

void set_log_receiver(LogReceiver function) {
  const std::lock_guard lock(receiver().mutex);
  receiver().function = std::move(function);
}

void set_log_level(LogLevel least) { logger().set_level(spdlog_level(least)); }

bool logs(LogLevel level) { return logger().should_log(spdlog_level(level)); }

void log_message(LogLevel level, std::string_view message) {
  if (level == LogLevel::warning) {
    const std::lock_guard lock(warnings().mutex);
    if (auto& texts = warnings().texts; texts.size() < kMostWarnings) texts.emplace_back(message);
  }
  if (!logs(level) || give_to_receiver(level, message) || write_formatted(level, message)) return;
  Progress::clear_line();
  const auto text = printable_lines(message);  // it may quote a file
  logger().log(spdlog_level(level), spdlog::string_view_t(text.data(), text.size()));
}

void log_once(LogLevel level, std::string_view message) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> said;
  const std::lock_guard lock(mutex);
  if (said.emplace(message).second) log_message(level, message);
}

std::vector<std::string> warnings_so_far() {
  const std::lock_guard lock(warnings().mutex);
  return warnings().texts;
}

}  // namespace pagoda
