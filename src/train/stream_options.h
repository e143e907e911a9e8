// How a model learns from a stream: the section [stream] of a config.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/option_visitor.h"

namespace pagoda::train {

enum class LateEvents : uint8_t { drop, move };
enum class MessageForm : uint8_t { json, arrow, avro, protobuf };

struct StreamOptions {
  std::vector<std::string> files;                          // that grow; folders and globs
  std::string topic;                                       // of Kafka
  std::vector<std::pair<std::string, std::string>> kafka;  // keys of librdkafka
  MessageForm messages = MessageForm::json;                // of Kafka
  std::string registry;                                    // URL; of avro and protobuf
  std::string start = "begin";                             // of Kafka: begin, end, or a time
  bool skip_gaps = false;                                  // of Kafka: messages that were deleted unread
  std::string dead_letters;                                // topic, or of files a file: what cannot be learnt
  // order
  std::string lateness = "0s", idle = "30s";
  LateEvents late = LateEvents::drop;
  std::string max_wait;  // for a whole batch; "": for ever
  // segments
  std::string segment = "10s";
  int64_t segment_rows = 1048576;
  int64_t latest_events = 200;
  std::string forget;
  // judging
  int64_t judged_users = 1000;
  double guard = 0.2;
  // publishing
  std::string publish = "5m";
  int64_t keep = 5;
  std::string http;
};

void describe(OptionVisitor& fields, StreamOptions& options);
void validate(const StreamOptions& options);  // Error{usage}, with the key

}  // namespace pagoda::train
