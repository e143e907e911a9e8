#include "columns/vector_cells.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pagoda::columns {
namespace {

size_t length_of(const std::vector<std::vector<std::string>>& lists) {
  Column column;
  column.type = ColumnType::texts;
  for (const auto& list : lists) {
    for (const auto& element : list) column.push_element(element);
    column.end_list();
  }
  column.push_null();
  VectorCells cells;
  for (size_t row = 0; row < column.rows(); ++row) cells.look(column, row);
  return cells.length();
}

TEST(VectorCells, ListsOfAsManyNumbersWithFractionsAreVectors) {
  EXPECT_EQ(length_of({{"0.25", "-1.5", "3e-7", "2"}, {"0.125", "7", "0.5", "-0.75"}}), 4u);
  EXPECT_EQ(length_of({{"0.25", "-1.5", "3e-7", "2"}, {}, {"0.125", "7", "0.5", "-0.75"}}), 4u)
      << "a list may be empty";
}

TEST(VectorCells, WordsNumbersThatNameAndListsOfAnyLengthAreNone) {
  EXPECT_EQ(length_of({}), 0u);
  EXPECT_EQ(length_of({{"a", "b", "c", "d"}, {"a", "b", "c", "0.5"}}), 0u);
  EXPECT_EQ(length_of({{"6285", "194", "7", "8"}, {"6285", "195", "9", "10"}}), 0u);
  EXPECT_EQ(length_of({{"4.5", "3.5", "2.5", "0.5"}, {"4.5"}}), 0u);
  EXPECT_EQ(length_of({{"9.99", "5.49"}, {"9.99", "4.49"}}), 0u);
}

TEST(VectorCells, ATextIsCutAtItsSeparator) {
  Column column;
  column.push_text("0.5|0.25|0.125|1");
  VectorCells cells('|');
  cells.look(column, 0);
  EXPECT_EQ(cells.length(), 4u);
}

}  // namespace
}  // namespace pagoda::columns
