// Turns messages into events: what the config says of a log holds for the messages of a stream, too.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "data/interactions.h"
#include "stream/event.h"

namespace pagoda::stream {

// Not thread-safe, but for found().
class Decoder {
 public:
  // `place` names a message in the words of its source.
  using Place = std::function<std::string(const Message&)>;
  // options: columns, expressions and bad rows of the log; a time column. Error{usage}: there is none.
  Decoder(data::InteractionOptions options, Place place);

  // One for each message, in their order. Each message is one JSON object. Bad ones are told and counted, as those of a
  // log are. Error{input}: there are more than data.bad_row_limit, or data.on_bad_row = "fail".
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
  formats::ReaderOptions reading_;
  Place place_;
  data::BadRows bad_rows_;
  mutable std::mutex mutex_;
  Found found_;
};

}  // namespace pagoda::stream
