#include "columns/vector_column.h"

#include <gtest/gtest.h>

namespace pagoda::columns {
namespace {

using Vector = std::vector<float>;

// The vector of a row; empty if it has none.
Vector row_of(const VectorColumn& column, size_t row) {
  if (!column.has(row)) return {};
  Vector vector(column.width());
  column.read(row, vector.data());
  return vector;
}

Column texts(const std::vector<std::string>& cells) {
  Column column;
  for (const auto& cell : cells) column.push_text(cell);
  return column;
}

TEST(VectorColumn, CellsAreListsOrTextsThatAreWrittenAsLists) {
  Column lists;
  lists.type = ColumnType::texts;
  for (const auto* element : {"0.5", "-1e3"}) lists.push_element(element);
  lists.end_list();
  lists.push_null();
  lists.end_list();  // an empty list is no vector
  VectorRows rows("title");
  for (size_t row = 0; row < lists.rows(); ++row) EXPECT_TRUE(rows.push(lists, row));
  const auto cells = texts({"[1, 2]", "[3 4.25]", "", "NA"});
  for (size_t row = 0; row < cells.rows(); ++row) EXPECT_TRUE(rows.push(cells, row));
  const auto column = rows.finish();
  EXPECT_EQ(column->name(), "title");
  EXPECT_EQ(column->width(), 2u);
  ASSERT_EQ(column->rows(), 7u);
  EXPECT_EQ(column->missing(), 4u);
  EXPECT_EQ(row_of(*column, 0), (Vector{0.5f, -1000.f}));
  for (const size_t row : {1, 2, 5, 6}) EXPECT_FALSE(column->has(row)) << row;
  EXPECT_EQ(row_of(*column, 3), (Vector{1, 2}));
  EXPECT_EQ(row_of(*column, 4), (Vector{3, 4.25f}));
}

TEST(VectorColumn, ACellThatIsNoVectorOfThatLengthIsMissingAndSaid) {
  VectorRows rows("v");
  rows.set_width(2);
  const auto cells = texts({"[1, 2, 3]", "[1]", "[1, x]", "[1, 1e39]", "word", "[7, 8]"});
  for (size_t row = 0; row < 5; ++row) EXPECT_FALSE(rows.push(cells, row)) << row;
  EXPECT_TRUE(rows.push(cells, 5));
  const auto column = rows.finish();
  EXPECT_EQ(column->missing(), 5u);
  EXPECT_EQ(row_of(*column, 5), (Vector{7, 8}));
}

TEST(VectorColumn, RowsOfOtherColumnsAreSharedNotCopied) {
  VectorRows one("v"), other("v");
  one.push(Vector{1, 2});
  one.push_null();
  other.push(Vector{3, 4});
  const auto halves =
      std::make_shared<const std::vector<uint16_t>>(std::vector<uint16_t>{math::to_f16(0.5f), math::to_f16(-2)});
  auto f16 = std::make_shared<VectorColumn>("v", 2);
  f16->push(f16->add({math::RowsView(math::MatrixView(halves->data(), 1, 2)), halves}), 0);
  VectorColumn all("v", 2);
  {
    const auto a = one.finish(), b = other.finish();
    for (const auto& [from, row] : {std::pair(a, 0), std::pair(b, 0), std::pair(a, 1), std::pair(a, 0)})
      all.push_from(*from, static_cast<size_t>(row));
    all.push_from(*f16, 0);
  }
  ASSERT_EQ(all.rows(), 5u);
  EXPECT_EQ(row_of(all, 0), (Vector{1, 2}));
  EXPECT_EQ(row_of(all, 1), (Vector{3, 4}));
  EXPECT_EQ(row_of(all, 2), Vector{});
  EXPECT_EQ(row_of(all, 3), (Vector{1, 2}));
  EXPECT_EQ(row_of(all, 4), (Vector{0.5f, -2}));
}

}  // namespace
}  // namespace pagoda::columns
