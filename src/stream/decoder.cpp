#include "stream/decoder.h"

#include <memory>
#include <utility>

#include "core/error.h"
#include "text/json_row.h"

namespace pagoda::stream {

namespace {

// Messages as the one batch of a reader. Record r is message of_record[r].
class MessageReader : public formats::Reader {
 public:
  MessageReader(std::vector<std::string> columns, const Decoder::Place& place)
      : columns_(std::move(columns)), place_(place) {
    batch_.columns.resize(columns_.size());
    for (size_t c = 0; c < columns_.size(); ++c) batch_.columns[c].name = columns_[c];
  }

  // Takes what can be read of the messages; borrows them.
  void read(const std::vector<Message>& messages, data::BadRows& bad_rows) {
    messages_ = &messages;
    text::JsonColumns cells(columns_);
    text::JsonRow row;
    for (size_t m = 0; m < messages.size(); ++m) {
      if (!row.parse(messages[m].value)) {
        bad_rows.report([&] { return place_(messages[m]); }, row.error());
        why_no_row_.emplace_back(m, row.error());
        continue;
      }
      cells.append(row, batch_.rows++, batch_.columns);
      of_record_.push_back(m);
    }
  }

  const std::vector<size_t>& message_of_record() const { return of_record_; }
  // Messages that are no row, and why.
  const std::vector<std::pair<size_t, std::string>>& why_no_row() const { return why_no_row_; }

  const std::vector<std::string>& files() const override { return files_; }
  const std::vector<std::string>& columns() const override { return columns_; }
  files::Format format(size_t) const override { return files::Format::jsonl; }
  bool next(columns::RawBatch& batch) override {
    std::swap(batch, batch_);
    batch_.rows = 0;
    return batch.rows > 0;
  }
  std::string place(size_t, uint64_t record) const override { return place_((*messages_)[of_record_[record]]); }
  const columns::Notices& notices() const override { return notices_; }

 private:
  std::vector<std::string> files_{"stream"}, columns_;
  const Decoder::Place& place_;
  const std::vector<Message>* messages_ = nullptr;
  columns::RawBatch batch_;
  std::vector<size_t> of_record_;
  std::vector<std::pair<size_t, std::string>> why_no_row_;
  columns::Notices notices_;
};

}  // namespace

Decoder::Decoder(data::InteractionOptions options, Place place)
    : options_(std::move(options)), reading_(data::reading_of(options_)), place_(std::move(place)),
      bad_rows_(options_.bad_rows) {
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
  auto own = std::make_unique<MessageReader>(reading_.columns, place_);
  own->read(messages, bad_rows_);
  const auto message_of = own->message_of_record();
  for (const auto& [m, why] : own->why_no_row()) decoded[m] = {.events = {}, .rows = 1, .bad = 1, .reason = why};
  auto log = data::log_with_context(options_.context);
  const auto appended = data::append_rows(options_, std::move(own), bad_rows_, log);
  for (const size_t m : message_of) decoded[m].not_positive = 1;  // unless it becomes an event
  for (const auto& bad : appended.bad)
    decoded[message_of[bad.record]] = {.events = {}, .rows = 1, .bad = 1, .reason = bad.why};
  if (log.size() > 0) {
    std::lock_guard lock(mutex_);
    options_.times = found_.times = log.times;  // in the form of the first
    found_.integer_users &= log.integer_users;
    found_.integer_items &= log.integer_items;
  }
  for (size_t row = 0; row < log.size(); ++row) {
    const size_t m = message_of[appended.records[row]];
    Event event{.partition = messages[m].partition,
                .offset = messages[m].offset,
                .row = 0,
                .user = std::string(log.users[log.user[row]]),
                .item = std::string(log.items[log.item[row]]),
                .time_us = log.time_us[row],
                .weight = log.weight_of(row),
                .context = {}};
    for (size_t c = 0; c < log.context.size(); ++c)
      event.context.emplace_back(log.context_values[c][log.context[c][row]]);
    decoded[m].events.push_back(std::move(event));
    decoded[m].not_positive = 0;
  }
  return decoded;
}

}  // namespace pagoda::stream
