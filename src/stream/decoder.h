// Turns messages into events: what the config says of a log holds for the messages of a stream, too.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "data/interactions.h"
#include "stream/event.h"
#include "stream/messages/row_decoder.h"

namespace pagoda::stream {

// Not thread-safe, but for found().
class Decoder {
 public:
  // log: columns, expressions and bad rows of the log; a time column. stream: the form of the messages. Error{usage}: there
  // is no time column; stream.registry is no URL.
  Decoder(data::InteractionOptions log, const train::StreamOptions& stream, Place place);

  // As RowDecoder::prepare(): first of all for messages that are decoded.
  bool prepare(const std::vector<Message>& messages, const Wait& wait) {
    return rows_->prepare(messages, place_, wait);
  }
  // One for each message, in their order. Bad rows are
  // told and counted, as those of a log are; a message of which no row can be read is one of them. Error{input}: there
  // are more than data.bad_row_limit, or data.on_bad_row = "fail".
  std::vector<DecodedMessage> decode(const std::vector<Message>& messages);

  void count_bad(uint64_t before) { bad_rows_.add(static_cast<int64_t>(before)); }  // of an earlier run
  // Reads times in this form; else the first message with a time decides.
  void set_times(columns::TimeForm times) { options_.times = found_.times = times; }

  // What was found in the messages so far. Any thread may ask.
  struct Found {
    columns::TimeForm times;
    bool integer_users = true, integer_items = true;
  };
  Found found() const {
    std::lock_guard lock(mutex_);
    return found_;
  }

 private:
  std::vector<DecodedMessage> decode_together(const std::vector<Message>& messages);

  data::InteractionOptions options_;
  Place place_;
  std::vector<std::string> columns_;
  std::unique_ptr<RowDecoder> rows_;
  data::BadRows bad_rows_;
  mutable std::mutex mutex_;
  Found found_;
};

}  // namespace pagoda::stream
