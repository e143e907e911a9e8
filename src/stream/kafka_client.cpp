#include "stream/kafka_client.h"

#include <syslog.h>

#include "core/error.h"
#include "core/log.h"
#include "core/priority.h"

namespace pagoda::stream {

void set_key(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
  char why[512];
  if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK)
    fail(ErrorKind::usage, "[stream.kafka]: {} = \"{}\": {}", key, value, why);
}

void lower_priority_of_threads(rd_kafka_conf_t* conf, int nice) {
  static constexpr const char* kName = "pagoda";
  rd_kafka_conf_interceptor_add_on_new(
      conf, kName,
      [](rd_kafka_t* client, const rd_kafka_conf_t*, void* told, char*, size_t) {
        return rd_kafka_interceptor_add_on_thread_start(
            client, kName,
            [](rd_kafka_t*, rd_kafka_thread_type_t, const char*, void* nice) {
              lower_priority(static_cast<int>(reinterpret_cast<intptr_t>(nice)));
              return RD_KAFKA_RESP_ERR_NO_ERROR;
            },
            told);
      },
      reinterpret_cast<void*>(static_cast<intptr_t>(nice)));
}

KafkaOwned<rd_kafka_t> make_client(rd_kafka_type_t type, KafkaOwned<rd_kafka_conf_t> conf) {
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int level, const char*, const char* text) {
    if (level <= LOG_CRIT) log_warning("Kafka: {}", text);
  });
  char why[512];
  KafkaOwned<rd_kafka_t> client(rd_kafka_new(type, conf.get(), why, sizeof why));
  if (!client) fail(ErrorKind::usage, "[stream.kafka]: {}", why);
  static_cast<void>(conf.release());
  return client;
}

int count_partitions(rd_kafka_t* client, const std::string& name, int timeout_ms) {
  const KafkaOwned<rd_kafka_topic_t> topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
  const rd_kafka_metadata_t* found = nullptr;
  const auto error = rd_kafka_metadata(client, 0, topic.get(), &found, timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return -1;
  const KafkaOwned<const rd_kafka_metadata_t> metadata(found);
  const auto& of = metadata->topics[0];
  if (of.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
  if (of.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    fail(ErrorKind::failed, "topic '{}': {}", name, rd_kafka_err2str(of.err));
  return of.err == RD_KAFKA_RESP_ERR_NO_ERROR ? of.partition_cnt : -1;
}

}  // namespace pagoda::stream
