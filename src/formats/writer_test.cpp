#include "formats/writer.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <limits>

#include "formats/formats_test.h"

namespace pagoda::formats {
namespace {

const std::vector<ColumnSpec> kSpecs = {{"id", columns::ColumnType::text}, {"n", columns::ColumnType::integer},
                                        {"x", columns::ColumnType::real},  {"ok", columns::ColumnType::boolean},
                                        {"at", columns::ColumnType::time}, {"tags", columns::ColumnType::texts}};

// Two rows of every type, the second full of nulls and of characters that need quoting.
columns::RawBatch two_rows() {
  columns::RawBatch batch;
  batch.rows = 2;
  for (const auto& spec : kSpecs) {
    batch.columns.emplace_back();
    batch.columns.back().name = spec.name;
    batch.columns.back().type = spec.type;
  }
  auto& c = batch.columns;
  c[0].push_text("u1");
  c[0].push_text("a,\"b\"\t\n\\c");
  c[1].push_integer(-7);
  c[2].push_real(0.25);
  c[3].push_integer(1);
  c[4].push_integer(1714557600000000);
  for (size_t i = 1; i < 5; ++i) c[i].push_null();
  c[5].push_element("x");
  c[5].push_element("y");
  c[5].end_list();
  c[5].end_list();
  return batch;
}

class WriterTest : public files::FilesTest {
 protected:
  void write(const std::string& name, const columns::RawBatch& batch, bool close = true) const {
    const auto writer = open_writer(path(name), kSpecs);
    writer->write(batch);
    if (close) writer->close();
  }
};

TEST_F(WriterTest, TextFormatsAreWrittenAsExpected) {
  write("a.csv", two_rows());
  EXPECT_EQ(read_file(path("a.csv")),
            "id,n,x,ok,at,tags\nu1,-7,0.25,true,2024-05-01T10:00:00Z,x|y\n\"a,\"\"b\"\"\t\n\\c\",,,,,\n");
  write("a.jsonl", two_rows());
  EXPECT_EQ(
      read_file(path("a.jsonl")),
      "{\"id\": \"u1\", \"n\": -7, \"x\": 0.25, \"ok\": true, \"at\": \"2024-05-01T10:00:00Z\", \"tags\": [\"x\", "
      "\"y\"]}\n"
      "{\"id\": \"a,\\\"b\\\"\\t\\n\\\\c\", \"n\": null, \"x\": null, \"ok\": null, \"at\": null, \"tags\": []}\n");
}

TEST_F(WriterTest, EveryFormatIsReadBackToTheSameCells) {
  const std::vector<std::string> first = {"u1", "-7", "0.25", "true", "2024-05-01T10:00:00Z", "x|y"};
  for (const char* name : {"a.csv", "a.csv.gz", "a.tsv.zst", "a.jsonl", "a.jsonl.gz", "a.parquet", "a.arrow"}) {
    write(name, two_rows());
    const auto rows = read_rows(path(name));
    ASSERT_EQ(rows.size(), 2u) << name;
    EXPECT_EQ(rows[0], first) << name;
    EXPECT_EQ(rows[1][0], "a,\"b\"\t\n\\c") << name;
    const bool typed = std::string_view(name).find("sv") == std::string_view::npos;
    EXPECT_EQ(rows[1][1], typed ? "<null>" : "") << name;
  }
}

TEST_F(WriterTest, ParquetKeepsTypes) {
  write("a.parquet", two_rows());
  const auto reader = open_reader({{path("a.parquet")}});
  columns::RawBatch batch;
  ASSERT_TRUE(reader->next(batch));
  for (size_t c = 0; c < kSpecs.size(); ++c) EXPECT_EQ(batch.columns[c].type, kSpecs[c].type) << kSpecs[c].name;
  EXPECT_EQ(batch.columns[4].integers[0], 1714557600000000);
}

TEST_F(WriterTest, ARowOfOneEmptyValueIsNoBlankLine) {
  columns::RawBatch batch{{columns::Column{.name = "a"}}, 2};
  batch.columns[0].push_text("");
  batch.columns[0].push_text("\r");
  const auto writer = open_writer(path("a.csv"), {{"a", columns::ColumnType::text}});
  writer->write(batch);
  writer->close();
  EXPECT_EQ(read_rows(path("a.csv")), (Rows{{""}, {"\r"}}));
}

TEST_F(WriterTest, WhatJsonCannotSayIsNullOrReplaced) {
  columns::RawBatch batch{
      {columns::Column{.name = "t"}, columns::Column{.name = "x", .type = columns::ColumnType::real}}, 1};
  batch.columns[0].push_text("caf\xe9\x01");
  batch.columns[1].push_real(std::numeric_limits<double>::infinity());
  const auto writer =
      open_writer(path("a.jsonl"), {{"t", columns::ColumnType::text}, {"x", columns::ColumnType::real}});
  writer->write(batch);
  writer->close();
  EXPECT_EQ(read_file(path("a.jsonl")), "{\"t\": \"caf\xef\xbf\xbd\\u0001\", \"x\": null}\n");
}

TEST_F(WriterTest, AFileAppearsWholeOrNotAtAll) {
  for (const char* name : {"a.csv", "a.csv.gz", "a.jsonl.zst", "a.parquet", "a.arrow"}) {
    write_file(path(name), "old");
    write(name, two_rows(), false);
    EXPECT_EQ(read_file(path(name)), "old") << name;
  }
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 5u) << "and nothing is left beside it";
}

// The room on disk is small in a child process, where a file may not grow past 64 KiB.
TEST_F(WriterTest, ADiskThatIsFullIsAnErrorThatNamesThePath) {
  for (const char* name : {"a.csv", "a.jsonl.gz", "a.parquet", "a.arrow"}) {
    const pid_t child = fork();
    if (child == 0) {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{1 << 16, 1 << 16};
      setrlimit(RLIMIT_FSIZE, &limit);
      int status = 1;
      try {
        columns::RawBatch batch{{columns::Column{.name = "n", .type = columns::ColumnType::integer}}, 100000};
        const auto writer = open_writer(path(name), {{"n", columns::ColumnType::integer}});
        uint64_t x = 1;
        for (size_t round = 0; round < 4; ++round) {
          batch.columns[0].clear();
          for (size_t i = 0; i < batch.rows; ++i)
            batch.columns[0].push_integer(static_cast<int64_t>(x = x * 6364136223846793005u + 1442695040888963407u));
          writer->write(batch);
        }
        writer->close();
      } catch (const Error& error) {
        const bool right = error.kind() == ErrorKind::failed && std::string(error.what()).find(path(name)) == 0;
        status = right && !file_exists(path(name)) ? 0 : 2;
      }
      _exit(status);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << name;
  }
}

TEST_F(WriterTest, AFormatThatCannotBeWrittenThereIsAUsageError) {
  for (const char* name : {"a.parquet.gz", "a.txt", "a.xyz"})
    EXPECT_EQ(files::error_of([&] { open_writer(path(name), kSpecs); }).kind, ErrorKind::usage) << name;
  EXPECT_EQ(files::error_of([&] { open_writer("-", kSpecs); }).kind, ErrorKind::usage);
  EXPECT_EQ(files::error_of([&] { open_writer("-", kSpecs, files::Format::parquet); }).kind, ErrorKind::usage);
  const auto error = files::error_of([&] { open_writer(path("no/folder/a.csv"), kSpecs); });
  EXPECT_EQ(error.kind, ErrorKind::failed);
  EXPECT_TRUE(error.says("no/folder/a.csv"));
}

TEST_F(WriterTest, ADashIsStdout) {
  testing::internal::CaptureStdout();
  const auto writer = open_writer("-", kSpecs, files::Format::tsv, /*header=*/false);
  columns::RawBatch batch = two_rows();
  writer->write(batch);
  writer->close();
  const auto out = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(out.starts_with("u1\t-7\t0.25\ttrue\t2024-05-01T10:00:00Z\tx|y\n")) << out;
}

}  // namespace
}  // namespace pagoda::formats
