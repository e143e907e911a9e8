#include "data/attributes.h"

#include "formats/formats_test.h"

namespace pagoda::data {
namespace {

using AttributesTest = files::FilesTest;

TEST_F(AttributesTest, RowsBelongToTheirIds) {
  const auto table = load_attributes(
      {.paths = {file("a.csv", "title,item_id,year\nThe Bank,4936,1915\nOther,7,\n")}, .id = "item_id"});
  EXPECT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.ids.find("7"), 1u);
  EXPECT_EQ(table.names(), (std::vector<std::string>{"title", "year"}));
  std::string scratch;
  EXPECT_EQ(table.find("title")->as_text(0, scratch), "The Bank");
  EXPECT_TRUE(table.find("year")->absent(1));
  EXPECT_EQ(table.find("price"), nullptr);
}

TEST_F(AttributesTest, TypesThatDifferBetweenFilesMeet) {
  file("p1.jsonl", "{\"id\": 1, \"n\": 3, \"tags\": [\"a\"]}\n");
  file("p2.jsonl", "{\"id\": \"x\", \"n\": 0.5, \"tags\": null}\n");
  const auto table = load_attributes({.paths = {path("p*.jsonl")}, .id = "id"});
  EXPECT_EQ(table.find("n")->type, columns::ColumnType::decimal) << "holds integers and reals exactly";
  EXPECT_EQ(table.find("n")->as_number(0), 3);
  EXPECT_EQ(table.find("n")->as_number(1), 0.5);
  EXPECT_EQ(table.find("tags")->type, columns::ColumnType::texts);
  EXPECT_TRUE(table.find("tags")->is_null(1));
  EXPECT_EQ(table.ids[1], "x");
}

TEST_F(AttributesTest, CellsThatAreListsAreReadAsLists) {
  const auto table =
      load_attributes({.paths = {file("a.csv", "item_id,cats,mixed\n1,\"[6285, -]\",[a]\n2,,b\n3,[7],c\n")},
                       .id = "item_id",
                       .form = {.null_values = {"-"}}});
  const columns::Column& cats = *table.find("cats");
  EXPECT_EQ(cats.type, columns::ColumnType::texts);
  EXPECT_TRUE(cats.is_null(1));
  std::string scratch;
  EXPECT_EQ(cats.as_text(0, scratch), "6285");
  EXPECT_EQ(cats.as_text(2, scratch), "7");
  EXPECT_EQ(table.find("mixed")->type, columns::ColumnType::text);
}

TEST_F(AttributesTest, ASecondRowOfAnIdIsABadRow) {
  AttributeOptions options{.paths = {file("a.csv", "id,n\n1,a\n2,b\n1,c\n")}, .id = "id"};
  const auto error = files::error_of([&] { load_attributes(options); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says("a.csv:4: column 'id' is '1', expected an id that no earlier row has")) << error.message;
  options.bad_rows.on_bad_row = OnBadRow::skip;
  testing::internal::CaptureStderr();
  const auto table = load_attributes(options);
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(table.rows(), 2u);
  std::string scratch;
  EXPECT_EQ(table.columns[0].as_text(0, scratch), "a") << "the first one stays";
}

TEST_F(AttributesTest, CellsThatAreNotUtf8AreCounted) {
  testing::internal::CaptureStderr();
  load_attributes({.paths = {file("a.csv", "id,title,n\n1,caf\xE9,1\n2,caf\xC3\xA9,2\n3,\xE9t\xE9,3\n")}, .id = "id"});
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("column 'title': 2 cells are not UTF-8 text"), said.npos) << said;
  EXPECT_NE(said.find("a.csv:2)"), said.npos) << said;
  EXPECT_EQ(said.find("column 'n'"), said.npos) << said;
}

TEST_F(AttributesTest, AWrongIdColumnIsAnErrorThatSuggestsTheNearest) {
  const auto error =
      files::error_of([&] { load_attributes({.paths = {file("a.csv", "item_id,n\n1,a\n")}, .id = "itm_id"}); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says("did you mean 'item_id'?"));
  EXPECT_EQ(files::error_of([&] { load_attributes({.paths = {file("b.csv", "id,n\n")}, .id = "id"}); }).kind,
            ErrorKind::input);
}

TEST_F(AttributesTest, VectorsAreLeftOutAndTheOthersStay) {
  AttributeOptions options{
      .paths = {file("items.jsonl", R"({"emb": [0.5, 0.25, -1.5, 2], "id": "a", "tags": ["x"], "n": 1}
{"emb": [0.125, 3.5, 0.75, 0.1], "id": "b", "tags": ["x", "y"], "n": 2}
)")},
      .id = "id"};
  testing::internal::CaptureStderr();
  const auto table = load_attributes(options);
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(table.names(), (std::vector<std::string>{"tags", "n"}));
  ASSERT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.columns[0].rows(), 2u);
  EXPECT_EQ(table.columns[1].integers, (std::vector<int64_t>{1, 2}));
  EXPECT_NE(said.find("column 'emb': 2 cells are vectors of 4 numbers"), std::string::npos) << said;
}

TEST_F(AttributesTest, ANewerTableReplacesRowsAndAddsRowsAndColumns) {
  const auto table = [](const std::vector<std::string>& ids, const std::string& name,
                        const std::vector<std::string>& cells) {
    Attributes t;
    for (const auto& id : ids) t.ids.add(id);
    t.columns.emplace_back().name = name;
    for (const auto& cell : cells) t.columns[0].push_text(cell);
    return t;
  };
  auto before = table({"a", "b"}, "title", {"A", "B"});
  auto now = table({"c", "b"}, "title", {"C", "B2"});
  now.columns.emplace_back().name = "year";
  now.columns[1].type = columns::ColumnType::integer;
  now.columns[1].push_integer(1990);
  now.columns[1].push_integer(1991);
  const auto all = with_newer(before, now);
  ASSERT_EQ(all.names(), (std::vector<std::string>{"title", "year"}));
  ASSERT_EQ(all.rows(), 3u);
  EXPECT_EQ(all.ids[2], "c");
  EXPECT_EQ(all.columns[0].text_of(0), "A");
  EXPECT_EQ(all.columns[0].text_of(1), "B2");
  EXPECT_EQ(all.columns[0].text_of(2), "C");
  EXPECT_TRUE(all.columns[1].is_null(0));
  EXPECT_EQ(all.columns[1].as_number(1), 1991);
  EXPECT_EQ(all.columns[1].as_number(2), 1990);
  const auto kept = with_newer(all, before);
  EXPECT_TRUE(kept.columns[1].is_null(1)) << "the newer row does not say";
  EXPECT_EQ(kept.columns[1].as_number(2), 1990);
}

}  // namespace
}  // namespace pagoda::data
