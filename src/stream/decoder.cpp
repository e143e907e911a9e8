#include "stream/decoder.h"

#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"

namespace pagoda::stream {

namespace {

// Messages as the batches of a reader.
class MessageReader : public formats::Reader {
 public:
  struct Record {
    size_t message;
    uint32_t row;  // of the message
  };

  MessageReader(std::vector<std::string> columns, const Place& place) : columns_(std::move(columns)), place_(place) {}

  // Takes what can be read of the messages; borrows them.
  void read(const std::vector<Message>& messages, RowDecoder& decoder, data::BadRows& bad_rows) {
    messages_ = &messages;
    for (size_t m = 0; m < messages.size(); ++m) {
      const auto rows = rows_of(decoder, messages[m]);
      if (!rows) {
        bad_rows.report([&] { return place_(messages[m]); }, why_not_);
        why_no_row_.emplace_back(m, why_not_);
      }
      rows_of_message_.push_back(rows.value_or(0));
      for (uint32_t row = 0; row < rows_of_message_.back(); ++row) records_.push_back({m, row});
    }
  }

  const std::vector<Record>& records() const { return records_; }
  const std::vector<uint32_t>& rows_of_message() const { return rows_of_message_; }
  // Messages of which no row can be read, and why.
  const std::vector<std::pair<size_t, std::string>>& why_no_row() const { return why_no_row_; }

  const std::vector<std::string>& files() const override { return files_; }
  const std::vector<std::string>& columns() const override { return columns_; }
  files::Format format(size_t) const override { return files::Format::jsonl; }
  bool next(columns::RawBatch& batch) override {
    if (next_ == batches_.size()) return false;
    batch = std::move(batches_[next_++]);
    batch.first_record = given_;
    given_ += batch.rows;
    return true;
  }
  std::string place(size_t, uint64_t record) const override {
    const auto [message, row] = records_[record];
    const auto place = place_((*messages_)[message]);
    return rows_of_message_[message] > 1 ? fmt::format("{}, row {}", place, row + 1) : place;
  }
  const columns::Notices& notices() const override { return notices_; }

 private:
  // Nothing: it has none, and why_not_ says why.
  std::optional<uint32_t> rows_of(RowDecoder& decoder, const Message& message) {
    const size_t batches = batches_.size();
    const uint64_t in_last = batches_.empty() ? 0 : batches_.back().rows;
    try {
      decoder.append(message.value, batches_);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      why_not_ = error.what();
      return std::nullopt;
    }
    uint64_t rows = batches > 0 ? batches_[batches - 1].rows - in_last : 0;
    for (size_t b = batches; b < batches_.size(); ++b) rows += batches_[b].rows;
    return static_cast<uint32_t>(rows);
  }

  std::vector<std::string> files_{"stream"}, columns_;
  const Place& place_;
  const std::vector<Message>* messages_ = nullptr;
  std::vector<columns::RawBatch> batches_;
  std::vector<Record> records_;
  std::vector<uint32_t> rows_of_message_;
  std::vector<std::pair<size_t, std::string>> why_no_row_;
  std::string why_not_;
  size_t next_ = 0;
  uint64_t given_ = 0;  // rows
  columns::Notices notices_;
};

// A row that was to become an event, and is bad. The first one's reason stands for the others.
void count_bad_row(DecodedMessage& message, uint32_t row, const std::string& why) {
  ++message.bad;
  --message.not_positive;
  if (message.reason.empty()) message.reason = message.rows > 1 ? fmt::format("row {}: {}", row + 1, why) : why;
}

}  // namespace

Decoder::Decoder(data::InteractionOptions log, const train::StreamOptions& stream, Place place)
    : options_(std::move(log)), place_(std::move(place)), columns_(data::reading_of(options_).columns),
      rows_(make_row_decoder(stream, columns_)), bad_rows_(options_.bad_rows) {
  if (options_.time.empty())
    fail(ErrorKind::usage, "a stream is learnt in order of time: set data.time to the column of the time");
}

// A message may make a column what no id can be, a list, say. Then each is read alone, so that it spoils no other.
std::vector<DecodedMessage> Decoder::decode(const std::vector<Message>& messages) {
  const auto before = bad_rows_;
  try {
    return decode_together(messages);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    bad_rows_ = before;
  }
  std::vector<DecodedMessage> decoded;
  for (const auto& message : messages) try {
      decoded.push_back(decode_together({message})[0]);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input || bad_rows_.count() > options_.bad_rows.limit) throw;
      if (options_.bad_rows.on_bad_row == data::OnBadRow::fail) throw;
      bad_rows_.report([&] { return place_(message); }, error.what());
      decoded.push_back({.events = {}, .rows = 1, .bad = 1, .reason = error.what()});
    }
  return decoded;
}

std::vector<DecodedMessage> Decoder::decode_together(const std::vector<Message>& messages) {
  std::vector<DecodedMessage> decoded(messages.size());
  auto own = std::make_unique<MessageReader>(columns_, place_);
  own->read(messages, *rows_, bad_rows_);
  const auto records = own->records();
  for (size_t m = 0; m < messages.size(); ++m)  // no events, until they are found to be some
    decoded[m].rows = decoded[m].not_positive = own->rows_of_message()[m];
  for (const auto& [m, why] : own->why_no_row()) decoded[m] = {.events = {}, .rows = 1, .bad = 1, .reason = why};
  auto log = data::log_with_context(options_.context);
  const auto appended = data::append_rows(options_, std::move(own), bad_rows_, log);
  std::vector<bool> is_bad(records.size());
  for (const auto& bad : appended.bad) {
    if (is_bad[bad.record]) continue;
    is_bad[bad.record] = true;
    count_bad_row(decoded[records[bad.record].message], records[bad.record].row, bad.why);
  }
  if (log.size() > 0) {
    std::lock_guard lock(mutex_);
    options_.times = found_.times = log.times;  // in the form of the first
    found_.integer_users &= log.integer_users;
    found_.integer_items &= log.integer_items;
  }
  for (size_t row = 0; row < log.size(); ++row) {
    const auto [m, row_of_message] = records[appended.records[row]];
    Event event{.partition = messages[m].partition,
                .offset = messages[m].offset,
                .row = row_of_message,
                .user = std::string(log.users[log.user[row]]),
                .item = std::string(log.items[log.item[row]]),
                .time_us = log.time_us[row],
                .weight = log.weight_of(row),
                .context = {}};
    for (size_t c = 0; c < log.context.size(); ++c)
      event.context.emplace_back(log.context_values[c][log.context[c][row]]);
    decoded[m].events.push_back(std::move(event));
    --decoded[m].not_positive;
  }
  return decoded;
}

}  // namespace pagoda::stream
