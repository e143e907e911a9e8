// Where messages go that cannot be learnt, with the reason: a topic of the stream's own brokers, or a file.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "stream/event.h"
#include "stream/kafka_source.h"

namespace pagoda::stream {

struct DeadLetter {
  const Message* message;
  std::string place, reason;  // "clicks-0, offset 17"; "column 'ts' is empty, expected a time"
};

// One thread at a time calls it.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  // Returns true once all are where they outlive this process and its machine's loss of power; waits for a broker that
  // is away. False: `stop` was set before. After a crash the same letters may come again. Error{failed}: they cannot be
  // kept.
  virtual bool keep(const std::vector<DeadLetter>& letters, const std::atomic<bool>& stop) = 0;
};

// A line each: {"place": ..., "reason": ..., "message": ...}; a message that is no UTF-8 stands as "hex".
std::unique_ptr<DeadLetters> dead_letter_file(const std::string& path);
// The message as it came, with the headers `place` and `reason`. `kafka`: of the stream's source, whose keys hold.
// Error{usage}: as KafkaSource. Error{input}: the broker does not know the topic.
std::unique_ptr<DeadLetters> dead_letter_topic(const std::string& topic, const KafkaOptions& kafka);

}  // namespace pagoda::stream
