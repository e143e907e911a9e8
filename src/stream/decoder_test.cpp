#include "stream/decoder.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace pagoda::stream {
namespace {

data::InteractionOptions log_options() {
  data::InteractionOptions log;
  log.time = "ts";
  log.context = {"device"};
  log.where = "item_id != 'none'";
  log.bad_rows = {.on_bad_row = data::OnBadRow::skip, .limit = 10};
  return log;
}

Decoder decoder_of(train::MessageForm form, data::InteractionOptions log = log_options()) {
  return {std::move(log), {.messages = form}, [](const Message& m) { return fmt::format("offset {}", m.offset); }};
}

std::vector<Message> messages_of(const std::vector<std::string>& values) {
  std::vector<Message> messages;
  for (const auto& value : values) {
    const auto offset = static_cast<int64_t>(messages.size());
    messages.push_back({.partition = 0, .offset = offset, .next = offset + 1, .value = value});
  }
  return messages;
}

struct Click {
  std::string user, item;
};

// Rows a second apart; a record batch each if `cut`.
std::string arrow_of(const std::vector<Click>& clicks, bool cut) {
  const auto schema = arrow::schema({arrow::field("user_id", arrow::utf8()), arrow::field("item_id", arrow::utf8()),
                                     arrow::field("ts", arrow::timestamp(arrow::TimeUnit::SECOND))});
  arrow::StringBuilder users, items;
  arrow::TimestampBuilder times(schema->field(2)->type(), arrow::default_memory_pool());
  for (const auto& [user, item] : clicks)
    EXPECT_TRUE(users.Append(user).ok() && items.Append(item).ok() && times.Append(1714557600 + times.length()).ok());
  const auto whole = arrow::RecordBatch::Make(schema, static_cast<int64_t>(clicks.size()),
                                              {*users.Finish(), *items.Finish(), *times.Finish()});
  const auto out = *arrow::io::BufferOutputStream::Create();
  const auto writer = *arrow::ipc::MakeStreamWriter(out, schema);
  for (int64_t row = 0; cut && row < whole->num_rows(); ++row)
    EXPECT_TRUE(writer->WriteRecordBatch(*whole->Slice(row, 1)).ok());
  if (!cut) EXPECT_TRUE(writer->WriteRecordBatch(*whole).ok());
  EXPECT_TRUE(writer->Close().ok());
  return (*out->Finish())->ToString();
}

TEST(Decoder, RowsOfAMessageAreEventsInOrderWithTheirPlace) {
  for (const bool cut : {false, true}) {
    auto decoder = decoder_of(train::MessageForm::arrow);
    const auto decoded = decoder.decode(messages_of({arrow_of({{"u", "a"}, {"u", "none"}, {"", "b"}, {"v", "c"}}, cut),
                                                     "no Arrow", arrow_of({}, cut), arrow_of({{"w", "d"}}, cut)}));
    ASSERT_EQ(decoded.size(), 4u);
    EXPECT_EQ(decoded[0].rows, 4u);
    EXPECT_EQ(decoded[0].bad, 1u);
    EXPECT_EQ(decoded[0].not_positive, 1u);
    EXPECT_TRUE(decoded[0].reason.starts_with("row 3: column 'user_id' is empty")) << decoded[0].reason;
    ASSERT_EQ(decoded[0].events.size(), 2u);
    EXPECT_EQ(decoded[0].events[0].row, 0u);
    EXPECT_EQ(decoded[0].events[1].row, 3u);
    EXPECT_EQ(decoded[0].events[1].item, "c");
    EXPECT_EQ(decoded[0].events[1].offset, 0);
    EXPECT_EQ(decoded[0].events[1].time_us, 1714557603000000);
    EXPECT_EQ(decoded[0].events[1].context, std::vector<std::string>{""});  // the column is not there
    EXPECT_EQ(decoded[1].rows, 1u);
    EXPECT_EQ(decoded[1].bad, 1u);
    EXPECT_NE(decoded[1].reason.find("Arrow IPC"), std::string::npos) << decoded[1].reason;
    EXPECT_EQ(decoded[2].rows, 0u);
    EXPECT_EQ(decoded[3].events.at(0).offset, 3);
    EXPECT_EQ(decoded[3].events.at(0).row, 0u);
  }
}

TEST(Decoder, MessagesOfOneFormGiveTheEventsOfAnother) {
  auto arrow = decoder_of(train::MessageForm::arrow), json = decoder_of(train::MessageForm::json);
  const auto of_arrow = arrow.decode(messages_of({arrow_of({{"u", "a"}}, false)}))[0];
  const auto of_json =
      json.decode(messages_of({R"({"user_id": "u", "item_id": "a", "ts": "2024-05-01T10:00:00Z", "x": [1]})"}))[0];
  ASSERT_EQ(of_arrow.events.size(), 1u);
  ASSERT_EQ(of_json.events.size(), 1u);
  EXPECT_EQ(of_arrow.events[0].time_us, of_json.events[0].time_us);
  EXPECT_EQ(of_arrow.events[0].user, of_json.events[0].user);
  EXPECT_EQ(of_arrow.events[0].context, of_json.events[0].context);
}

TEST(Decoder, TheFirstBadRowIsAnErrorWithItsPlaceWhereNoneIsSkipped) {
  auto log = log_options();
  log.bad_rows.on_bad_row = data::OnBadRow::fail;
  auto decoder = decoder_of(train::MessageForm::arrow, log);
  try {
    decoder.decode(messages_of({arrow_of({{"u", "a"}, {"", "b"}}, false)}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(std::string(e.what()).starts_with("offset 0, row 2: column 'user_id' is empty")) << e.what();
  }
}

TEST(Decoder, AMessageThatMakesAColumnAListSpoilsNoOther) {
  auto decoder = decoder_of(train::MessageForm::json);
  const auto decoded =
      decoder.decode(messages_of({R"({"user_id": ["u"], "item_id": "a", "ts": "2024-05-01T10:00:00Z"})",
                                  R"({"user_id": "u", "item_id": "a", "ts": "2024-05-01T10:00:00Z"})"}));
  EXPECT_EQ(decoded[0].bad, 1u);
  EXPECT_EQ(decoded[1].events.size(), 1u);
}

}  // namespace
}  // namespace pagoda::stream
