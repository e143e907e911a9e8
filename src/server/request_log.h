// The line of the log for each request, where serve.log_requests is on. It names no user and holds nothing of a body.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "server/search_queue.h"

namespace pagoda::server {

struct LoggedRequest {
  std::string_view protocol;      // "http" or "grpc"
  std::string_view method, path;  // as HTTP has them, without the query string; "" where the request was unreadable
  std::string_view id;            // of request_id()
  int status = 200;               // as HTTP has it
  std::optional<size_t> items{};  // that the response holds
  SteadyClock::time_point began;  // when the request began to arrive
};

// To be called when the response is ready. A status of 500 and above is a warning. Thread-safe; waits for no reader.
void log_request(const LoggedRequest& request);

// The id that a client sent, if it is up to 128 letters, digits and - . _ ~ : / + = @; a new one otherwise.
std::string request_id(std::string_view given);

}  // namespace pagoda::server
