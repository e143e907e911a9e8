#include "stream/dead_letters.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>

#include "columns/column.h"
#include "core/error.h"
#include "stream/kafka_client.h"

namespace pagoda::stream {

namespace {

constexpr int kDeadLetterTimeoutMs = 5000;
constexpr int kLookMs = 200;

class File : public DeadLetters {
 public:
  explicit File(std::string path) : path_(std::move(path)) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) refuse();
  }
  ~File() override { ::close(file_); }

  bool keep(const std::vector<DeadLetter>& letters, const std::atomic<bool>&) override {
    std::string lines;
    for (const auto& [message, place, reason] : letters) {
      nlohmann::ordered_json line{{"place", place}, {"reason", reason}};
      if (columns::is_utf8(message->value)) {
        line["message"] = message->value;
      } else {
        std::string hex;
        for (const char c : message->value) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
        line["hex"] = hex;
      }
      // A reason may quote bytes of the message.
      lines += line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    }
    for (std::string_view rest = lines; !rest.empty();) {
      const auto written = ::write(file_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) refuse();
      rest.remove_prefix(static_cast<size_t>(written));
    }
    if (::fsync(file_) != 0) refuse();
    return true;
  }

 private:
  [[noreturn]] void refuse() const {
    fail(ErrorKind::failed, "{}: messages that cannot be learnt cannot be kept there: {}", path_, std::strerror(errno));
  }
  std::string path_;
  int file_ = -1;
};

class Topic : public DeadLetters {
 public:
  Topic(std::string topic, const KafkaOptions& kafka) : topic_(std::move(topic)) {
    KafkaOwned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
    for (const auto& [key, value] : kafka.keys) set_key(conf.get(), key, value);
    set_key(conf.get(), "enable.idempotence", "true");
    set_key(conf.get(), "message.timeout.ms", "0");  // waits as long as the stream itself does
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
      if (message->err) static_cast<Topic*>(self)->error_ = message->err;
    });
    client_ = make_client(RD_KAFKA_PRODUCER, std::move(conf));
    if (count_partitions(client_.get(), topic_, kDeadLetterTimeoutMs) == 0)
      fail(ErrorKind::input, "stream.dead_letters: the broker knows no topic '{}'; create it, or name another", topic_);
  }

  bool keep(const std::vector<DeadLetter>& letters, const std::atomic<bool>& stop) override {
    for (const auto& [message, place, reason] : letters) {
      while (true) {
        const auto error = rd_kafka_producev(
            client_.get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(const_cast<char*>(message->value.data()), message->value.size()),
            RD_KAFKA_V_HEADER("place", place.data(), static_cast<ssize_t>(place.size())),
            RD_KAFKA_V_HEADER("reason", reason.data(), static_cast<ssize_t>(reason.size())), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) refuse(error);
        if (stop) return false;
        rd_kafka_poll(client_.get(), kLookMs);
      }
    }
    while (rd_kafka_flush(client_.get(), kLookMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
      if (stop) {
        rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        return false;
      }
    if (error_) refuse(error_);
    return true;
  }

 private:
  [[noreturn]] void refuse(rd_kafka_resp_err_t error) const {
    fail(ErrorKind::failed, "topic '{}': messages that cannot be learnt cannot be kept there: {}", topic_,
         rd_kafka_err2str(error));
  }
  std::string topic_;
  rd_kafka_resp_err_t error_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // of a delivery; set by flush(), on this thread
  KafkaOwned<rd_kafka_t> client_;
};

}  // namespace

std::unique_ptr<DeadLetters> dead_letter_file(const std::string& path) { return std::make_unique<File>(path); }

std::unique_ptr<DeadLetters> dead_letter_topic(const std::string& topic, const KafkaOptions& kafka) {
  return std::make_unique<Topic>(topic, kafka);
}

}  // namespace pagoda::stream
