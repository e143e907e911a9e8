// How a server answers: the section [serve] of a config.
#pragma once

#include <cstdint>
#include <string>

#include "core/log_output.h"
#include "core/option_visitor.h"

namespace pagoda::retrieval {

// Where live events come from, beside the call /v1/events: from nowhere, or from the section [stream].
enum class EventSource { calls, kafka, files };

struct ServeOptions {
  std::string http = "127.0.0.1:8080", grpc;
  bool ui = false;
  std::string compare;                         // file; "": no second model
  std::string keys, tls_certificate, tls_key;  // files
  int64_t threads = 0, io_threads = 2;
  // answers
  int64_t k = 1000, timeout_ms = 1000;
  // batches and the queue
  int64_t queue = 1024, batch = 64, batch_wait_us = 500;
  // limits of a request
  int64_t max_k = 10000, max_list = 10000, max_requests = 256, max_filter_kb = 16, max_body_kb = 1024, max_depth = 16;
  // connections
  int64_t connections = 4096, read_timeout_ms = 10000, idle_timeout_ms = 60000;
  // messages
  LogFormat log_format = LogFormat::text;
  bool log_requests = false;
  // life
  int64_t watch_ms = 1000, drain_ms = 1000, merge_added = 10000, max_added = 1000000;
  // live events
  int64_t max_events = 1000000, max_events_of_user = 100;
  EventSource events = EventSource::calls;
  std::string redis, redis_key = "pagoda:events";
};

void describe(OptionVisitor& fields, ServeOptions& options);  // the section [serve]
void validate(const ServeOptions& options);                   // Error{usage}, with the key

}  // namespace pagoda::retrieval
