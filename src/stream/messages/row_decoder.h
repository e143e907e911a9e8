// Turns the bytes of messages into rows of columns: one class for each form of a message.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "columns/column.h"
#include "stream/event.h"
#include "stream/messages/schema_registry.h"
#include "train/stream_options.h"

namespace pagoda::stream {

// `place` names a message in the words of its source.
using Place = std::function<std::string(const Message&)>;

// Not thread-safe.
class RowDecoder {
 public:
  virtual ~RowDecoder() = default;
  // Gets what is needed to read the messages, and waits for it as long as it takes. False: `wait` gave up.
  virtual bool prepare(const std::vector<Message>& messages, const Place& place, const Wait& wait);
  // Appends the rows of a message that was prepared: to the last batch, or as more batches. Error{input}: why it has
  // none; then it appends nothing.
  virtual void append(const std::string& message, std::vector<columns::RawBatch>& batches) = 0;
};

// For the columns of these names. Error{usage}: stream.registry is no URL.
std::unique_ptr<RowDecoder> make_row_decoder(const train::StreamOptions& options, std::vector<std::string> columns);

}  // namespace pagoda::stream
