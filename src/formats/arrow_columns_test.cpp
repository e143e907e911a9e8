#include "formats/arrow_columns.h"

#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>

#include "formats/formats_test.h"

namespace pagoda::formats {
namespace {

template <class Builder, class T>
std::shared_ptr<arrow::Array> array_of(Builder&& builder, const std::vector<std::optional<T>>& values) {
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return *builder.Finish();
}

template <class T>
using Values = std::vector<std::optional<T>>;

columns::Column column_of(const std::shared_ptr<arrow::Array>& array) {
  columns::Column column;
  column.push_text("of the batch before");
  columns::Notices notices;
  read_array(*array, column, {notices, "a.arrow"});
  EXPECT_EQ(column.rows(), static_cast<size_t>(array->length()));
  return column;
}

TEST(ArrowColumns, WholeNumbersOfAnyWidthAreIntegers) {
  for (const auto& array : {array_of(arrow::Int8Builder(), Values<int8_t>{-5, {}, 7}),
                            array_of(arrow::Int32Builder(), Values<int32_t>{-5, {}, 7}),
                            array_of(arrow::Int64Builder(), Values<int64_t>{-5, {}, 7})}) {
    const columns::Column column = column_of(array);
    EXPECT_EQ(column.type, columns::ColumnType::integer);
    EXPECT_EQ(column.integers, (std::vector<int64_t>{-5, 0, 7}));
    EXPECT_EQ(column.valid, (std::vector<uint8_t>{1, 0, 1}));
  }
  EXPECT_EQ(column_of(array_of(arrow::UInt64Builder(), Values<uint64_t>{5})).type, columns::ColumnType::integer);
  std::string scratch;
  const columns::Column large = column_of(array_of(arrow::UInt64Builder(), Values<uint64_t>{5, UINT64_MAX, {}}));
  EXPECT_EQ(large.as_text(1, scratch), "18446744073709551615") << "an id keeps its digits";
  EXPECT_TRUE(large.is_null(2));
}

TEST(ArrowColumns, RealsBooleansAndTextsKeepTheirValues) {
  EXPECT_EQ(column_of(array_of(arrow::FloatBuilder(), Values<float>{0.5f, {}})).reals, (std::vector<double>{0.5, 0}));
  EXPECT_EQ(column_of(array_of(arrow::DoubleBuilder(), Values<double>{1e300})).reals, (std::vector<double>{1e300}));
  const columns::Column flags = column_of(array_of(arrow::BooleanBuilder(), Values<bool>{true, false, {}}));
  EXPECT_EQ(flags.type, columns::ColumnType::boolean);
  EXPECT_EQ(flags.integers, (std::vector<int64_t>{1, 0, 0}));
  std::string scratch;
  for (const auto& array : {array_of(arrow::StringBuilder(), Values<std::string>{"a", {}, ""}),
                            array_of(arrow::LargeStringBuilder(), Values<std::string>{"a", {}, ""})}) {
    const columns::Column texts = column_of(array);
    EXPECT_EQ(texts.as_text(0, scratch), "a");
    EXPECT_TRUE(texts.is_null(1));
    EXPECT_FALSE(texts.is_null(2));
  }
}

TEST(ArrowColumns, TimestampsOfEveryUnitAndDatesAreMicroseconds) {
  using arrow::TimeUnit;
  constexpr int64_t kMoment = 1714557600000000;
  auto* pool = arrow::default_memory_pool();
  for (const auto& [unit, value] :
       std::vector<std::pair<TimeUnit::type, int64_t>>{{TimeUnit::SECOND, kMoment / 1000000},
                                                       {TimeUnit::MILLI, kMoment / 1000},
                                                       {TimeUnit::MICRO, kMoment},
                                                       {TimeUnit::NANO, kMoment * 1000}}) {
    const columns::Column column =
        column_of(array_of(arrow::TimestampBuilder(arrow::timestamp(unit), pool), Values<int64_t>{value}));
    EXPECT_EQ(column.type, columns::ColumnType::time);
    EXPECT_EQ(column.integers[0], kMoment);
  }
  const auto before = array_of(arrow::TimestampBuilder(arrow::timestamp(TimeUnit::NANO), pool), Values<int64_t>{-1});
  EXPECT_EQ(column_of(before).integers[0], -1) << "rounded down, also before 1970";
  EXPECT_EQ(column_of(array_of(arrow::Date32Builder(), Values<int32_t>{19844})).integers[0], 1714521600000000);
  EXPECT_EQ(column_of(array_of(arrow::Date64Builder(), Values<int64_t>{1714521600000})).integers[0], 1714521600000000);
}

TEST(ArrowColumns, DictionariesAreReadAsTheirWords) {
  arrow::StringDictionaryBuilder builder;
  for (const char* word : {"b", "a", "b"}) ASSERT_TRUE(builder.Append(word).ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  std::shared_ptr<arrow::Array> array = *builder.Finish();
  std::string scratch;
  const columns::Column column = column_of(array->Slice(1));
  EXPECT_EQ(column.type, columns::ColumnType::text);
  EXPECT_EQ(column.as_text(0, scratch), "a");
  EXPECT_EQ(column.as_text(1, scratch), "b");
  EXPECT_TRUE(column.is_null(2));
}

TEST(ArrowColumns, ListsOfAnythingAreTextsAlsoWhenTheyAreASlice) {
  auto numbers = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), numbers);
  ASSERT_TRUE(builder.Append().ok() && numbers->Append(9).ok());
  ASSERT_TRUE(builder.Append().ok() && numbers->Append(1).ok() && numbers->AppendNull().ok() &&
              numbers->Append(2).ok());
  ASSERT_TRUE(builder.AppendNull().ok() && builder.Append().ok());
  std::shared_ptr<arrow::Array> array = *builder.Finish();
  std::string scratch;
  const columns::Column column = column_of(array->Slice(1));
  EXPECT_EQ(column.type, columns::ColumnType::texts);
  EXPECT_EQ(column.as_text(0, scratch), "1|2");
  EXPECT_TRUE(column.is_null(1));
  EXPECT_EQ(column.as_text(2, scratch), "");
  EXPECT_FALSE(column.is_null(2));
}

class ArrowFilesTest : public files::FilesTest {
 protected:
  // Integer ids, a list and a struct, five rows; in row groups (record batches) of two.
  std::shared_ptr<arrow::Table> table() const {
    const auto ids = array_of(arrow::Int64Builder(), Values<int64_t>{100, 101, 102, 103, 104});
    auto words = std::make_shared<arrow::StringBuilder>();
    arrow::ListBuilder lists(arrow::default_memory_pool(), words);
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(lists.Append().ok() && words->Append("g" + std::to_string(i)).ok() && words->Append("all").ok());
    }
    const std::shared_ptr<arrow::Array> tags = *lists.Finish();
    const std::shared_ptr<arrow::Array> nested = *arrow::StructArray::Make({ids}, std::vector<std::string>{"inner"});
    const auto names = array_of(arrow::StringBuilder(), Values<std::string>{"a", "b", {}, "d", "e"});
    return arrow::Table::Make(
        arrow::schema({arrow::field("nested", nested->type()), arrow::field("tags", tags->type()),
                       arrow::field("item_id", arrow::int64()), arrow::field("name", arrow::utf8())}),
        {nested, tags, ids, names});
  }
  std::string parquet_file() const {
    auto out = *arrow::io::FileOutputStream::Open(path("t.parquet"));
    EXPECT_TRUE(parquet::arrow::WriteTable(*table(), arrow::default_memory_pool(), out, 2).ok());
    EXPECT_TRUE(out->Close().ok());
    return path("t.parquet");
  }
  std::string arrow_file(bool stream) const {
    const auto name = path(stream ? "s.arrow" : "t.arrow");
    auto out = *arrow::io::FileOutputStream::Open(name);
    auto writer = stream ? *arrow::ipc::MakeStreamWriter(out, table()->schema())
                         : *arrow::ipc::MakeFileWriter(out, table()->schema());
    EXPECT_TRUE(writer->WriteTable(*table(), 2).ok() && writer->Close().ok() && out->Close().ok());
    return name;
  }
  const Rows expected_{{"a", "100", "g0|all"},
                       {"b", "101", "g1|all"},
                       {"<null>", "102", "g2|all"},
                       {"d", "103", "g3|all"},
                       {"e", "104", "g4|all"}};
};

TEST_F(ArrowFilesTest, WantedColumnsComeInTheOrderAskedForFromAllRowGroups) {
  for (const auto& name : {parquet_file(), arrow_file(false), arrow_file(true)}) {
    EXPECT_EQ(read_rows(name, {"name", "item_id", "tags"}), expected_) << name;
    EXPECT_EQ(open_reader({{name}})->place(0, 4), name + ": row 5");
  }
}

TEST_F(ArrowFilesTest, BatchesAreNoLongerThanAskedFor) {
  for (const auto& name : {parquet_file(), arrow_file(false), arrow_file(true)}) {
    ReaderOptions options{{name}};
    options.columns = {"item_id"};
    options.batch_rows = 1;
    const auto reader = open_reader(options);
    columns::RawBatch batch;
    for (uint64_t row = 0; row < 5; ++row) {
      ASSERT_TRUE(reader->next(batch));
      EXPECT_EQ(batch.rows, 1u);
      EXPECT_EQ(batch.first_record, row);
      EXPECT_EQ(batch.columns[0].integers[0], static_cast<int64_t>(100 + row));
    }
    EXPECT_FALSE(reader->next(batch));
  }
}

TEST_F(ArrowFilesTest, ATypeThatCannotBeReadIsLeftOutUnlessItIsAskedFor) {
  for (const auto& name : {parquet_file(), arrow_file(false), arrow_file(true)}) {
    const auto reader = open_reader({{name}});
    EXPECT_EQ(reader->columns(), (std::vector<std::string>{"tags", "item_id", "name"}));
    EXPECT_NE(reader->notices().texts().at(0).find("write its fields as columns of their own"), std::string::npos);
    EXPECT_EQ(read_rows(name).at(4), (std::vector<std::string>{"g4|all", "104", "e"}));
    const auto error = files::error_of([&] { read_rows(name, {"nested"}); });
    EXPECT_EQ(error.kind, ErrorKind::input);
    EXPECT_TRUE(error.says("column 'nested' is of type struct")) << error.message;
    EXPECT_TRUE(files::error_of([&] { read_rows(name, {"item"}); }).says("did you mean 'item_id'?"));
  }
}

TEST_F(ArrowFilesTest, ATruncatedFileIsAnErrorThatNamesIt) {
  for (const auto& name : {parquet_file(), arrow_file(false), arrow_file(true)}) {
    const auto whole = read_file(name);
    write_file(name, whole.substr(0, whole.size() / 2));
    const auto error = files::error_of([&] { read_rows(name, {"item_id"}); });
    EXPECT_EQ(error.kind, ErrorKind::input);
    EXPECT_TRUE(error.says(name)) << error.message;
  }
}

}  // namespace
}  // namespace pagoda::formats
