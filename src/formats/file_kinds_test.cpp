#include "formats/formats_test.h"
#include "formats/writer.h"

namespace pagoda::formats {
namespace {

using namespace std::string_literals;

class FileKindTest : public files::FilesTest {
 protected:
  files::Format format_of(const std::string& name, const std::string& content,
                          files::Format given = files::Format::automatic) const {
    const auto at = file(name, content);
    return files::find_format(at, files::read_head(at), given);
  }
  std::string table(const std::string& name, files::Format format) const {
    columns::RawBatch batch;
    batch.columns.resize(1);
    batch.columns[0].push_text("x");
    batch.rows = 1;
    const auto writer = open_writer(path(name), {{"a", columns::ColumnType::text}}, format);
    writer->write(batch);
    writer->close();
    return path(name);
  }
};

TEST_F(FileKindTest, ContentDecidesOverTheName) {
  table("p.csv", files::Format::parquet);
  table("a.parquet", files::Format::arrow);
  EXPECT_EQ(read_rows(path("p.csv")), (Rows{{"x"}}));
  EXPECT_EQ(read_rows(path("a.parquet")), (Rows{{"x"}}));
  EXPECT_EQ(format_of("j.csv", "\xef\xbb\xbf{\"a\": 1}\n"), files::Format::jsonl);
  EXPECT_EQ(format_of("j.txt", "{\"a\": 1}\n"), files::Format::jsonl);
  EXPECT_EQ(format_of("j.json", "{\"a\": 1}\n{\"a\": 2}\n"), files::Format::jsonl);
  EXPECT_EQ(format_of("c.csv", "a,b\n{\"x\"},2\n"), files::Format::csv);
  write_file(path("gz.csv"), read_file(file("z.csv.gz", "a\n1\n")));
  EXPECT_EQ(read_rows(path("gz.csv")), (Rows{{"1"}}));
}

TEST_F(FileKindTest, ANameThatSaysNothingLeavesItToTheFirstLine) {
  EXPECT_EQ(format_of("u.data", "1\t2\t3\n"), files::Format::tsv);
  EXPECT_EQ(format_of("clicks", "a,b\n1,2\n"), files::Format::csv);
  EXPECT_EQ(format_of("clicks.gz", "a,b\n1,2\n"), files::Format::csv);
  EXPECT_EQ(format_of("ratings.dat", "a;b\n1;2\n"), files::Format::csv);
  EXPECT_EQ(format_of("movies.dat", "1::2::3\n1::3::4\n"), files::Format::csv);
  EXPECT_EQ(format_of("a.log", "{\"a\": 1}\n"), files::Format::jsonl);
  const auto error = files::error_of([&] { format_of("words", "one two\n"); });
  EXPECT_EQ(error.kind, ErrorKind::usage);
  EXPECT_TRUE(error.says("nor the first line, 'one two', shows the format; set format to one of csv")) << error.message;
}

TEST_F(FileKindTest, RowsBetweenBlanksAreNoAdjacency) {
  const auto error =
      files::error_of([&] { format_of("u.txt", "1 101 5 881250949\n1 102 3 881250950\n2 101 4 881250951\n"); });
  EXPECT_EQ(error.kind, ErrorKind::usage);
  EXPECT_TRUE(error.says("rows of a table? Then set format")) << error.message;
  EXPECT_TRUE(files::error_of([&] {
                format_of("s.txt", "user;item;ts\n1;2;3\n");
              }).says("this one has ';'; set format = \"csv\""));
  EXPECT_TRUE(
      files::error_of([&] { format_of("m.txt", "1::2::3\n"); }).says("this one has '::'; set format = \"csv\""));
  EXPECT_EQ(format_of("a.txt", "1 101 5 8\n1 102 3\n2 101 4 9\n"), files::Format::adjacency) << "of many lengths";
  EXPECT_EQ(format_of("b.txt", "1 101 5 8\n2 102 3 7\n3 101 4 9\n"), files::Format::adjacency) << "a user a line";
  EXPECT_EQ(format_of("c.txt", "1 101\n1 102\n2 101\n"), files::Format::adjacency) << "pairs are what they seem";
  EXPECT_EQ(format_of("u.txt", "1 101 5 8\n1 102 3 8\n2 101 4 8\n", files::Format::adjacency),
            files::Format::adjacency);
}

TEST_F(FileKindTest, AnotherFormatThanToldIsRefused) {
  const auto parquet = table("p.csv", files::Format::parquet);
  const auto error =
      files::error_of([&] { files::find_format(parquet, files::read_head(parquet), files::Format::csv); });
  EXPECT_TRUE(error.says("is a Parquet file, though format = \"csv\"; leave the format out")) << error.message;
  EXPECT_TRUE(files::error_of([&] { format_of("x.parquet", "a,b\n1,2\n"); }).says("if it is text, set format to csv"));
  EXPECT_EQ(format_of("x.parquet", "a,b\n1,2\n", files::Format::csv), files::Format::csv) << "the remedy works";
  const auto bytes = read_file(parquet);
  EXPECT_TRUE(
      files::error_of([&] { format_of("p.parquet.gz", bytes); }).says("inside an archive or another compression"));
}

TEST_F(FileKindTest, KindsThatAreNotReadAreNamedWithARemedy) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"\xff\x06\0\0sNaPpY"s, "Snappy"},
      {"PK\x03\x04....[Content_Types].xml"s, "an Excel workbook"},
      {"SQLite format 3\0"s, "sqlite3"},
      {"ORC\x0a\x0b"s, "an ORC file"},
      {"Obj\x01\x04"s, "an Avro file"},
      {"\x89HDF\r\n\x1a\n"s, "read_hdf"},
      {"\x80\x04\x95\x10"s, "pickle"},
      {"\x93NUMPY\x01"s, "--vectors"},
      {"<!DOCTYPE html>\n<html>"s, "web page"},
      {"PAGODA\r\n\x01"s, "pagoda inspect"},
      {"version https://git-lfs.github.com/spec/v1\n"s, "git lfs pull"},
  };
  for (const auto& [content, remedy] : kinds)
    for (const char* name : {"x.csv", "x.parquet", "x.bin", "x.csv.gz"})
      for (const files::Format given : {files::Format::automatic, files::Format::csv, files::Format::jsonl}) {
        const auto error = files::error_of([&, n = name] { format_of(n, content, given); });
        EXPECT_EQ(error.kind, ErrorKind::input);
        EXPECT_TRUE(error.says("which is not read; ") && error.says(remedy)) << error.message;
      }
  EXPECT_EQ(format_of("orcs.csv", "ORC,ELF\n1,2\n"), files::Format::csv);
}

TEST_F(FileKindTest, ArchivesAreReadOnlyWhereTheyAreNamed) {
  for (const auto& content : {"PK\x03\x04....log.csv"s, "7z\xbc\xaf\x27\x1c"s, std::string(257, 'x') + "ustar"s + "  "})
    EXPECT_TRUE(files::error_of([&] { format_of("x.csv", content); }).says("is an archive; unpack it"));
}

TEST_F(FileKindTest, PublishersFormsAreKnownByTheirFirstLines) {
  EXPECT_EQ(format_of("mv_1.txt", "1:\n1488844,3,2005-09-06\n"), files::Format::netflix);
  EXPECT_EQ(format_of("qualifying.txt", "1:\n1046323\n"), files::Format::netflix);
  EXPECT_EQ(format_of("x.csv", "ratio:\n1,2\n", files::Format::csv), files::Format::csv);
  EXPECT_EQ(format_of("behaviors.tsv", "1\tU1\t11/11/2019 9:05:58 AM\tN1 N2\tN3-1 N4-0\n"), files::Format::mind);
  EXPECT_EQ(format_of("x.tsv", "1\tU1\t2019\tN1 N2\tN3-1 N4-2\n"), files::Format::tsv);
  EXPECT_EQ(format_of("steam.json", "{u'user_id': u'7', 'hours': 1.5}\n"), files::Format::jsonl);
}

TEST_F(FileKindTest, JsonDocumentsAreNoLines) {
  for (const char* name : {"x.json", "x.jsonl", "x.csv", "x"}) {
    EXPECT_TRUE(files::error_of([&, n = name] { format_of(n, "[{\"a\": 1}, {\"a\": 2}]"); }).says("'jq -c .[]'"));
    EXPECT_TRUE(files::error_of([&, n = name] { format_of(n, "\n[\n  {\"a\": 1}\n]"); }).says("one JSON array"));
    EXPECT_TRUE(files::error_of([&, n = name] { format_of(n, "{\n  \"a\": 1\n}"); }).says("over several lines"));
    EXPECT_TRUE(files::error_of([&, n = name] { format_of(n, "{\"a\":{\"0\":1,\"1\":2}}"); }).says("by columns"));
  }
  EXPECT_EQ(format_of("t.csv", "[a],[b]\n1,2\n"), files::Format::csv);
}

TEST_F(FileKindTest, WhatIsNoTextIsRefused) {
  EXPECT_TRUE(files::error_of([&] { format_of("x.csv", "i\0d\0,\0"s); }).says("encoding = \"utf-16le\""));
  EXPECT_TRUE(files::error_of([&] { format_of("x.csv", "\0i\0d\0,"s); }).says("encoding = \"utf-16be\""));
  EXPECT_TRUE(files::error_of([&] { format_of("x.csv", "id\n1\n2\0\n"s); }).says("NUL byte in line 3"));
}

}  // namespace
}  // namespace pagoda::formats
