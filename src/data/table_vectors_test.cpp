#include "data/table_vectors.h"

#include <cmath>

#include "data/vector_file.h"
#include "files/files_test.h"
#include "math/matrix.h"

namespace pagoda::data {
namespace {

using Vector = std::vector<float>;

Vector row_of(const Attributes& table, const std::string& column, size_t row) {
  const auto vectors = table.find_vectors(column);
  if (!vectors->has(row)) return {};
  Vector vector(vectors->width());
  vectors->read(row, vector.data());
  return vector;
}

class TableVectors : public files::FilesTest {
 protected:
  static Attributes ids(const std::vector<std::string>& ids) {
    Attributes table;
    for (const auto& id : ids) table.ids.add(id);
    return table;
  }
  std::string vectors(const std::string& name, const std::vector<std::string>& ids, const std::vector<Vector>& rows) {
    math::Matrix<float> values(rows.size(), rows[0].size());
    for (size_t r = 0; r < rows.size(); ++r) std::ranges::copy(rows[r], values[r]);
    write_vectors(path(name), values, ids, "item_id");
    return path(name);
  }
  static std::string said(const std::function<void()>& f) {
    testing::internal::CaptureStderr();
    f();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(TableVectors, AWantedColumnIsReadAsVectorsAndBadCellsAreCounted) {
  const auto csv =
      file("a.csv", "item_id,v,w,n\ni1,\"[1, 2]\",\"[1, 2]\",3\ni2,\"[3, 4]\",,4\ni3,\"[5]\",,5\ni4,,,6\n");
  Attributes table;
  const auto text = said([&] {
    table = load_attributes({.paths = {csv}, .id = "item_id", .vectors = {"v"}, .times = {}, .bad_rows = {}});
  });
  EXPECT_EQ(table.names(), (std::vector<std::string>{"w", "n"}));
  ASSERT_EQ(table.vectors.size(), 1u);
  EXPECT_EQ(row_of(table, "v", 0), (Vector{1, 2}));
  EXPECT_EQ(row_of(table, "v", 1), (Vector{3, 4}));
  EXPECT_EQ(row_of(table, "v", 2), Vector{});
  EXPECT_EQ(row_of(table, "v", 3), Vector{});
  EXPECT_NE(text.find("column 'v': 1 cells are not vectors of 2 finite numbers, and count as missing"), text.npos)
      << text;
  EXPECT_NE(text.find("a.csv:4"), text.npos) << text;
}

TEST_F(TableVectors, AColumnWithoutAnyVectorIsAnError) {
  const auto csv = file("a.csv", "item_id,v\ni1,red\ni2,blue\n");
  const auto caught = files::error_of(
      [&] { load_attributes({.paths = {csv}, .id = "item_id", .vectors = {"v"}, .times = {}, .bad_rows = {}}); });
  EXPECT_TRUE(caught.says("column 'v' is declared a vector but holds none")) << caught.message;
}

TEST_F(TableVectors, AFileOfVectorsIsJoinedById) {
  for (const auto* name : {"text.npy", "text.fbin"}) {
    auto table = ids({"a", "b", "c"});
    const auto text =
        said([&] { add_vectors(table, vectors(name, {"c", "x", "a"}, {{1, 2}, {3, 4}, {5, 6}}), "item_id"); });
    EXPECT_EQ(row_of(table, "text", 0), (Vector{5, 6}));
    EXPECT_EQ(row_of(table, "text", 1), Vector{});
    EXPECT_EQ(row_of(table, "text", 2), (Vector{1, 2}));
    EXPECT_NE(text.find("1 of its 3 ids are not in the table"), text.npos) << text;
    EXPECT_NE(text.find("1 of 3 rows of the table have no vector"), text.npos) << text;
  }
  Attributes none;
  add_vectors(none, vectors("text.parquet", {"c", "a"}, {{1, 2}, {5, 6}}), "item_id");
  ASSERT_EQ(none.rows(), 2u);
  EXPECT_EQ(none.ids[0], "c");
  EXPECT_EQ(row_of(none, "vector", 1), (Vector{5, 6}));
}

TEST_F(TableVectors, AFileThatCannotBeJoinedIsNamed) {
  auto table = ids({"a", "b"});
  const auto says = [&](const std::string& file, const std::string& text) {
    const auto caught = files::error_of([&] { add_vectors(table, file, "item_id"); });
    EXPECT_EQ(caught.kind, ErrorKind::input);
    EXPECT_TRUE(caught.says(file) && caught.says(text)) << caught.message;
  };
  says(vectors("a.npy", {}, {{1, 2}}), "a.npy.ids.txt");
  says(vectors("b.npy", {"a", "a"}, {{1, 2}, {3, 4}}), "'a' has a second vector in row 1");
  says(vectors("c.npy", {"x", "y"}, {{1, 2}, {3, 4}}), "none of its 2 ids");
  says(vectors("d.npy", {"a", "b"}, {{1, 2}, {3, INFINITY}}), "component 1 of row 1");
  add_vectors(table, vectors("e.npy", {"a", "b"}, {{1, 2}, {3, 4}}), "item_id");
  says(path("e.npy"), "a column 'e', which the table has");
}

TEST_F(TableVectors, NewerRowsReplaceOldOnesAndWidthsMustAgree) {
  auto before = ids({"a", "b", "c"}), now = ids({"b", "d"});
  add_vectors(before, vectors("v.npy", {"a", "b"}, {{1, 2}, {3, 4}}), "item_id");
  add_vectors(now, vectors("v.npy", {"b", "d"}, {{5, 6}, {7, 8}}), "item_id");
  const auto all = with_newer(before, now);
  ASSERT_EQ(all.rows(), 4u);
  EXPECT_EQ(row_of(all, "v", 0), (Vector{1, 2}));
  EXPECT_EQ(row_of(all, "v", 1), (Vector{5, 6}));
  EXPECT_EQ(row_of(all, "v", 2), Vector{});
  EXPECT_EQ(row_of(all, "v", 3), (Vector{7, 8}));
  EXPECT_EQ(row_of(with_newer(before, ids({"b"})), "v", 1), (Vector{3, 4})) << "a row that brings none keeps its own";
  auto some = ids({"a", "b", "d"});
  add_vectors(some, vectors("v.npy", {"d"}, {{7, 8}}), "item_id");
  EXPECT_EQ(row_of(with_newer(before, some), "v", 0), (Vector{1, 2})) << "a file of new items beside a table of all";
  before.columns.emplace_back().name = "title";
  for (const char* title : {"x", "y", "z"}) before.columns[0].push_text(title);
  EXPECT_EQ(with_newer(before, now).columns[0].text_of(1), "y") << "vectors alone say nothing of titles";
  auto wider = ids({"b"});
  add_vectors(wider, vectors("v.npy", {"b"}, {{5, 6, 7}}), "item_id");
  EXPECT_TRUE(files::error_of([&] { with_newer(before, wider); }).says("have 3 components"));
}

}  // namespace
}  // namespace pagoda::data
