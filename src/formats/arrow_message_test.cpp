#include "formats/arrow_message.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "core/error.h"

namespace pagoda::formats {
namespace {

// Two record batches, of 2 rows and of 1.
std::string message() {
  const auto schema = arrow::schema({arrow::field("user_id", arrow::utf8()), arrow::field("item_id", arrow::int64()),
                                     arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MILLI)),
                                     arrow::field("nested", arrow::struct_({arrow::field("x", arrow::int32())}))});
  arrow::StringBuilder users;
  arrow::Int64Builder items;
  arrow::TimestampBuilder times(schema->field(2)->type(), arrow::default_memory_pool());
  EXPECT_TRUE(users.AppendValues({"u1", "u2", "u3"}).ok());
  EXPECT_TRUE(items.AppendValues({9007199254740993, -1, 3}).ok());
  EXPECT_TRUE(times.AppendValues({1714557600123, 1714557600124, 1714557600125}).ok());
  const auto whole = arrow::RecordBatch::Make(
      schema, 3,
      {*users.Finish(), *items.Finish(), *times.Finish(), *arrow::MakeArrayOfNull(schema->field(3)->type(), 3)});
  const auto out = *arrow::io::BufferOutputStream::Create();
  const auto writer = *arrow::ipc::MakeStreamWriter(out, schema);
  EXPECT_TRUE(writer->WriteRecordBatch(*whole->Slice(0, 2)).ok());
  EXPECT_TRUE(writer->WriteRecordBatch(*whole->Slice(2)).ok());
  EXPECT_TRUE(writer->Close().ok());
  return (*out->Finish())->ToString();
}

const std::vector<std::string> kNames{"ts", "gone", "user_id", "item_id"};

// The rows that it gives; nothing: it is refused.
std::optional<size_t> rows_of(std::string_view bytes) {
  try {
    size_t rows = 0;
    for (const auto& batch : read_arrow_message(bytes, kNames)) rows += batch.rows;
    return rows;
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    return std::nullopt;
  }
}

TEST(ArrowMessage, GivesItsRecordBatchesWithTheColumnsThatAreAskedFor) {
  const auto batches = read_arrow_message(message(), kNames);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].rows, 2u);
  EXPECT_EQ(batches[1].rows, 1u);
  const auto& columns = batches[0].columns;
  ASSERT_EQ(columns.size(), 4u);
  EXPECT_EQ(columns[0].type, columns::ColumnType::time);
  EXPECT_EQ(columns[0].integers, (std::vector<int64_t>{1714557600123000, 1714557600124000}));
  EXPECT_TRUE(columns[1].is_null(0) && columns[1].is_null(1));
  EXPECT_EQ(columns[1].rows(), 2u);
  EXPECT_EQ(columns[2].text_of(1), "u2");
  EXPECT_EQ(columns[3].integers, (std::vector<int64_t>{9007199254740993, -1}));
  EXPECT_EQ(batches[1].columns[2].text_of(0), "u3");
  EXPECT_EQ(batches[1].columns[3].name, "item_id");
}

TEST(ArrowMessage, APrefixIsRefusedOrEndsBetweenTwoRecordBatches) {
  const auto whole = message();
  std::set<size_t> rows;
  for (size_t n = 0; n < whole.size(); ++n)
    if (const auto some = rows_of(std::string_view(whole).substr(0, n))) rows.insert(*some);
  EXPECT_EQ(rows, (std::set<size_t>{0, 2, 3}));  // without the mark at the end of a stream it is one, too
}

TEST(ArrowMessage, DamagedBytesAreRefusedOrGiveRows) {
  const auto whole = message();
  for (size_t at = 0; at < whole.size(); ++at)
    for (const int other : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(other);
      rows_of(bytes);
    }
}

TEST(ArrowMessage, ATypeThatCannotBeReadIsRefusedWhereItIsAskedFor) {
  try {
    read_arrow_message(message(), {"user_id", "nested"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("column 'nested' is of type struct"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace pagoda::formats
