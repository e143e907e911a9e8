// A topic of Kafka. Partitions are assigned by us, never by a group, and begin where the model's checkpoint says.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stream/source.h"
#include "train/stream_options.h"

namespace pagoda::stream {

struct KafkaOptions {
  std::string topic;
  std::vector<std::pair<std::string, std::string>> keys;  // of librdkafka
  // Where a partition begins that the checkpoint does not know at the start: "begin", "end", or a time of the messages. A
  // partition that is added later begins at its first message.
  std::string start = "begin";
  bool skip_gaps = false;  // go on behind messages that the broker has deleted before they were read; else an error
  int nice = 0;            // of librdkafka's threads; 0: as that of the thread that starts them
};

KafkaOptions kafka_options(const train::StreamOptions& options);

// A broker that is away is waited for, with a word when it goes and when it comes back. A partition's offset that the
// broker does not have is an error: nothing begins elsewhere than it was told.
class KafkaSource : public Source {
 public:
  // Error{usage}: a key that librdkafka does not know, or that is ours to set; no bootstrap.servers.
  explicit KafkaSource(KafkaOptions options);
  ~KafkaSource() override;

  // Error{input}: the broker does not know the topic.
  void start(const Offsets& offsets) override;
  void poll(std::chrono::milliseconds wait, std::vector<Message>& messages) override;
  void hold(const std::vector<bool>& partitions) override;
  void rest(std::chrono::milliseconds time) override;
  int64_t begin(uint32_t partition) const override;
  bool at_end(uint32_t partition) const override;
  int64_t lag() const override;
  const std::vector<std::string>& partitions() const override;
  std::string place(uint32_t partition, int64_t offset) const override;
  void committed(const Offsets& offsets, bool last) override;

 private:
  class Consumer;
  std::unique_ptr<Consumer> consumer_;
};

}  // namespace pagoda::stream
