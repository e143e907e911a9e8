// Every type that becomes a column, through Arrow and Parquet files, with and without Arrow's schema in the latter.
#include "formats/arrow_types.h"

#include <arrow/extension/bool8.h>
#include <arrow/extension/json.h>
#include <arrow/extension/opaque.h>
#include <arrow/extension/uuid.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <parquet/api/writer.h>
#include <parquet/arrow/writer.h>

#include <cmath>
#include <limits>

#include "columns/conversions.h"
#include "data/interactions.h"
#include "formats/formats_test.h"

namespace pagoda {
namespace {

using EncodedColumns = std::vector<std::string>;
using Array = std::shared_ptr<arrow::Array>;

template <class Builder, class T>
Array array_of(Builder&& builder, const std::vector<std::optional<T>>& values) {
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return *builder.Finish();
}
template <class T>
using Values = std::vector<std::optional<T>>;

class ArrowTypesTest : public files::FilesTest {
 protected:
  struct Read {
    EncodedColumns cells;
    columns::ColumnType type;
    columns::RealPrecision precision;
    columns::Notices notices;
    uint64_t count(std::string_view what) const { return notices.count("x", what); }
  };

  std::string arrow_file(const Array& array) const {
    const auto schema = arrow::schema({arrow::field("x", array->type())});
    auto out = *arrow::io::FileOutputStream::Open(path("x.arrow"));
    auto writer = *arrow::ipc::MakeFileWriter(out, schema);
    EXPECT_TRUE(writer->WriteTable(*arrow::Table::Make(schema, {array})).ok() && writer->Close().ok());
    EXPECT_TRUE(out->Close().ok());
    return path("x.arrow");
  }
  std::string parquet_file(const Array& array, bool with_schema, bool int96 = false) const {
    const auto schema = arrow::schema({arrow::field("x", array->type())});
    auto out = *arrow::io::FileOutputStream::Open(path("x.parquet"));
    parquet::ArrowWriterProperties::Builder how;
    if (with_schema) how.store_schema();
    if (int96) how.enable_deprecated_int96_timestamps();
    EXPECT_TRUE(parquet::arrow::WriteTable(*arrow::Table::Make(schema, {array}), arrow::default_memory_pool(), out,
                                           1 << 20, parquet::default_writer_properties(), how.build())
                    .ok());
    EXPECT_TRUE(out->Close().ok());
    return path("x.parquet");
  }
  // A log whose users are x, and whose items are called the same.
  std::string log_file(const Array& ids) const {
    const auto schema = arrow::schema({arrow::field("x", ids->type()), arrow::field("item", ids->type())});
    auto out = *arrow::io::FileOutputStream::Open(path("log.parquet"));
    EXPECT_TRUE(
        parquet::arrow::WriteTable(*arrow::Table::Make(schema, {ids, ids}), arrow::default_memory_pool(), out).ok());
    EXPECT_TRUE(out->Close().ok());
    return path("log.parquet");
  }
  static Read read(const std::string& name, bool coded = false) {
    formats::ReaderOptions options{{name}};
    options.coded = coded;
    options.columns = {"x"};
    const auto reader = formats::open_reader(options);
    Read read{};
    columns::RawBatch batch;
    std::string scratch;
    while (reader->next(batch)) {
      const auto& column = batch.columns[0];
      read.type = column.type;
      read.precision = column.precision;
      for (size_t row = 0; row < batch.rows; ++row)
        read.cells.emplace_back(column.is_null(row) ? "<null>" : column.as_text(row, scratch));
    }
    read.notices = reader->notices();
    return read;
  }

  void expect(const Array& array, columns::ColumnType type, const EncodedColumns& cells, bool in_parquet = true) const {
    const auto check = [&](const Read& read, const char* how) {
      EXPECT_EQ(read.cells, cells) << array->type()->ToString() << ", " << how;
      EXPECT_EQ(columns::name_of(read.type), columns::name_of(type)) << array->type()->ToString() << ", " << how;
    };
    check(read(arrow_file(array)), "Arrow");
    if (!in_parquet) return;
    for (const bool with_schema : {true, false})
      for (const bool coded : {true, false})
        check(read(parquet_file(array, with_schema), coded),
              with_schema ? "Parquet" : "Parquet without Arrow's schema");
  }
};

using arrow::TimeUnit;

TEST_F(ArrowTypesTest, DecimalsOfEveryWidthAreExact) {
  const auto wide = [](const char* text) { return *arrow::Decimal256::FromString(text); };
  expect(array_of(arrow::Decimal256Builder(arrow::decimal256(76, 0)),
                  Values<arrow::Decimal256>{
                      wide("1700000000123456003"), {}, wide("-99999999999999999999999999999999999999")}),
         columns::ColumnType::decimal, {"1700000000123456003", "<null>", "-99999999999999999999999999999999999999"});
  using arrow::Decimal128;
  expect(array_of(arrow::Decimal128Builder(arrow::decimal128(38, 0)),
                  Values<Decimal128>{Decimal128("1700000000123456000"), Decimal128("1700000000123456003"), {}}),
         columns::ColumnType::integer, {"1700000000123456000", "1700000000123456003", "<null>"});
  for (const auto& prices :
       {array_of(arrow::Decimal128Builder(arrow::decimal128(10, 2)),
                 Values<Decimal128>{Decimal128(35), Decimal128(2000), Decimal128(-999), {}}),
        array_of(arrow::Decimal32Builder(arrow::decimal32(9, 2)),
                 Values<arrow::Decimal32>{arrow::Decimal32(35), arrow::Decimal32(2000), arrow::Decimal32(-999), {}}),
        array_of(arrow::Decimal64Builder(arrow::decimal64(18, 2)),
                 Values<arrow::Decimal64>{arrow::Decimal64(35), arrow::Decimal64(2000), arrow::Decimal64(-999), {}})})
    expect(prices, columns::ColumnType::decimal, {"0.35", "20", "-9.99", "<null>"});
}

TEST_F(ArrowTypesTest, IntegersAreExactToTheEndsOfTheirRange) {
  expect(array_of(arrow::Int64Builder(), Values<int64_t>{INT64_MIN, INT64_MAX, {}}), columns::ColumnType::integer,
         {"-9223372036854775808", "9223372036854775807", "<null>"});
  expect(array_of(arrow::UInt64Builder(), Values<uint64_t>{UINT64_MAX, 7, {}}), columns::ColumnType::decimal,
         {"18446744073709551615", "7", "<null>"});
  expect(array_of(arrow::UInt32Builder(), Values<uint32_t>{UINT32_MAX, {}}), columns::ColumnType::integer,
         {"4294967295", "<null>"});
}

TEST_F(ArrowTypesTest, FloatsAreTheirShortestDecimalsAndNaNIsEmptyAndCounted) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto floats = array_of(arrow::FloatBuilder(), Values<float>{0.1f, 9.99f, 20.f, nan, {}, 16777216.f, nan});
  const EncodedColumns texts{"0.1", "9.99", "20", "<null>", "<null>", "16777216", "<null>"};
  expect(floats, columns::ColumnType::real, texts);
  expect(array_of(arrow::DoubleBuilder(), Values<double>{0.1, 1.0 / 3, 2, nan, {}}), columns::ColumnType::real,
         {"0.1", "0.3333333333333333", "2", "<null>", "<null>"});
  using arrow::util::Float16;
  const auto halves =
      array_of(arrow::HalfFloatBuilder(),
               Values<uint16_t>{Float16(0.1).bits(), Float16(2.0).bits(), Float16(65504.0).bits(), 0x7e00, {}});
  expect(halves, columns::ColumnType::real, {"0.1", "2", "65504", "<null>", "<null>"});
  EXPECT_EQ(read(arrow_file(halves)).precision, columns::RealPrecision::f16);
  for (const auto& name : {arrow_file(floats), parquet_file(floats, true)})
    for (const bool coded : {true, false}) {
      const auto found = read(name, coded);
      EXPECT_EQ(found.precision, columns::RealPrecision::f32);
      EXPECT_EQ(found.count(columns::conversion::kNaN), 2u);
      EXPECT_NE(found.notices.texts()[0].find("row 4"), std::string::npos) << found.notices.texts()[0];
    }
}

TEST_F(ArrowTypesTest, TimesAreRoundedDownOrEmptyWhereMicrosecondsEnd) {
  auto* pool = arrow::default_memory_pool();
  const auto nano = array_of(arrow::TimestampBuilder(arrow::timestamp(TimeUnit::NANO), pool),
                             Values<int64_t>{1714557296123456789, -1, {}, 1714557296123456000});
  expect(nano, columns::ColumnType::time,
         {"2024-05-01T09:54:56.123456Z", "1969-12-31T23:59:59.999999Z", "<null>", "2024-05-01T09:54:56.123456Z"});
  const auto milli = array_of(arrow::TimestampBuilder(arrow::timestamp(TimeUnit::MILLI, "Europe/Berlin"), pool),
                              Values<int64_t>{INT64_MAX, 253402300799000, INT64_MIN});
  expect(milli, columns::ColumnType::time, {"<null>", "9999-12-31T23:59:59Z", "<null>"});
  for (const bool coded : {true, false}) {
    EXPECT_EQ(read(parquet_file(nano, true), coded).count(columns::conversion::kBelowMicrosecond), 2u);
    EXPECT_EQ(read(parquet_file(milli, true), coded).count(columns::conversion::kFarTime), 2u);
  }
  expect(array_of(arrow::Date32Builder(), Values<int32_t>{19844, INT32_MAX, {}}), columns::ColumnType::time,
         {"2024-05-01T00:00:00Z", "<null>", "<null>"});
  expect(array_of(arrow::Time32Builder(arrow::time32(TimeUnit::MILLI), pool), Values<int32_t>{45015500, 0, {}}),
         columns::ColumnType::text, {"12:30:15.5", "00:00:00", "<null>"});
  expect(array_of(arrow::Time64Builder(arrow::time64(TimeUnit::NANO), pool), Values<int64_t>{86399999999999, {}}),
         columns::ColumnType::text, {"23:59:59.999999999", "<null>"});
}

TEST_F(ArrowTypesTest, DurationsAreExactSecondsUnlessParquetHasLostThatTheyAreSome) {
  const auto durations = array_of(arrow::DurationBuilder(arrow::duration(TimeUnit::NANO), arrow::default_memory_pool()),
                                  Values<int64_t>{1500000000, -1, {}, INT64_MIN});
  const EncodedColumns seconds{"1.5", "-0.000000001", "<null>", "-9223372036.854775808"};
  EXPECT_EQ(read(arrow_file(durations)).cells, seconds);
  EXPECT_EQ(read(parquet_file(durations, true), true).cells, seconds);
  EXPECT_EQ(read(parquet_file(durations, false)).cells,
            (EncodedColumns{"1500000000", "-1", "<null>", "-9223372036854775808"}));
}

// As Spark and Impala write times: a Julian day and the nanoseconds of the day.
TEST_F(ArrowTypesTest, TimesOfParquetInt96ReachFurtherThanNanoseconds) {
  const auto name = path("x.parquet");
  const auto node = parquet::schema::GroupNode::Make(
      "schema", parquet::Repetition::REQUIRED,
      {parquet::schema::PrimitiveNode::Make("x", parquet::Repetition::OPTIONAL, parquet::Type::INT96),
       parquet::schema::PrimitiveNode::Make("n", parquet::Repetition::REQUIRED, parquet::Type::INT64)});
  auto out = *arrow::io::FileOutputStream::Open(name);
  auto file = parquet::ParquetFileWriter::Open(out, std::static_pointer_cast<parquet::schema::GroupNode>(node));
  auto* group = file->AppendRowGroup();
  const auto moment = [](int64_t days_since_1970, int64_t nanoseconds) {
    parquet::Int96 value;
    parquet::Int96SetNanoSeconds(value, nanoseconds);
    value.value[2] = static_cast<uint32_t>(days_since_1970 + 2440588);
    return value;
  };
  const parquet::Int96 moments[] = {moment(2932896, 86399000000000), moment(-719162, 0), moment(-2440588, 0),
                                    moment(-2440589, 1000),          moment(0, 1),       moment(1 << 30, 0)};
  const int16_t there[] = {1, 1, 1, 1, 1, 1, 0};
  const int64_t numbers[] = {1, 2, 3, 4, 5, 6, 7};
  static_cast<parquet::Int96Writer*>(group->NextColumn())->WriteBatch(7, there, nullptr, moments);
  static_cast<parquet::Int64Writer*>(group->NextColumn())->WriteBatch(7, nullptr, nullptr, numbers);
  file->Close();
  ASSERT_TRUE(out->Close().ok());
  const EncodedColumns times{"9999-12-31T23:59:59Z",
                             "0001-01-01T00:00:00Z",
                             "-4713-11-24T00:00:00Z",
                             "-4713-11-23T00:00:00.000001Z",
                             "1970-01-01T00:00:00Z",
                             "<null>",
                             "<null>"};
  for (const bool coded : {true, false}) {
    const auto found = read(name, coded);
    EXPECT_EQ(found.cells, times);
    EXPECT_EQ(found.count(columns::conversion::kFarTime), 1u);
    EXPECT_EQ(found.count(columns::conversion::kBelowMicrosecond), 1u);
    EXPECT_EQ(formats::read_rows(name).at(4), (std::vector<std::string>{"1970-01-01T00:00:00Z", "5"}));
  }
}

TEST_F(ArrowTypesTest, AListOfInt96IsLeftOutByItsName) {
  auto times =
      std::make_shared<arrow::TimestampBuilder>(arrow::timestamp(TimeUnit::MICRO), arrow::default_memory_pool());
  arrow::ListBuilder lists(arrow::default_memory_pool(), times);
  ASSERT_TRUE(lists.Append().ok() && times->Append(0).ok());
  const auto name = parquet_file(*lists.Finish(), true, true);
  EXPECT_TRUE(formats::open_reader({{name}})->columns().empty());
  EXPECT_TRUE(files::error_of([&] { read(name); }).says("a list of Parquet INT96"));
}

TEST_F(ArrowTypesTest, UuidsAreTheirUsualText) {
  arrow::FixedSizeBinaryBuilder bytes(arrow::fixed_size_binary(16));
  ASSERT_TRUE(bytes.Append(std::string("\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00", 16)).ok());
  ASSERT_TRUE(bytes.AppendNull().ok() && bytes.Append(std::string(16, 'a')).ok());
  expect(arrow::ExtensionType::WrapArray(arrow::extension::uuid(), *bytes.Finish()), columns::ColumnType::text,
         {"123e4567-e89b-12d3-a456-426614174000", "<null>", "61616161-6161-6161-6161-616161616161"});
}

TEST_F(ArrowTypesTest, BytesOfFixedWidthAreTextOrNothing) {
  arrow::FixedSizeBinaryBuilder bytes(arrow::fixed_size_binary(4));
  ASSERT_TRUE(bytes.Append(std::string("0012")).ok() && bytes.Append(std::string("a\0\0\0", 4)).ok());
  ASSERT_TRUE(bytes.Append(std::string("\xff\xff\xff\xff")).ok());
  const auto array = *bytes.Finish();
  expect(array, columns::ColumnType::text, {"0012", "<null>", "<null>"});
  EXPECT_EQ(read(arrow_file(array)).count(columns::conversion::kNoText), 2u);
}

TEST_F(ArrowTypesTest, ExtensionsOfTextAreTextAndOneByteBooleansAreBooleans) {
  const auto words = array_of(arrow::StringBuilder(), Values<std::string>{"{\"a\": 1}", {}});
  expect(arrow::ExtensionType::WrapArray(arrow::extension::json(), words), columns::ColumnType::text,
         {"{\"a\": 1}", "<null>"});
  const auto opaque = arrow::extension::opaque(arrow::utf8(), "point", "a database");
  expect(arrow::ExtensionType::WrapArray(opaque, words), columns::ColumnType::text, {"{\"a\": 1}", "<null>"});
  const auto flags = arrow::ExtensionType::WrapArray(arrow::extension::bool8(),
                                                     array_of(arrow::Int8Builder(), Values<int8_t>{7, 0, {}}));
  for (const auto& name : {arrow_file(flags), parquet_file(flags, true)})
    EXPECT_EQ(read(name).cells, (EncodedColumns{"true", "false", "<null>"}));
  EXPECT_EQ(read(parquet_file(flags, false)).cells, (EncodedColumns{"7", "0", "<null>"}))
      << "what is stored is all that is known";
}

TEST_F(ArrowTypesTest, AnUnknownExtensionIsLeftOutByItsName) {
  const auto numbers = array_of(arrow::Int64Builder(), Values<int64_t>{648, 649});
  const auto field = arrow::field("x", arrow::int64())
                         ->WithMetadata(arrow::key_value_metadata({"ARROW:extension:name", "ARROW:extension:metadata"},
                                                                  {"pandas.period", "M"}));
  const auto schema = arrow::schema({field, arrow::field("user_id", arrow::int64())});
  const auto table = arrow::Table::Make(schema, {numbers, numbers});
  auto out = *arrow::io::FileOutputStream::Open(path("p.parquet"));
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 1 << 20,
                                         parquet::default_writer_properties(),
                                         parquet::ArrowWriterProperties::Builder().store_schema()->build())
                  .ok());
  ASSERT_TRUE(out->Close().ok());
  const auto reader = formats::open_reader({{path("p.parquet")}});
  EXPECT_EQ(reader->columns(), EncodedColumns{"user_id"});
  EXPECT_NE(reader->notices().texts().at(0).find("column 'x': 1 file(s) hold it as pandas.period"), std::string::npos)
      << reader->notices().texts()[0];
  const auto error = files::error_of([&] { read(path("p.parquet")); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says("pandas.period (int64), which cannot be read")) << error.message;
}

TEST_F(ArrowTypesTest, DictionariesAndRunsKeepTheExactValuesAndCountTheirCells) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto words = array_of(arrow::FloatBuilder(), Values<float>{0.1f, nan, 2.f});
  const auto codes = array_of(arrow::Int8Builder(), Values<int8_t>{1, 0, {}, 1, 2});
  const auto coded =
      *arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int8(), arrow::float32()), codes, words);
  const auto found = read(arrow_file(coded->Slice(0)));
  EXPECT_EQ(found.cells, (EncodedColumns{"<null>", "0.1", "<null>", "<null>", "2"}));
  EXPECT_EQ(found.count(columns::conversion::kNaN), 2u);
  EXPECT_EQ(found.precision, columns::RealPrecision::f32);
  const auto runs =
      *arrow::RunEndEncodedArray::Make(5, array_of(arrow::Int32Builder(), Values<int32_t>{2, 3, 5}), words);
  const auto of_runs = read(arrow_file(runs));
  EXPECT_EQ(of_runs.cells, (EncodedColumns{"0.1", "0.1", "<null>", "2", "2"}));
  EXPECT_EQ(of_runs.count(columns::conversion::kNaN), 1u);
}

TEST_F(ArrowTypesTest, ListsAndTheirViewsDropNullsAndNaNsAndCountThem) {
  auto numbers = std::make_shared<arrow::DoubleBuilder>();
  arrow::ListViewBuilder builder(arrow::default_memory_pool(), numbers);
  ASSERT_TRUE(builder.Append(true, 3).ok() && numbers->Append(0.35).ok() && numbers->AppendNull().ok());
  ASSERT_TRUE(numbers->Append(std::numeric_limits<double>::quiet_NaN()).ok());
  ASSERT_TRUE(builder.AppendNull().ok() && builder.Append(true, 0).ok());
  const auto array = *builder.Finish();
  const auto found = read(arrow_file(array));
  EXPECT_EQ(found.cells, (EncodedColumns{"0.35", "<null>", ""}));
  EXPECT_EQ(found.count(columns::conversion::kNullElement), 1u);
  EXPECT_EQ(found.count(columns::conversion::kNaNElement), 1u);
}

const std::string kWritten = PAGODA_TESTS_DIR "/data/formats/";

// Arrow has no 128-bit integers and reads nothing of a file that says it holds some.
TEST_F(ArrowTypesTest, IntegersOf128BitsAsPolarsWritesThemAreExact) {
  for (const auto* name : {"polars_int128.parquet", "polars_int128.arrow", "polars_int128_stream.arrow"}) {
    const auto rows = formats::read_rows(kWritten + name, {"user_id", "big", "most", "x"});
    EXPECT_EQ(
        rows,
        (formats::Rows{{"a", "170141183460469231731687303715884105727", "340282366920938463463374607431768211455", "1"},
                       {"b", "-170141183460469231731687303715884105728", "0", "2"},
                       {"c", "9223372036854775808", "170141183460469231731687303715884105728", "3"},
                       {"d", "-9223372036854775808", "1", "4"},
                       {"e", "5", "2", "5"},
                       {"f", "<null>", "<null>", "6"}}))
        << name;
    EXPECT_EQ(formats::open_reader({{kWritten + name}})->columns(), (EncodedColumns{"user_id", "x", "big", "most"}))
        << name;
  }
}

TEST_F(ArrowTypesTest, ADamagedSchemaIsAnErrorOrReadsAsSomething) {
  for (const auto* name : {"polars_int128.parquet", "polars_int128.arrow", "polars_int128_stream.arrow"}) {
    const auto whole = read_file(kWritten + name);
    const auto copy = path(std::string("damaged_") + name);
    constexpr size_t kSchema = 450;  // so many bytes at the beginning and at the end
    for (size_t at = 0; at < whole.size(); at += 7) {
      if (at >= kSchema && at + kSchema < whole.size()) continue;
      auto bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
      write_file(copy, bytes);
      try {
        const auto reader = formats::open_reader({{copy}});
        for (columns::RawBatch batch; reader->next(batch);) EXPECT_LE(batch.rows, 100u);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
      }
    }
  }
}

TEST_F(ArrowTypesTest, ADuckDBArrayThatIsNullCostsItsOwnColumnAlone) {
  const auto name = kWritten + "duckdb_null_array.parquet";
  EXPECT_EQ(formats::read_rows(name), (formats::Rows{{"a", "<null>"}, {"b", "<null>"}, {"c", "<null>"}}));
  const auto reader = formats::open_reader({{name}});
  columns::RawBatch batch;
  while (reader->next(batch)) {}
  EXPECT_NE(reader->notices().texts().at(0).find("column 'vec': 3 cells cannot be read"), std::string::npos)
      << reader->notices().texts()[0];
  EXPECT_EQ(formats::read_rows(name, {"user_id"}), (formats::Rows{{"a"}, {"b"}, {"c"}}));
  const auto error = files::error_of([&] { formats::read_rows(name, {"user_id", "vec"}); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says("column 'vec' cannot be read") && error.says("cast an ARRAY to a LIST")) << error.message;
}

TEST_F(ArrowTypesTest, AStoredSchemaThatCanNotBeReadIsDoneWithout) {
  const auto name = parquet_file(array_of(arrow::Int64Builder(), Values<int64_t>{7, 8}), true);
  auto bytes = read_file(name);
  const auto schema = bytes.find("/////", bytes.find("ARROW:schema"));  // how the base64 of a message begins
  ASSERT_NE(schema, std::string::npos);
  write_file(name, bytes.replace(schema, 8, "!!!!!!!!"));
  const auto found = read(name);
  EXPECT_EQ(found.cells, (EncodedColumns{"7", "8"}));
  ASSERT_EQ(found.notices.texts().size(), 1u);
  EXPECT_NE(found.notices.texts()[0].find("1 file(s) hold an Arrow schema that cannot be read"), std::string::npos);
}

TEST_F(ArrowTypesTest, LargeFloatsAsIdsAreCountedAsPerhapsRounded) {
  const auto ids = array_of(arrow::DoubleBuilder(), Values<double>{9007199254740992.0, 9007199254740991.0, -1e300});
  testing::internal::CaptureStderr();
  const auto log = data::load_interactions({.paths = {log_file(ids)}, .user = "x", .item = "item"});
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(log.size(), 3u);
  EXPECT_NE(said.find("column 'x': 2 ids are floating-point numbers so large"), std::string::npos) << said;
}

TEST_F(ArrowTypesTest, IdsThatOnlyADecimalHoldsAreNotMerged) {
  arrow::Decimal128Builder builder(arrow::decimal128(38, 0));
  const auto first = *arrow::Decimal128::FromString("1700000000123456000");
  for (int row = 0; row < 60; ++row) ASSERT_TRUE(builder.Append(first + row % 4).ok());
  const auto log = data::load_interactions({.paths = {log_file(*builder.Finish())}, .user = "x", .item = "item"});
  ASSERT_EQ(log.users.size(), 4u);
  EXPECT_EQ(log.users.find("1700000000123456003"), 3u);
}

TEST_F(ArrowTypesTest, AnIdThatIsNaNIsABadRow) {
  const auto ids = array_of(arrow::DoubleBuilder(), Values<double>{7, std::nan(""), 8});
  data::InteractionOptions options{.paths = {log_file(ids)}, .user = "x", .item = "item"};
  const auto error = files::error_of([&] { data::load_interactions(options); });
  EXPECT_TRUE(error.says("row 2: column 'x' is empty, expected an id, not null or NaN")) << error.message;
  options.bad_rows.on_bad_row = data::OnBadRow::skip;
  const auto log = data::load_interactions(options);
  EXPECT_EQ(log.size(), 2u);
  EXPECT_NE(log.users.find("7"), columns::Interner::kNone);
}

}  // namespace
}  // namespace pagoda
