#include "server/request_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <vector>

#include "core/log_output.h"
#include "core/printable.h"

namespace pagoda::server {

namespace {

constexpr size_t kLongestId = 128, kLongestPath = 200;

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:/+=@").find(c) != std::string_view::npos;
}

}  // namespace

void log_request(const LoggedRequest& request) {
  const auto path = printable(request.path, kLongestPath);
  const std::chrono::duration<double, std::milli> time = SteadyClock::now() - request.began;
  std::vector<LogField> fields{{"protocol", request.protocol},
                               {"method", request.method},
                               {"path", path},
                               {"status", int64_t{request.status}},
                               {"ms", time.count()}};
  if (request.items) fields.push_back({"items", static_cast<int64_t>(*request.items)});
  fields.push_back({"request_id", request.id});
  log_event(request.status >= 500 ? LogLevel::warning : LogLevel::info, "request", fields);
}

std::string request_id(std::string_view given) {
  if (!given.empty() && given.size() <= kLongestId && std::ranges::all_of(given, is_id_character))
    return std::string(given);
  static const uint64_t first = (uint64_t{std::random_device()()} << 32) | std::random_device()();
  static std::atomic<uint64_t> requests{0};
  return fmt::format("{:016x}", first + requests.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace pagoda::server
