#include "formats/formats_test.h"

namespace pagoda::formats {
namespace {

class DelimitedTest : public files::FilesTest {
 protected:
  struct Read {
    std::vector<std::string> names;
    Rows rows;
    std::vector<std::string> notices;
  };
  static Read read(const std::string& path, columns::TableForm form = {}, std::vector<std::string> columns = {}) {
    ReaderOptions options{.paths = {path}, .columns = std::move(columns), .form = std::move(form)};
    options.form.keys = "data.";
    const auto reader = open_reader(options);
    Read all{reader->columns(), {}, {}};
    columns::RawBatch batch;
    std::string scratch;
    while (reader->next(batch))
      for (size_t row = 0; row < batch.rows; ++row) {
        all.rows.emplace_back();
        for (const auto& column : batch.columns)
          all.rows.back().emplace_back(column.is_null(row) ? "<null>" : column.as_text(row, scratch));
      }
    all.notices = reader->notices().texts();
    return all;
  }
  static files::Caught refusal(const std::string& path, const columns::TableForm& form = {}) {
    return files::error_of([&] { read(path, form); });
  }
};

using Names = std::vector<std::string>;

TEST_F(DelimitedTest, TheSeparatorIsFoundAndSaid) {
  const std::pair<const char*, const char*> cases[] = {
      {";", "';'"}, {"\t", "a tab"}, {"|", "'|'"}, {"::", "'::'"}, {"\x01", "\\x01"}};
  for (const auto& [separator, word] : cases) {
    const auto line = [s = std::string(separator)](const char* a, const char* b) { return a + s + b + "\n"; };
    const auto table = read(file("a.csv", line("user_id", "price") + line("u1", "\"3,5\"") + line("u2", "4,5")));
    EXPECT_EQ(table.names, (Names{"user_id", "price"})) << separator;
    EXPECT_EQ(table.rows, (Rows{{"u1", "3,5"}, {"u2", "4,5"}})) << separator;
    ASSERT_EQ(table.notices.size(), 1u);
    EXPECT_NE(table.notices[0].find(std::string("have ") + word + " between the cells"), std::string::npos)
        << table.notices[0];
  }
  EXPECT_TRUE(read(file("b.csv", "user_id,note\nu1,a;b\nu2,c;d\n")).notices.empty());
  EXPECT_EQ(read(file("c.tsv", "user_id,item_id\nu1,i1\n")).names, (Names{"user_id", "item_id"}));
  EXPECT_EQ(read(file("d.csv", "user_id;item_id\nu1;i1\n"), {.separator = ","}).names, (Names{"user_id;item_id"}));
  EXPECT_EQ(read(file("e.csv", "user_id~item_id\nu1~i1\n"), {.separator = "~"}).rows, (Rows{{"u1", "i1"}}));
  EXPECT_EQ(read(file("f.csv", "sep=;\nuser_id;item_id\nu1;i1\n")).rows, (Rows{{"u1", "i1"}}));
  EXPECT_EQ(refusal(path("f.csv"), {.separator = "\""}).kind, ErrorKind::usage);
}

TEST_F(DelimitedTest, AFirstLineOfValuesIsRefusedWithARemedyThatWorks) {
  std::string ratings;
  for (int i = 0; i < 9; ++i) ratings += fmt::format("{}\t{}\t{}\t88125094{}\n", 7 + i, 101 + i, 1 + i % 5, i);
  const auto path = file("u.tsv", ratings);
  const auto error = refusal(path);
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says(path + ": its first line ('7', '101', '1', '881250940') looks like data, not like names of "
                                "columns; set data.header = false and data.columns = [\"user_id\", \"item_id\", "
                                "\"rating\", \"timestamp\"], or data.header = true"))
      << error.message;
  const auto table =
      read(path, {.header = columns::Header::no, .columns = {"user_id", "item_id", "rating", "timestamp"}});
  EXPECT_EQ(table.rows.size(), 9u);
  EXPECT_EQ(table.rows[0], (std::vector<std::string>{"7", "101", "1", "881250940"}));
  EXPECT_EQ(read(path, {.columns = {"a", "b", "c", "d"}}).rows.size(), 9u) << "it is no header, by its values";
  EXPECT_EQ(read(path, {.header = columns::Header::yes}).names, (Names{"7", "101", "1", "881250940"}));
  EXPECT_EQ(read(path, {.header = columns::Header::no}).names, (Names{"column_1", "column_2", "column_3", "column_4"}));
  EXPECT_TRUE(refusal(path, {.header = columns::Header::no, .columns = {"a", "b"}})
                  .says("names 2 column(s), but its first line"));
  EXPECT_EQ(refusal(path, {.header = columns::Header::no, .columns = {"a", "b", "a", "c"}}).kind, ErrorKind::usage);
  ReaderOptions numbered{.paths = {path}, .form = {.header = columns::Header::no}};
  EXPECT_EQ(open_reader(numbered)->place(0, 2), path + ":3");
}

TEST_F(DelimitedTest, WhatIsAHeaderAndWhatIsNot) {
  for (const char* data : {"alice,apple\nbob,pear\nalice,plum\n", "u1,2024-05-01\nu2,2024-05-02\n", "7,8\n",
                           "550e8400-e29b-41d4-a716-446655440000,x\n550e8400-e29b-41d4-a716-446655440001,y\n",
                           "u1,i1,0.5\nu2,i2,0.7\n", "a,movie,1\nb,movie,2\n", "x,y\nx,y\n"})
    EXPECT_TRUE(refusal(file("a.csv", data)).says("looks like data")) << data;
  for (const char* header : {"user_id,item_id\nuser_id,item_id\nu1,i1\n", "item_id,2019,2020\ni1,5,6\n", "a,b\nx,y\n",
                             "who,what\n1,2\n", "title,kind\nmovie,book\nkind,title\n", "n\n1\n"})
    EXPECT_FALSE(read(file("b.csv", header)).rows.empty()) << header;
  EXPECT_TRUE(refusal(file("c.csv", "alice,apple\nbob,pear\n"), {.columns = {"user", "item"}})
                  .says("data.header = true or false"));
  EXPECT_EQ(read(path("c.csv"), {.header = columns::Header::no, .columns = {"user", "item"}}).rows.size(), 2u);
  EXPECT_EQ(read(path("c.csv"), {.header = columns::Header::yes, .columns = {"user", "item"}}).rows,
            (Rows{{"bob", "pear"}}));
}

TEST_F(DelimitedTest, HeadersAsProgramsWriteThem) {
  const auto pandas = read(file("a.csv", ",user_id,item_id\n0,u1,i1\n1,u2,i2\n"));
  EXPECT_EQ(pandas.names, (Names{"column_1", "user_id", "item_id"}));
  EXPECT_EQ(pandas.notices.size(), 1u);
  const auto recbole = read(file("ml.tsv", "user_id:token\titem_id:token\trating:float\n1\t2\t3.5\n"));
  EXPECT_EQ(recbole.names, (Names{"user_id", "item_id", "rating"}));
  EXPECT_EQ(recbole.notices.size(), 1u);
  EXPECT_EQ(read(path("ml.tsv"), {}, {"user_id:token"}).rows, (Rows{{"1"}})) << "as it stands, when it is asked for so";
  const auto snap = read(file("web.csv", "# Directed graph\n# Nodes: 2\n# FromNodeId\tToNodeId\n1\t2\n"));
  EXPECT_EQ(snap.names, (Names{"FromNodeId", "ToNodeId"}));
  EXPECT_EQ(snap.rows, (Rows{{"1", "2"}}));
  EXPECT_EQ(read(file("c.csv", "# made today\nuser_id,tag\nu1,x\n#u2,y\n")).rows, (Rows{{"u1", "x"}, {"#u2", "y"}}));
  const auto joined =
      read(file("d.csv", "user_id,item_id\nu1,i1\n\xef\xbb\xbfuser_id,item_id\nu2,i2\nuser_id,item_id\nu3,i3\n"));
  EXPECT_EQ(joined.rows.size(), 3u);
  EXPECT_TRUE(joined.notices[0].starts_with("2 row(s) repeat the names of the columns")) << joined.notices[0];
  file("e.csv", "user_id,item_id\nu1,i1,\n");
  EXPECT_EQ(read(path("e.csv"), {.header = columns::Header::yes, .columns = {"user_id", "item_id", "end"}}).rows,
            (Rows{{"u1", "i1", ""}}));
  EXPECT_TRUE(refusal(file("f.csv", "user_id,user_id\nu1,i1\n")).says("two columns are named 'user_id'"));
}

TEST_F(DelimitedTest, LineEndsAndBytesThatAreNoTextAreRefusedWithTheirPlace) {
  for (const char* text :
       {"user_id,item_id\ru1,i1\ru2,i2\r", "user_id,item_id\ru1,i1", "user_id,item_id\nu1,i1\ru2,i2\n"})
    EXPECT_TRUE(refusal(file("a.csv", text)).says("the line contains a carriage return")) << text;
  EXPECT_TRUE(refusal(path("a.csv")).says("a.csv:2:"));
  EXPECT_EQ(read(file("b.csv", "user_id,t\r\nu1,\"x\ry\"\r\n")).rows, (Rows{{"u1", "x\ry"}}));
  std::string text = "user_id,t\n";
  for (int i = 0; i < 20000; ++i) text += "u1,x\n";
  EXPECT_TRUE(refusal(file("c.csv", text + std::string("u2,a\0b\n", 7))).says("c.csv:20002: holds a NUL byte"));
  EXPECT_TRUE(refusal(file("d.csv", std::string("i\0d\0\n\0", 6))).says("UTF-16"));
}

TEST_F(DelimitedTest, NullValuesAreMissingInEveryFormat) {
  const columns::TableForm form{.null_values = {"NA", "\\N", "-1"}};
  EXPECT_EQ(read(file("a.csv", "user_id,item_id\nNA,1\nu2, \\N \nna,-1\n"), form).rows,
            (Rows{{"<null>", "1"}, {"u2", "<null>"}, {"na", "<null>"}}));
  EXPECT_EQ(
      read(file("a.jsonl", "{\"u\": \"NA\", \"n\": -1, \"tags\": [\"x\", \"NA\"]}\n{\"u\": \"b\", \"n\": 2}\n"), form)
          .rows,
      (Rows{{"<null>", "<null>", "x"}, {"b", "2", "<null>"}}));
  EXPECT_TRUE(refusal(path("a.jsonl"), {.separator = ";"}).says("data.separator is for csv and tsv files"));
}

TEST_F(DelimitedTest, ASeparatorAtTheEndOfEachLineIsNoColumn) {
  for (const char* text : {"user_id,item_id\nu1,i1,\nu2,i2,\n", "user_id,item_id,\nu1,i1,\nu2,i2,\n"}) {
    const auto table = read(file("t.csv", text));
    EXPECT_EQ(table.names, (Names{"user_id", "item_id"}));
    EXPECT_EQ(table.rows, (Rows{{"u1", "i1"}, {"u2", "i2"}}));
    ASSERT_EQ(table.notices.size(), 1u);
    EXPECT_NE(table.notices[0].find("separator at the end of each line"), std::string::npos);
  }
  EXPECT_EQ(read(file("u.csv", "7,1,\n8,2,\n"), {.header = columns::Header::no, .columns = {"u", "i"}}).rows,
            (Rows{{"7", "1"}, {"8", "2"}}));
  EXPECT_TRUE(refusal(file("v.csv", "user_id,item_id\nu1,i1,\nu2,i2,x\n")).says("names 2 column(s)"));
  EXPECT_EQ(read(file("w.csv", "user_id,item_id,note\nu1,i1,\nu2,i2,\n")).names.size(), 3u) << "it has a name";
}

TEST_F(DelimitedTest, QuotesAreReadAsTold) {
  using columns::Quoting;
  const auto books = file("b.csv", "id;title\n\"1\";\"The \\\"Gift\\\"; a novel\"\n\"2\";\"C:\\\\dos\\x\"\n");
  EXPECT_EQ(read(books, {.quoting = Quoting::backslash}).rows,
            (Rows{{"1", "The \"Gift\"; a novel"}, {"2", "C:\\dos\\x"}}));
  EXPECT_TRUE(refusal(books).says("set data.quoting = \"backslash\""));
  const auto news = file("n.tsv", "id\ttitle\nN1\t\"Big\" is back\nN2\t5\" nails\nN3\t\"open\n");
  EXPECT_EQ(read(news, {.quoting = Quoting::none}).rows,
            (Rows{{"N1", "\"Big\" is back"}, {"N2", "5\" nails"}, {"N3", "\"open"}}));
  EXPECT_TRUE(refusal(news).says("\"none\""));
}

TEST_F(DelimitedTest, CommentsAreSkippedWhereverTheyStand) {
  const auto path = file("c.csv", "% a log\nuser_id,item_id\nu1,i1\n% the rest, of May\nu2,i2\n");
  EXPECT_EQ(read(path, {.comment = "%"}).rows, (Rows{{"u1", "i1"}, {"u2", "i2"}}));
  EXPECT_EQ(read(file("d.csv", "user_id,item_id\nu1,i1\n#2,i2\n"), {.comment = ""}).rows.size(), 2u);
}

TEST_F(DelimitedTest, TextIsDecoded) {
  EXPECT_EQ(read(file("l.csv", "id,name\n1,Am\xe9lie\n"), {.encoding = "latin-1"}).rows,
            (Rows{{"1", "Am\xc3\xa9lie"}}));
  EXPECT_EQ(read(file("w.csv",
                      "id,name\n1,\x93"
                      "A\x94\n"),
                 {.encoding = "windows-1252"})
                .rows,
            (Rows{{"1",
                   "\xe2\x80\x9c"
                   "A\xe2\x80\x9d"}}));
  using namespace std::string_literals;
  EXPECT_EQ(read(file("u.csv",
                      "\xff\xfei\0d\0,\0n\0\n\0"
                      "1\0,\0\xe9\0\n\0"s))
                .rows,
            (Rows{{"1", "\xc3\xa9"}}))
      << "by its mark";
  EXPECT_EQ(read(file("v.csv",
                      "i\0d\0,\0n\0\n\0"
                      "1\0,\0\xe9\0\n\0"s),
                 {.encoding = "utf-16le"})
                .rows,
            (Rows{{"1", "\xc3\xa9"}}));
  EXPECT_TRUE(refusal(file("x.csv", "id,name\n1,\x81\n"), {.encoding = "windows-1252"}).says("has the byte 0x81"));
  EXPECT_EQ(refusal(path("x.csv"), {.encoding = "klingon"}).kind, ErrorKind::usage);
}

}  // namespace
}  // namespace pagoda::formats
