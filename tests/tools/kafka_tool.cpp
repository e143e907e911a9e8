// What tests and benchmarks do to a broker, over librdkafka:
//
//   kafka_tool BROKER create TOPIC PARTITIONS [KEY=VALUE...]   e.g. retention.ms=1000
//   kafka_tool BROKER grow TOPIC PARTITIONS
//   kafka_tool BROKER delete TOPIC
//   kafka_tool BROKER trim TOPIC PARTITION OFFSET               deletes the messages before an offset
//   kafka_tool BROKER produce TOPIC [RATE]                      lines of stdin: PARTITION, a tab, the message; RATE a second
//   kafka_tool BROKER produce_hex TOPIC                         the same, with messages in hexadecimal digits
//   kafka_tool BROKER consume TOPIC                              what partition 0 holds: a line a message, its headers before it
//   kafka_tool BROKER committed TOPIC GROUP                     a line a partition: the offset that the group committed
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

[[noreturn]] void die(const std::string& why) {
  std::cerr << "kafka_tool: " << why << "\n";
  std::exit(1);
}

// What librdkafka gives away, with the function that takes it back.
template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

Owned<rd_kafka_t> client(rd_kafka_type_t type, const std::string& broker,
                         const std::vector<std::pair<std::string, std::string>>& keys) {
  auto* conf = rd_kafka_conf_new();
  char why[512];
  auto all = keys;
  all.emplace_back("bootstrap.servers", broker);
  for (const auto& [key, value] : all)
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK) die(why);
  auto* made = rd_kafka_new(type, conf, why, sizeof why);
  if (!made) die(why);
  return {made, rd_kafka_destroy};
}

// Waits for the answer to an administrative call, and dies if it is an error.
void finish(rd_kafka_queue_t* queue) {
  const Owned<rd_kafka_event_t> owned(rd_kafka_queue_poll(queue, 15000), rd_kafka_event_destroy);
  auto* event = owned.get();
  if (!event) die("no answer");
  if (rd_kafka_event_error(event)) die(rd_kafka_event_error_string(event));
  size_t n = 0;
  const auto refuse = [&](const rd_kafka_topic_result_t** results) {
    for (size_t i = 0; i < n; ++i)
      if (rd_kafka_topic_result_error(results[i])) die(rd_kafka_topic_result_error_string(results[i]));
  };
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_CREATETOPICS_RESULT:
      return refuse(rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n));
    case RD_KAFKA_EVENT_DELETETOPICS_RESULT:
      return refuse(rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &n));
    case RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT:
      return refuse(rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &n));
    default: return;
  }
}

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

void produce(const std::string& broker, const std::string& topic, double rate, bool hex) {
  const auto owned = client(RD_KAFKA_PRODUCER, broker,
                            {{"enable.idempotence", "true"},
                             {"linger.ms", rate > 0 ? "1" : "20"},
                             {"queue.buffering.max.messages", "200000"}});
  auto* producer = owned.get();
  const Owned<rd_kafka_topic_t> to(rd_kafka_topic_new(producer, topic.c_str(), nullptr), rd_kafka_topic_destroy);
  const auto begin = std::chrono::steady_clock::now();
  std::string line;
  std::ios::sync_with_stdio(false);
  for (uint64_t n = 0; std::getline(std::cin, line); ++n) {
    const auto tab = line.find('\t');
    if (tab == line.npos) die("a line without a tab");
    const auto partition = static_cast<int32_t>(std::stol(line.substr(0, tab)));
    if (rate > 0)
      std::this_thread::sleep_until(begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                std::chrono::duration<double>(static_cast<double>(n) / rate)));
    auto message = line.substr(tab + 1);
    if (hex) message = bytes_of(message);
    while (rd_kafka_produce(to.get(), partition, RD_KAFKA_MSG_F_COPY, message.data(), message.size(), nullptr, 0,
                            nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die(rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(producer, 100);
    }
    rd_kafka_poll(producer, 0);
  }
  if (rd_kafka_flush(producer, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("not all was delivered");
}

void consume(const std::string& broker, const std::string& topic) {
  const auto owned =
      client(RD_KAFKA_CONSUMER, broker,
             {{"group.id", "kafka_tool"}, {"enable.partition.eof", "true"}, {"auto.offset.reset", "error"}});
  auto* consumer = owned.get();
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1),
                                                    rd_kafka_topic_partition_list_destroy);
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer, list.get());
  while (true) {
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(consumer, 15000), rd_kafka_message_destroy);
    if (!message) break;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return;
    if (message->err) die(rd_kafka_message_errstr(message.get()));
    rd_kafka_headers_t* headers = nullptr;
    rd_kafka_message_headers(message.get(), &headers);
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0; headers && !rd_kafka_header_get_all(headers, i, &name, &value, &size); ++i)
      std::cout << name << "=" << std::string(static_cast<const char*>(value), size) << "\t";
    std::cout << std::string(static_cast<const char*>(message->payload), message->len) << "\n";
  }
  die("no answer");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 3) die("BROKER, a command and a topic, as the head of its source says");
  const auto& [broker, command, topic] = std::tie(words[0], words[1], words[2]);
  if (command == "produce" || command == "produce_hex") {
    produce(broker, topic, words.size() > 3 ? std::stod(words[3]) : 0, command == "produce_hex");
    return 0;
  }
  if (command == "consume") {
    consume(broker, topic);
    return 0;
  }
  char why[512];
  if (command == "committed") {
    const auto consumer = client(RD_KAFKA_CONSUMER, broker, {{"group.id", words.at(3)}});
    const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1),
                                                      rd_kafka_topic_partition_list_destroy);
    for (int p = 0; p < 64; ++p) rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p);
    if (const auto error = rd_kafka_committed(consumer.get(), list.get(), 10000)) die(rd_kafka_err2str(error));
    for (int p = 0; p < list->cnt; ++p)
      if (list->elems[p].offset >= 0) std::cout << p << " " << list->elems[p].offset << "\n";
    return 0;
  }
  const auto admin = client(RD_KAFKA_PRODUCER, broker, {});
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(admin.get()), rd_kafka_queue_destroy);
  if (command == "create") {
    auto* made = rd_kafka_NewTopic_new(topic.c_str(), std::stoi(words.at(3)), 1, why, sizeof why);
    if (!made) die(why);
    for (size_t i = 4; i < words.size(); ++i) {
      const auto equals = words[i].find('=');
      rd_kafka_NewTopic_set_config(made, words[i].substr(0, equals).c_str(), words[i].substr(equals + 1).c_str());
    }
    rd_kafka_CreateTopics(admin.get(), &made, 1, nullptr, queue.get());
    rd_kafka_NewTopic_destroy(made);
  } else if (command == "grow") {
    auto* more =
        rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(std::stoul(words.at(3))), why, sizeof why);
    if (!more) die(why);
    rd_kafka_CreatePartitions(admin.get(), &more, 1, nullptr, queue.get());
    rd_kafka_NewPartitions_destroy(more);
  } else if (command == "delete") {
    auto* gone = rd_kafka_DeleteTopic_new(topic.c_str());
    rd_kafka_DeleteTopics(admin.get(), &gone, 1, nullptr, queue.get());
    rd_kafka_DeleteTopic_destroy(gone);
  } else if (command == "trim") {
    auto* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), std::stoi(words.at(3)))->offset = std::stoll(words.at(4));
    auto* trim = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_DeleteRecords(admin.get(), &trim, 1, nullptr, queue.get());
    rd_kafka_DeleteRecords_destroy(trim);
  } else {
    die("no command '" + command + "'");
  }
  finish(queue.get());
  return 0;
}
