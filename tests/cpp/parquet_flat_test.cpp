#include "formats/parquet_flat.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <fstream>

#include "core/rng.h"
#include "data/interactions.h"
#include "formats/formats_test.h"

namespace pagoda {
namespace {

constexpr int64_t kRows = 3000;

class ParquetFlat : public files::FilesTest {
 protected:
  // value(row) of rows that are not null; every `holes`th is (0: none).
  template <class Builder, class Value>
  void add(const std::string& name, Builder builder, Value value, int64_t holes = 0) {
    for (int64_t row = 0; row < kRows; ++row)
      ASSERT_TRUE((holes && row % holes == 1 ? builder.AppendNull() : builder.Append(value(row))).ok());
    arrays_.push_back(*builder.Finish());
    fields_.push_back(arrow::field(name, arrays_.back()->type(), holes > 0));
  }

  std::string write(const std::shared_ptr<parquet::WriterProperties>& properties, int64_t group_rows = 1100) const {
    auto out = *arrow::io::FileOutputStream::Open(path("f.parquet"));
    EXPECT_TRUE(parquet::arrow::WriteTable(*arrow::Table::Make(arrow::schema(fields_), arrays_),
                                           arrow::default_memory_pool(), out, group_rows, properties)
                    .ok());
    EXPECT_TRUE(out->Close().ok());
    return path("f.parquet");
  }

  void add_all_kinds() {
    const auto moment = [](int64_t row) { return 1714557600123 + row * 7; };
    auto* pool = arrow::default_memory_pool();
    using arrow::TimeUnit;
    add("whole", arrow::Int64Builder(), [](int64_t row) { return row * row - 1000; });
    add("whole?", arrow::Int64Builder(), [](int64_t row) { return row % 5; }, 3);
    add("short?", arrow::Int32Builder(), [](int64_t row) { return static_cast<int32_t>(row - 9); }, 4);
    add("real", arrow::DoubleBuilder(), [](int64_t row) { return static_cast<double>(row) / 3; });
    add("float?", arrow::FloatBuilder(), [](int64_t row) { return static_cast<float>(row) / 4; }, 7);
    add("ms?", arrow::TimestampBuilder(arrow::timestamp(TimeUnit::MILLI, "UTC"), pool), moment, 8);
    add("us", arrow::TimestampBuilder(arrow::timestamp(TimeUnit::MICRO), pool), moment);
    add("ns", arrow::TimestampBuilder(arrow::timestamp(TimeUnit::NANO), pool),
        [](int64_t row) { return row * 999 - 5000; });
    add("few", arrow::StringBuilder(), [](int64_t row) { return "w" + std::to_string(row % 17); });
    add("few?", arrow::StringBuilder(), [](int64_t row) { return "w" + std::to_string(row % 13); }, 2);
    add("bytes?", arrow::LargeBinaryBuilder(), [](int64_t row) { return std::string(row % 6, 'b'); }, 5);
    add("own", arrow::StringBuilder(), [](int64_t row) { return "each its own word, number " + std::to_string(row); });
  }

  arrow::FieldVector fields_;
  arrow::ArrayVector arrays_;
};

using parquet::WriterProperties;

std::vector<std::shared_ptr<WriterProperties>> ways_to_write() {
  return {
      WriterProperties::Builder().build(), WriterProperties::Builder().disable_dictionary()->build(),
      WriterProperties::Builder().dictionary_pagesize_limit(2000)->data_pagesize(500)->write_batch_size(50)->build(),
      WriterProperties::Builder().data_page_version(parquet::ParquetDataPageVersion::V2)->data_pagesize(700)->build()};
}

TEST_F(ParquetFlat, EveryKindReadsAsThroughArrow) {
  add_all_kinds();
  for (const auto& way : ways_to_write()) {
    formats::ReaderOptions options{{write(way)}};
    options.batch_rows = 64;
    const auto expected = formats::read_rows(options);
    ASSERT_EQ(expected.size(), static_cast<size_t>(kRows));
    options.coded = true;
    for (const size_t rows : {1, 64, 777, 5000}) {
      options.batch_rows = rows;
      ASSERT_EQ(formats::read_rows(options), expected) << rows;
    }
    options.columns = {"own", "ms?", "own"};
    const auto some = formats::read_rows(options);
    for (size_t row = 0; row < some.size(); ++row)
      ASSERT_EQ(some[row], (std::vector{expected[row][11], expected[row][5], expected[row][11]}));
  }
}

TEST_F(ParquetFlat, TypesAreThoseOfArrow) {
  add_all_kinds();
  const auto name = write(WriterProperties::Builder().build());
  columns::RawBatch flat, of_arrow;
  formats::ReaderOptions options{{name}};
  formats::open_reader(options)->next(of_arrow);
  options.coded = true;
  formats::open_reader(options)->next(flat);
  for (size_t c = 0; c < flat.columns.size(); ++c) EXPECT_EQ(flat.columns[c].type, of_arrow.columns[c].type) << c;
  EXPECT_TRUE(flat.columns[8].words && flat.columns[9].words) << "as codes";
}

TEST_F(ParquetFlat, WhatIsNestedOrOfAnotherTypeIsLeftToArrow) {
  add_all_kinds();
  add("yes", arrow::BooleanBuilder(), [](int64_t row) { return row % 2 == 0; });
  add("byte", arrow::Int8Builder(), [](int64_t row) { return static_cast<int8_t>(row % 100); });
  const auto name = write(WriterProperties::Builder().build());
  const auto file = parquet::ParquetFileReader::OpenFile(name);
  for (int leaf = 0; leaf < 12; ++leaf)
    EXPECT_TRUE(formats::flat_column(*file->metadata()->schema(), leaf, *fields_[static_cast<size_t>(leaf)]->type()))
        << leaf;
  for (int leaf : {12, 13})
    EXPECT_FALSE(formats::flat_column(*file->metadata()->schema(), leaf, *fields_[static_cast<size_t>(leaf)]->type()))
        << leaf;
  formats::ReaderOptions options{{name}};
  const auto expected = formats::read_rows(options);
  options.coded = true;
  EXPECT_EQ(formats::read_rows(options), expected) << "one such column, and Arrow reads all";
}

TEST_F(ParquetFlat, ADamagedFileIsAnErrorOrReadsAsSomething) {
  add("few?", arrow::StringBuilder(), [](int64_t row) { return "w" + std::to_string(row % 17); }, 3);
  add("us", arrow::Int64Builder(), [](int64_t row) { return row % 40; });
  for (const auto compression : {parquet::Compression::UNCOMPRESSED, parquet::Compression::SNAPPY}) {
    const auto name = write(WriterProperties::Builder().compression(compression)->disable_statistics()->build());
    const auto whole = read_file(name);
    size_t errors = 0;
    for (size_t at = 4; at < whole.size(); at += 3) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
      std::ofstream(name, std::ios::binary) << bytes;
      formats::ReaderOptions options{{name}};
      options.coded = true;
      try {
        const auto reader = formats::open_reader(options);
        for (columns::RawBatch batch; reader->next(batch);) EXPECT_LE(batch.rows, 2u * kRows);
      } catch (const Error& error) {
        ++errors;
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      }
    }
    EXPECT_GT(errors, 100u);
  }
}

// Of Parquet, whole batches are taken column by column; of CSV, row by row.
TEST_F(ParquetFlat, ALogOfIntegersOrCodesIsTheLogOfItsText) {
  constexpr size_t kEvents = 150'000;  // more than two batches
  for (const bool bad : {false, true}) {
    Rng rng(5, Stream::test, bad);
    std::string csv = "user_id,item_id,time,device\n";
    arrow::StringBuilder users, devices;
    arrow::Int64Builder items, times;
    for (size_t row = 0; row < kEvents; ++row) {
      const auto user = bad && row == 100'000 ? std::string() : "u" + std::to_string(rng.below(1 + row / 20));
      const auto device = rng.below(9) ? "d" + std::to_string(rng.below(4)) : std::string();
      const auto item = static_cast<int64_t>(rng.below(5000)) - 2500, time = static_cast<int64_t>(1'600'000'000 + row);
      csv += fmt::format("{},{},{},{}\n", user, item, time, device);
      ASSERT_TRUE(users.Append(user).ok() && items.Append(item).ok() && times.Append(time).ok());
      ASSERT_TRUE((device.empty() && row > kEvents / 2 ? devices.AppendNull() : devices.Append(device)).ok());
    }
    arrays_ = {*users.Finish(), *items.Finish(), *times.Finish(), *devices.Finish()};
    fields_ = {arrow::field("user_id", arrow::utf8()), arrow::field("item_id", arrow::int64()),
               arrow::field("time", arrow::int64()), arrow::field("device", arrow::utf8())};
    data::InteractionOptions options{.paths = {file("log.csv", csv)}, .time = "time", .context = {"device"}};
    options.bad_rows.on_bad_row = data::OnBadRow::skip;
    const auto expected = data::load_interactions(options);
    options.paths = {write(WriterProperties::Builder().build(), 40'000)};
    const auto log = data::load_interactions(options);
    ASSERT_EQ(log.size(), kEvents - bad);
    EXPECT_EQ(log.user, expected.user);
    EXPECT_EQ(log.item, expected.item);
    EXPECT_EQ(log.time_us, expected.time_us);
    EXPECT_EQ(log.context, expected.context);
    EXPECT_EQ(log.users.strings().values, expected.users.strings().values);
    EXPECT_EQ(log.items.strings().values, expected.items.strings().values);
    EXPECT_EQ(log.context_values[0].strings().values, expected.context_values[0].strings().values);
  }
}

}  // namespace
}  // namespace pagoda
