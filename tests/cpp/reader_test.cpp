#include "formats/reader.h"

#include "data/attributes.h"
#include "data/interactions.h"
#include "formats/formats_test.h"
#include "formats/writer.h"

namespace pagoda {
namespace {

using ReaderTest = files::FilesTest;

TEST_F(ReaderTest, CsvCellsComeAsTheyStandInTheFile) {
  const auto csv = file("a.csv", "id,title,n\n1,\"The \"\"Bank\"\", 1915\",3\n2,,007\n");
  EXPECT_EQ(formats::read_rows(csv), (formats::Rows{{"1", "The \"Bank\", 1915", "3"}, {"2", "", "007"}}));
  EXPECT_EQ(formats::read_rows(csv, {"n", "id"}), (formats::Rows{{"3", "1"}, {"007", "2"}}));
}

TEST_F(ReaderTest, CsvOfWindowsWithMarkCrLfBlankLinesAndNoLastLineEndReadsTheSame) {
  const auto csv = file("a.csv", "\xef\xbb\xbfid, title\r\n1,\"a\"\r\n\r\n2,b\r\n3,\"x\r\ny\"\r\n4,\r\n\"5\",z");
  EXPECT_EQ(formats::open_reader({{csv}})->columns(), (std::vector<std::string>{"id", "title"}));
  EXPECT_EQ(formats::read_rows(csv), (formats::Rows{{"1", "a"}, {"2", "b"}, {"3", "x\r\ny"}, {"4", ""}, {"5", "z"}}));
}

TEST_F(ReaderTest, TsvIsSeparatedByTabsAndQuotedLikeCsv) {
  EXPECT_EQ(formats::read_rows(file("a.tsv", "a\tb\n1,5\t\"x\ty\"\n")), (formats::Rows{{"1,5", "x\ty"}}));
}

TEST_F(ReaderTest, ValuesLongerThanAnyBufferComeWhole) {
  const std::string value(3000000, 'v'), quoted = "one\n" + std::string(2000000, 'w') + "\nthree";
  const auto csv = file("a.csv", "a,b\n" + value + ",\"" + quoted + "\"\n1,2\n");
  EXPECT_EQ(formats::read_rows(csv), (formats::Rows{{value, quoted}, {"1", "2"}}));
}

TEST_F(ReaderTest, CompressedFilesReadLikePlainOnes) {
  std::string text = "id,n\n";
  formats::Rows expected;
  for (uint64_t i = 0; i < 100000; ++i) {
    expected.push_back({"u" + std::to_string(i), std::to_string(i * i % 977)});
    text += expected.back()[0] + "," + expected.back()[1] + "\n";
  }
  EXPECT_EQ(formats::read_rows(file("a.csv", text)), expected);
  EXPECT_EQ(formats::read_rows(file("a.csv.gz", text)), expected);
  EXPECT_EQ(formats::read_rows(file("a.csv.zst", text)), expected);
  // Two compressed files one behind the other are one, as `cat a.gz b.gz` makes them.
  for (const std::string end : {".gz", ".zst"}) {
    const auto first = read_file(file("b.csv" + end, "id,n\nu0,")), second = read_file(file("c.csv" + end, "0\n"));
    write_file(path("joined.csv" + end), first + second);
    EXPECT_EQ(formats::read_rows(path("joined.csv" + end)), (formats::Rows{{"u0", "0"}}));
  }
}

TEST_F(ReaderTest, ManyGzipMembersReadAsOneFileWhereverTheyMeet) {
  std::vector<formats::Rows> rows(60);
  std::vector<std::string> members;
  for (uint64_t i = 0; i < rows.size(); ++i) {
    std::string text;
    for (uint64_t k = 0; k < i % 17; ++k) {
      rows[i].push_back({std::to_string(i * 2654435761u + k * k * 40503u)});
      text += rows[i].back()[0] + "\n";
    }
    members.push_back(read_file(file("m.csv.gz", text)));
  }
  // More bytes than any buffer takes, in pieces that end at all places around a buffer's end.
  std::string joined = read_file(file("head.csv.gz", "id\n"));
  formats::Rows expected;
  for (uint64_t i = 0; joined.size() < 4000000; ++i) {
    const auto m = i * i % rows.size();
    joined += members[m];
    expected.insert(expected.end(), rows[m].begin(), rows[m].end());
  }
  write_file(path("joined.csv.gz"), joined + std::string(512, '\0'));
  EXPECT_EQ(formats::read_rows(path("joined.csv.gz")), expected);
  write_file(path("joined.csv.gz"), joined + "what follows is no gzip");
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(path("joined.csv.gz")); }).says("damaged (invalid header)"));
}

TEST_F(ReaderTest, ATruncatedCompressedFileIsAnErrorThatNamesFileAndLine) {
  std::string text = "id,n\n";
  for (uint64_t i = 0; i < 200000; ++i) text += std::to_string(i * 7919 % 1000003) + "," + std::to_string(i) + "\n";
  for (const std::string name : {"cut.csv.gz", "cut.csv.zst"}) {
    const auto whole = read_file(file(name, text));
    write_file(path(name), whole.substr(0, whole.size() * 2 / 3));
    const auto error = files::error_of([&] { formats::read_rows(path(name)); });
    EXPECT_EQ(error.kind, ErrorKind::input);
    EXPECT_TRUE(error.says(path(name) + ": the file ends in the middle: is the download complete? (after line 1"))
        << error.message;
    write_file(path(name), whole.substr(0, 10));
    EXPECT_TRUE(files::error_of([&] { formats::read_rows(path(name)); }).says("ends in the middle"));
  }
}

TEST_F(ReaderTest, DamagedOrMisnamedCompressionIsAnError) {
  auto bytes = read_file(file("a.csv.gz", "id,n\n1,2\n3,4\n"));
  bytes[bytes.size() - 6] ^= 1;  // of the checksum
  write_file(path("a.csv.gz"), bytes);
  EXPECT_TRUE(
      files::error_of([&] { formats::read_rows(path("a.csv.gz")); }).says("a.csv.gz: the gzip content is damaged"));
  write_file(path("b.csv.gz"), "id,n\n1,2\n");
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(path("b.csv.gz")); }).says("its name says compressed"));
  write_file(path("c.csv"), std::string("\xff\xfei\0d\0,", 7));
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(path("c.csv")); }).says("ends in the middle of a character"));
}

TEST_F(ReaderTest, ARowOfAnotherWidthIsAnErrorOfThePhysicalLine) {
  const auto csv = file("a.csv", "id,t\n1,\"two\nlines\"\n\n2,x\n3\n");
  const auto error = files::error_of([&] { formats::read_rows(csv); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says(csv + ":6: 1 value(s), but the header names 2")) << error.message;
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(file("b.csv", "id,t\n1,2,3\n")); }).says("b.csv:2: 3 value(s)"));
}

TEST_F(ReaderTest, AQuoteLeftOpenIsAnErrorOfTheLineThatOpensIt) {
  EXPECT_TRUE(files::error_of([&] {
                formats::read_rows(file("a.csv", "id,t\n1,x\n2,\"open\n3,y\n"));
              }).says("a.csv:3: a quote opens here and is never closed"));
  EXPECT_TRUE(files::error_of([&] {
                formats::read_rows(file("b.csv", "id,t\n1,\"a\"b\n"));
              }).says("b.csv:2: text follows a closing quote"));
  EXPECT_EQ(formats::read_rows(file("c.csv", "id,t\n1,5\" wide\n")), (formats::Rows{{"1", "5\" wide"}}))
      << "a quote within is a quote";
}

TEST_F(ReaderTest, AMissingColumnIsAnErrorThatSuggestsTheNearest) {
  const auto csv = file("a.csv", "user_id,item_id\n1,2\n");
  const auto error = files::error_of([&] { formats::read_rows(csv, {"usr_id"}); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_EQ(error.message, csv + ": no column 'usr_id'; did you mean 'user_id'?");
  EXPECT_TRUE(
      files::error_of([&] { formats::read_rows(file("d.csv", "a,a\n1,2\n")); }).says("two columns are named 'a'"));
}

TEST_F(ReaderTest, FilesThatAreMissingOrEmptyAreErrors) {
  file("clicks.csv", "a\n1\n");
  const auto error = files::error_of([&] { formats::read_rows(path("click.csv")); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_EQ(error.message, path("click.csv") + ": no such file; did you mean '" + path("clicks.csv") + "'?");
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(path("no/x.csv")); }).says("there is no folder"));
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(path("*.tsv")); }).says("*.tsv: no file matches"));
  make_folder(path("dir.csv"));
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(path("dir.csv")); }).says("no file is in this folder"));
  for (const char* name : {"e.csv", "e.jsonl", "e.txt", "e.parquet", "e.arrow", "e.csv.gz"}) {
    const auto empty = files::error_of([&] { formats::read_rows(file(name, "")); });
    EXPECT_EQ(empty.kind, ErrorKind::input) << name;
    EXPECT_TRUE(empty.says(name)) << empty.message;
  }
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(path("e.csv")); }).says("the file is empty"));
}

TEST_F(ReaderTest, AGlobReadsItsFilesInOrderOfName) {
  file("p2.csv", "b,a\n2,1\n");
  file("p1.csv.gz", "a,b\nx,y\n");
  file("p3.jsonl", "{\"a\": 5, \"b\": 6}\n");
  const auto reader = formats::open_reader({{path("p?.*")}});
  EXPECT_EQ(reader->files(), (std::vector<std::string>{path("p1.csv.gz"), path("p2.csv"), path("p3.jsonl")}));
  EXPECT_EQ(formats::read_rows(path("p*")), (formats::Rows{{"x", "y"}, {"1", "2"}, {"5", "6"}}))
      << "columns by the first file";
}

TEST_F(ReaderTest, BatchesAreCutAndNumberedAcrossFiles) {
  formats::ReaderOptions options{{file("a.csv", "n\n1\n2\n3\n"), file("b.csv", "n\n4\n")}};
  options.batch_rows = 2;
  const auto reader = formats::open_reader(options);
  columns::RawBatch batch;
  std::vector<std::vector<uint64_t>> seen;
  while (reader->next(batch)) seen.push_back({batch.file, batch.first_record, batch.rows, batch.columns[0].rows()});
  EXPECT_EQ(seen, (std::vector<std::vector<uint64_t>>{{0, 0, 2, 2}, {0, 2, 1, 1}, {1, 0, 1, 1}}));
  EXPECT_FALSE(reader->next(batch));
}

TEST_F(ReaderTest, ReadAheadBatchesAndErrorsAreTheSame) {
  std::string text = "n\n";
  for (int i = 0; i < 1000; ++i) text += std::to_string(i) + "\n";
  formats::ReaderOptions options{{file("a.csv", text), file("b.csv.gz", text)}};
  options.batch_rows = 7;
  const auto expected = formats::read_rows(options);
  options.ahead = true;
  EXPECT_EQ(formats::read_rows(options), expected);

  options.paths.push_back(file("c.csv", "n\n1\n2,3\n"));
  const auto reader = formats::open_reader(options);
  columns::RawBatch batch;
  size_t rows = 0;
  const auto error = files::error_of([&] {
    while (reader->next(batch)) rows += batch.rows;
  });
  EXPECT_TRUE(error.says("c.csv:3: 2 value(s)")) << error.message;
  EXPECT_EQ(rows, 2000u) << "the batches before the error come first";
  columns::RawBatch first;
  formats::open_reader(options)->next(first);  // and who stops early waits for nothing
  EXPECT_EQ(first.rows, 7u);
}

TEST_F(ReaderTest, TextsThatComeAsCodesReadTheSame) {
  columns::RawBatch batch;
  batch.rows = 100000;
  batch.columns.resize(2);
  for (size_t row = 0; row < batch.rows; ++row) {
    if (row % 11 == 3)
      batch.columns[0].push_null();
    else
      batch.columns[0].push_text("word " + std::to_string(row * row % 301));
    batch.columns[1].push_text("each its own " + std::to_string(row));
  }
  const auto writer = formats::open_writer(path("a.parquet"),
                                           {{"few", columns::ColumnType::text}, {"many", columns::ColumnType::text}});
  writer->write(batch);
  writer->close();
  formats::ReaderOptions options{{path("a.parquet")}};
  options.batch_rows = 999;
  const auto expected = formats::read_rows(options);
  options.coded = true;
  columns::RawBatch coded;
  ASSERT_TRUE(formats::open_reader(options)->next(coded));
  EXPECT_TRUE(coded.columns[0].words);
  EXPECT_EQ(coded.columns[0].rows(), 999u);
  EXPECT_EQ(formats::read_rows(options), expected);
}

TEST_F(ReaderTest, APlaceIsThePhysicalLineOfARecord) {
  const auto csv = file("a.csv", "id,t\n\n1,\"two\nlines\"\n2,x\n");
  const auto jsonl = file("a.jsonl", "{\"id\": 1}\n\n{\"id\": 2}\n");
  const auto graph = file("a.txt", "u a b\nv\nw c\n");
  const auto reader = formats::open_reader({{csv, jsonl}});
  EXPECT_EQ(reader->place(0, 0), csv + ":3");
  EXPECT_EQ(reader->place(0, 1), csv + ":5");
  EXPECT_EQ(reader->place(1, 1), jsonl + ":3");
  const auto pairs = formats::open_reader({{graph}});
  EXPECT_EQ(pairs->place(0, 1), graph + ":1");
  EXPECT_EQ(pairs->place(0, 2), graph + ":3");
}

TEST_F(ReaderTest, AdjacencyGivesARowForEachPair) {
  const auto graph = file("train.txt.gz", "0 10 11  12\n1\n2 10\t\r\n\n3 10 10");
  EXPECT_EQ(formats::read_rows(graph),
            (formats::Rows{{"0", "10"}, {"0", "11"}, {"0", "12"}, {"2", "10"}, {"3", "10"}, {"3", "10"}}));
  EXPECT_EQ(formats::read_rows(graph, {"item_id"}).size(), 6u);
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(graph, {"item"}); }).says("did you mean 'item_id'?"));
  EXPECT_EQ(files::error_of([&] { formats::read_rows(file("b.txt", "user,item\n1,2\n")); }).kind, ErrorKind::usage);
}

TEST_F(ReaderTest, AnAdjacencyFileOfOldLineEndsIsRefused) {
  EXPECT_TRUE(files::error_of([&] {
                formats::read_rows(file("a.txt", "u a b\rv c\rw d\r"));
              }).says("a.txt:1: has a carriage return"));
}

TEST_F(ReaderTest, AdjacencyLinesAreCutIntoBatches) {
  formats::ReaderOptions options{{file("a.txt", "u a b c\nv d\n")}};
  options.batch_rows = 2;
  EXPECT_EQ(formats::read_rows(options), (formats::Rows{{"u", "a"}, {"u", "b"}, {"u", "c"}, {"v", "d"}}));
}

TEST_F(ReaderTest, JsonLinesKeepTheirTypes) {
  const auto jsonl =
      file("a.jsonl",
           "{\"id\": 7, \"score\": 1, \"tags\": [\"a\", 2, null], \"ok\": true, \"name\": \"M\\u00fc\"}\n"
           "{\"id\": 18446744073709551615, \"score\": 0.5, \"ok\": null, \"more\": {\"x\": 1}}\n");
  const auto reader = formats::open_reader({{jsonl}});
  EXPECT_EQ(reader->columns(), (std::vector<std::string>{"id", "score", "tags", "ok", "name", "more"}));
  columns::RawBatch batch;
  ASSERT_TRUE(reader->next(batch));
  EXPECT_EQ(batch.columns[1].type, columns::ColumnType::decimal) << "holds 1 and 0.5 exactly";
  EXPECT_EQ(batch.columns[2].type, columns::ColumnType::texts);
  EXPECT_EQ(batch.columns[3].type, columns::ColumnType::boolean);
  EXPECT_EQ(formats::read_rows(jsonl),
            (formats::Rows{{"7", "1", "a|2", "true", "M\xc3\xbc", "<null>"},
                           {"18446744073709551615", "0.5", "<null>", "<null>", "<null>", "{\"x\":1}"}}));
  EXPECT_EQ(formats::read_rows(jsonl, {"more", "id"})[0], (std::vector<std::string>{"<null>", "7"}));
  EXPECT_TRUE(files::error_of([&] { formats::read_rows(jsonl, {"nme"}); }).says("did you mean 'name'?"));
}

TEST_F(ReaderTest, NumbersOfJsonKeepEveryDigitAndOneText) {
  const auto numbers =
      file("n.jsonl",
           "{\"id\": 18446744073709551620, \"slot\": 2.0, \"price\": 0.35, \"mix\": 1}\n"
           "{\"id\": 18446744073709551621, \"slot\": 2, \"price\": 0.1000000000000000055, \"mix\": \"1\"}\n"
           "{\"id\": -7, \"slot\": 2e0, \"price\": 1e22, \"mix\": [1, 2.50]}\n");
  EXPECT_EQ(formats::read_rows(numbers), (formats::Rows{{"18446744073709551620", "2", "0.35", "1"},
                                                        {"18446744073709551621", "2", "0.1000000000000000055", "1"},
                                                        {"-7", "2", "10000000000000000000000", "1|2.5"}}));
  const auto nested =
      file("o.jsonl", "{\"a\": {\"b\": [1, {\"c\": \"d\"}], \"e\": null}, \"f\": [[1, 2], {\"g\": 1.0}]}\n");
  EXPECT_EQ(formats::read_rows(nested), (formats::Rows{{"{\"b\":[1,{\"c\":\"d\"}],\"e\":null}", "[1,2]|{\"g\":1.0}"}}));
}

TEST_F(ReaderTest, WhatPythonWritesBesideJsonIsEmptyAndCounted) {
  const auto path = file(
      "a.jsonl", "{\"id\": NaN, \"t\": \"NaN\"}\n{\"id\": -Infinity, \"t\": \"x\\\"NaN\", \"l\": [1, null, NaN]}\n");
  const auto reader = formats::open_reader({{path}});
  columns::RawBatch batch;
  ASSERT_TRUE(reader->next(batch));
  EXPECT_EQ(reader->notices().count("", "value(s) are NaN or Infinity and were read as empty"), 3u);
  EXPECT_EQ(reader->notices().count("", "null(s) in lists were dropped"), 2u);
  EXPECT_EQ(formats::read_rows(path), (formats::Rows{{"<null>", "NaN", "<null>"}, {"<null>", "x\"NaN", "1"}}));
}

TEST_F(ReaderTest, ListsInThePlaceOfIdsAreRefused) {
  const auto log = file("log.jsonl", "{\"user_id\": \"u1\", \"item_id\": [\"a\", \"b\"]}\n");
  EXPECT_TRUE(files::error_of([&] { data::load_interactions({.paths = {log}}); }).says("explode('item_id')"));
  const auto table = file("items.jsonl", "{\"item_id\": [1], \"n\": 1}\n");
  EXPECT_TRUE(
      files::error_of([&] { data::load_attributes({.paths = {table}, .id = "item_id"}); }).says("explode('item_id')"));
}

TEST_F(ReaderTest, AKeyThatStandsTwiceIsAnErrorOfItsLine) {
  for (const char* line : {"{\"id\": 1, \"id\": 2}", "{\"id\": {\"a\": 1, \"a\": 1}}"}) {
    const auto path = file("a.jsonl", std::string("{\"id\": 1}\n") + line + "\n");
    EXPECT_TRUE(files::error_of([&] { formats::read_rows(path, {"id"}); }).says("a.jsonl:2: the key '")) << line;
  }
}

TEST_F(ReaderTest, ABrokenLineOfJsonIsAnErrorOfThatLine) {
  const auto jsonl = file("a.jsonl", "{\"id\": 1}\n{\"id\": }\n");
  const auto error = files::error_of([&] { formats::read_rows(jsonl, {"id"}); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says(jsonl + ":2: not JSON")) << error.message;
  EXPECT_TRUE(
      files::error_of([&] { formats::read_rows(file("b.jsonl", "[1]\n")); }).says("b.jsonl:1: expected a JSON object"));
}

TEST(Format, IsToldByNameAndByExtension) {
  EXPECT_EQ(files::format_from_name("adjacency"), files::Format::adjacency);
  EXPECT_EQ(files::format_from_path("a/b.x/clicks.CSV.gz"), files::Format::csv);
  EXPECT_EQ(files::format_from_path("clicks.jsonl.zst"), files::Format::jsonl);
  EXPECT_EQ(files::format_from_path("train.txt"), files::Format::adjacency);
  EXPECT_EQ(files::format_from_path("x.parquet"), files::Format::parquet);
  const auto error = files::error_of([] { files::format_from_name("cvs"); });
  EXPECT_EQ(error.kind, ErrorKind::usage);
  EXPECT_TRUE(error.says("known: csv, tsv, jsonl, parquet, arrow, adjacency"));
  EXPECT_EQ(files::error_of([] { files::format_from_path("clicks.gz"); }).kind, ErrorKind::usage);
}

}  // namespace
}  // namespace pagoda
