#include "data/answer.h"

#include <gtest/gtest.h>

namespace pagoda::data {
namespace {

TEST(Answer, IsOneOrZeroTrueOrFalse) {
  for (const auto* yes : {"1", "1.0", " 1 ", "true", "True", "TRUE", "yes"}) EXPECT_EQ(answer_of(yes), true) << yes;
  for (const auto* no : {"0", "0.0", "-0", "false", "False", "FALSE", "no"}) EXPECT_EQ(answer_of(no), false) << no;
  for (const auto* other : {"2", "-1", "0.5", "", "NA", "maybe", "nan"}) EXPECT_FALSE(answer_of(other)) << other;
}

TEST(Answer, OfACellIsThatOfItsText) {
  std::string scratch;
  columns::Column column;
  column.type = columns::ColumnType::integer;
  for (const int64_t value : {0, 1, 2, -1}) column.push_integer(value);
  column.push_null();
  for (size_t row = 0; row < column.rows(); ++row)
    EXPECT_EQ(answer_of(column, row, scratch), answer_of(column.as_text(row, scratch))) << row;
  EXPECT_EQ(answer_of(column, 1, scratch), true);
  EXPECT_FALSE(answer_of(column, 2, scratch));
}

}  // namespace
}  // namespace pagoda::data
