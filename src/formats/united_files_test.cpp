// Several files as one table.
#include <fmt/format.h>

#include "formats/formats_test.h"
#include "formats/writer.h"

namespace pagoda::formats {
namespace {

class UnitedFilesTest : public files::FilesTest {
 protected:
  std::string parquet(const std::string& name, const std::vector<ColumnSpec>& specs,
                      const columns::RawBatch& batch) const {
    make_folder(std::filesystem::path(path(name)).parent_path().string());
    const auto writer = open_writer(path(name), specs, files::Format::parquet);
    writer->write(batch);
    writer->close();
    return path(name);
  }
  static columns::RawBatch one_row(const std::vector<std::string>& cells) {
    columns::RawBatch batch;
    for (const auto& cell : cells) batch.columns.emplace_back().push_text(cell);
    batch.rows = 1;
    return batch;
  }
  struct Read {
    std::vector<std::string> columns;
    Rows rows;
    std::vector<std::string> notices;
  };
  static Read read(const ReaderOptions& options) {
    const auto reader = open_reader(options);
    Read read{reader->columns(), {}, {}};
    columns::RawBatch batch;
    std::string scratch;
    while (reader->next(batch))
      for (size_t row = 0; row < batch.rows; ++row) {
        auto& cells = read.rows.emplace_back();
        for (const auto& c : batch.columns) cells.emplace_back(c.is_null(row) ? "<null>" : c.as_text(row, scratch));
      }
    read.notices = reader->notices().texts();
    return read;
  }
};

TEST_F(UnitedFilesTest, AColumnOfLaterFilesIsReadAndItsAbsenceCounted) {
  const std::string lacking = "rows come from files without it, and were read as empty";
  const auto a = parquet("1.parquet", {{"user", columns::ColumnType::text}}, one_row({"u1"}));
  const auto b = parquet("2.parquet", {{"device", columns::ColumnType::text}, {"user", columns::ColumnType::text}},
                         one_row({"tv", "u2"}));
  for (const auto& [first, second] :
       {std::pair(a, b), std::pair(file("1.csv", "user\nu1\n"), file("2.csv", "device,user\ntv,u2\n")),
        std::pair(file("1.tsv", "user\nu1\n"), file("2.tsv", "device\tuser\ntv\tu2\n")),
        std::pair(file("1.jsonl", "{\"user\": \"u1\"}\n"),
                  file("2.jsonl", "{\"device\": \"tv\", \"user\": \"u2\"}\n"))}) {
    for (const bool named : {false, true}) {
      ReaderOptions options{{first, second}};
      if (named) options.columns = {"user", "device"};
      options.ahead = options.coded = named;
      const auto all = read(options);
      EXPECT_EQ(all.columns, (std::vector<std::string>{"user", "device"}));
      EXPECT_EQ(all.rows, (Rows{{"u1", "<null>"}, {"u2", "tv"}}));
      EXPECT_EQ(all.notices, (std::vector{fmt::format("column 'device': 1 {} (first at {})", lacking, first)}));
    }
    ReaderOptions options{{first, second}};
    options.columns = options.required = {"user", "device"};
    const auto error = files::error_of([&] { read(options); });
    EXPECT_EQ(error.kind, ErrorKind::input);
    EXPECT_TRUE(error.says(first + ": no column 'device', which '" + second + "' has")) << error.message;
    options.columns = {"user", "devise"};
    EXPECT_TRUE(files::error_of([&] { read(options); }).says("no column 'devise'; did you mean 'device'?"));
  }
}

TEST_F(UnitedFilesTest, ColumnsInAnotherOrderAreReadByName) {
  const auto all =
      read({{file("1.csv", "a,b,c\n1,2,3\n4,5,6\n"), file("2.csv", "c,a,b\n9,7,8\n"), file("3.csv", "b\n0\n")}});
  EXPECT_EQ(all.rows, (Rows{{"1", "2", "3"}, {"4", "5", "6"}, {"7", "8", "9"}, {"<null>", "0", "<null>"}}));
  EXPECT_EQ(read({{path("1.csv"), path("2.csv")}, files::Format::automatic, {"c", "a"}}).rows,
            (Rows{{"3", "1"}, {"6", "4"}, {"9", "7"}}));
}

TEST_F(UnitedFilesTest, AColumnOfAnotherTypeIsSaid) {
  columns::RawBatch numbers;
  numbers.columns.resize(1);
  numbers.columns[0].type = columns::ColumnType::integer;
  numbers.columns[0].push_integer(12);
  numbers.rows = 1;
  const auto a = parquet("1.parquet", {{"item", columns::ColumnType::integer}}, numbers);
  const auto b = parquet("2.parquet", {{"item", columns::ColumnType::text}}, one_row({"0012"}));
  const auto all = read({{a, b}});
  EXPECT_EQ(all.rows, (Rows{{"12"}, {"0012"}}));
  EXPECT_EQ(
      all.notices,
      (std::vector{fmt::format(
          "column 'item': 1 rows come from files that hold text, while '{}' holds numbers (first at {})", a, b)}));
  EXPECT_TRUE(read({{a, file("3.jsonl", "{\"item\": 1.5}\n")}}).notices.empty()) << "numbers of two types meet";
  EXPECT_TRUE(read({{a, file("4.csv", "item\n12\n")}}).notices.empty()) << "CSV has no types";
}

TEST_F(UnitedFilesTest, FoldersOfPartitionsGiveColumns) {
  for (const auto& [name, user] : {std::pair("dt=2024-05-01", "u1"), std::pair("dt=2024-05-02", "u2"),
                                   std::pair("dt=__HIVE_DEFAULT_PARTITION__", "u3")})
    parquet(std::string("h/") + name + "/part-0.parquet", {{"user", columns::ColumnType::text}}, one_row({user}));
  make_folder(path("h/dt=2024-05-02"));
  file("h/_SUCCESS", "");
  const Rows expected{{"u1", "2024-05-01"}, {"u2", "2024-05-02"}, {"u3", "<null>"}};
  EXPECT_EQ(read({{path("h")}}).rows, expected);
  EXPECT_EQ(read({{path("h/*/*.parquet")}}).columns, (std::vector<std::string>{"user", "dt"}));
  ReaderOptions options{{path("h")}};
  options.columns = {"dt"};
  options.coded = options.ahead = true;
  EXPECT_EQ(read(options).rows, (Rows{{"2024-05-01"}, {"2024-05-02"}, {"<null>"}})) << "the key alone";
  options.required = {"dt"};
  EXPECT_EQ(read(options).rows.size(), 3u);
  EXPECT_EQ(read({{path("h/dt=2024-05-01/part-0.parquet")}}).rows, (Rows{{"u1", "2024-05-01"}})) << "one file alone";
}

TEST_F(UnitedFilesTest, AFilesOwnColumnStandsAgainstItsFoldersName) {
  const auto a = parquet("dt=1/a.parquet", {{"dt", columns::ColumnType::text}}, one_row({"2"}));
  const auto read_a = read({{a}});
  EXPECT_EQ(read_a.rows, (Rows{{"2"}}));
  ASSERT_EQ(read_a.notices.size(), 1u);
  EXPECT_NE(read_a.notices[0].find("1 rows are in a folder whose name gives another value"), std::string::npos);
  EXPECT_TRUE(read({{parquet("dt=2/a.parquet", {{"dt", columns::ColumnType::text}}, one_row({"2"}))}}).notices.empty());
}

TEST_F(UnitedFilesTest, EmptyPartsArePassedOverAndSeveralFormatsInAFolderRefused) {
  make_folder(path("s"));
  file("s/part-0.csv", "");
  file("s/part-1.csv", "a\n1\n");
  file("s/part-2.csv", "a\n");
  file("s/part-3.csv.gz", "");
  EXPECT_EQ(read({{path("s")}}).rows, (Rows{{"1"}}));
  file("s/part-4.jsonl", "{\"a\": 2}\n");
  const auto error = files::error_of([&] { read({{path("s")}}); });
  EXPECT_TRUE(error.says("a folder holds files of several formats")) << error.message;
  EXPECT_TRUE(error.says("as in '" + path("s") + "/**/*.csv'")) << error.message;
  EXPECT_EQ(read({{path("s/**/*.csv")}}).rows, (Rows{{"1"}})) << "the remedy works";
  EXPECT_TRUE(
      files::error_of([&] { read({{path("s/part-0.csv"), path("s/part-3.csv.gz")}}); }).says("the file is empty"));
}

TEST_F(UnitedFilesTest, PlacesAreThoseOfTheFiles) {
  ReaderOptions options{{file("1.csv", "a\n1\n"), file("2.csv", "b,a\nx,1\ny,2\n")}};
  const auto reader = open_reader(options);
  EXPECT_EQ(reader->place(1, 1), path("2.csv") + ":3");
}

}  // namespace
}  // namespace pagoda::formats
