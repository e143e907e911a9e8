#include "stream/messages/row_decoder.h"

#include <chrono>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "formats/arrow_message.h"
#include "stream/messages/record_decoder.h"
#include "text/json_row.h"

namespace pagoda::stream {

namespace {

// A message is a row.
class OneRowDecoder : public RowDecoder {
 public:
  explicit OneRowDecoder(std::vector<std::string> columns) : columns_(columns), cells_(std::move(columns)) {}

  void append(const std::string& message, std::vector<columns::RawBatch>& batches) final {
    const auto& row = row_of(message);
    if (batches.empty()) {
      batches.emplace_back().columns.resize(columns_.size());
      for (size_t c = 0; c < columns_.size(); ++c) batches[0].columns[c].name = columns_[c];
    }
    cells_.append(row, batches[0].rows, batches[0].columns);
    ++batches[0].rows;
  }

 protected:
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  virtual const text::Row& row_of(const std::string& message) = 0;

  std::vector<std::string> columns_;
  text::RowColumns cells_;
};

class JsonDecoder : public OneRowDecoder {
 public:
  using OneRowDecoder::OneRowDecoder;

 private:
  const text::Row& row_of(const std::string& message) override {
    if (!row_.parse(message)) throw Error(ErrorKind::input, row_.error());
    return row_;
  }
  text::JsonRow row_;
};

class ArrowDecoder : public RowDecoder {
 public:
  explicit ArrowDecoder(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  void append(const std::string& message, std::vector<columns::RawBatch>& batches) override {
    for (auto& batch : formats::read_arrow_message(message, columns_)) batches.push_back(std::move(batch));
  }

 private:
  std::vector<std::string> columns_;
};

// A record after Confluent's head: a byte 0 and the schema's id, big-endian.
class RegistryDecoder : public OneRowDecoder {
 public:
  RegistryDecoder(std::vector<std::string> columns, train::MessageForm form, const std::string& registry)
      : OneRowDecoder(std::move(columns)), avro_(form == train::MessageForm::avro), registry_(registry) {}

  bool prepare(const std::vector<Message>& messages, const Place& place, const Wait& wait) override {
    for (const auto& message : messages) {
      const auto id = id_of(message.value);
      if (!id || is_known(*id)) continue;
      auto answer = registry_.schema(*id, [&] { return place(message); }, wait);
      if (!answer) return false;
      known_[*id] = compiled(*id, *answer);
    }
    return true;
  }

 private:
  using SteadyClock = std::chrono::steady_clock;
  static constexpr size_t kHeadBytes = 5;
  static constexpr uint32_t kLargestId = INT32_MAX;
  static constexpr auto kAskAgain = std::chrono::seconds(60);  // for an id that the registry did not know

  struct Known {
    std::unique_ptr<RecordDecoder> decoder;
    std::string why;  // there is none
    std::optional<SteadyClock::time_point> unknown_since;
  };

  static std::optional<uint32_t> id_of(const std::string& message) {
    if (message.size() < kHeadBytes || message[0] != 0) return std::nullopt;
    uint32_t id = 0;
    for (size_t b = 1; b < kHeadBytes; ++b) id = id << 8 | static_cast<unsigned char>(message[b]);
    return id <= kLargestId ? std::optional(id) : std::nullopt;
  }

  bool is_known(uint32_t id) const {
    const auto found = known_.find(id);
    if (found == known_.end()) return false;
    return !found->second.unknown_since || SteadyClock::now() - *found->second.unknown_since < kAskAgain;
  }

  Known compiled(uint32_t id, const SchemaAnswer& answer) const {
    Known known;
    if (!answer.schema) {
      known.why = answer.why;
      known.unknown_since = SteadyClock::now();
      return known;
    }
    const std::string_view wanted = avro_ ? "AVRO" : "PROTOBUF";
    if (answer.schema->type != wanted) {
      known.why = fmt::format("schema {} is of type {}, and stream.messages says {}", id, answer.schema->type, wanted);
      return known;
    }
    try {
      known.decoder =
          avro_ ? make_avro_decoder(*answer.schema, columns()) : make_protobuf_decoder(*answer.schema, columns());
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::input) throw;
      known.why = fmt::format("schema {}: {}", id, e.what());
    }
    return known;
  }

  const text::Row& row_of(const std::string& message) override {
    if (message.empty()) fail(ErrorKind::input, "is empty, expected a byte 0, the id of a schema and a record");
    if (message[0] != 0)
      fail(ErrorKind::input,
           "begins with the byte {}, and not with 0 and the id of a schema: was it written with a registry?",
           static_cast<unsigned char>(message[0]));
    const auto id = id_of(message);
    if (!id)
      fail(ErrorKind::input, "{}",
           message.size() < kHeadBytes ? "ends within the id of its schema"
                                       : "names a schema whose id is no positive 32-bit number");
    const auto found = known_.find(*id);
    check(found != known_.end(), "a message was prepared");
    if (!found->second.decoder) throw Error(ErrorKind::input, found->second.why);
    row_.clear();
    try {
      found->second.decoder->read(std::string_view(message).substr(kHeadBytes), row_);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::input) throw;
      fail(ErrorKind::input, "{} (schema {})", e.what(), *id);
    }
    return row_;
  }

  bool avro_;
  SchemaRegistry registry_;
  std::unordered_map<uint32_t, Known> known_;
  text::Row row_;
};

}  // namespace

bool RowDecoder::prepare(const std::vector<Message>&, const Place&, const Wait&) { return true; }

std::unique_ptr<RowDecoder> make_row_decoder(const train::StreamOptions& options, std::vector<std::string> columns) {
  switch (options.messages) {
    case train::MessageForm::json: return std::make_unique<JsonDecoder>(std::move(columns));
    case train::MessageForm::arrow: return std::make_unique<ArrowDecoder>(std::move(columns));
    default: return std::make_unique<RegistryDecoder>(std::move(columns), options.messages, options.registry);
  }
}

}  // namespace pagoda::stream
