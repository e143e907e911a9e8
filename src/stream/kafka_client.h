// Private: librdkafka's objects as ours, and its settings by their keys.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

namespace pagoda::stream {

struct KafkaDeleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
template <class T>
using KafkaOwned = std::unique_ptr<T, KafkaDeleter>;

// Error{usage}: librdkafka does not know the key, or refuses the value.
void set_key(rd_kafka_conf_t* conf, const std::string& key, const std::string& value);
// Of the threads of a client that is made with these settings.
void lower_priority_of_threads(rd_kafka_conf_t* conf, int nice);
// Its severe messages become warnings. Error{usage}: what librdkafka refuses about the keys together.
KafkaOwned<rd_kafka_t> make_client(rd_kafka_type_t type, KafkaOwned<rd_kafka_conf_t> conf);
// The number of partitions of a topic; 0: the broker does not know it; -1: no broker answers. Error{failed}: it may not
// be read or written.
int count_partitions(rd_kafka_t* client, const std::string& topic, int timeout_ms);

}  // namespace pagoda::stream
