#include "columns/id_mapper.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace pagoda::columns {
namespace {

using Numbers = std::vector<uint32_t>;

Column column_of(const std::vector<std::string>& texts) {
  Column column;
  for (const auto& text : texts) column.push_text(text);
  return column;
}

TEST(IdMapper, TextsAreNumberedInOrderOfFirstOccurrenceBatchAfterBatch) {
  Interner ids;
  IdMapper mapper(ids);
  Numbers numbers;
  for (const auto& column : {column_of({"b", "a", "b", "c"}), column_of({"d", "a", "d", "e"})}) {
    mapper.start(column);
    ASSERT_TRUE(mapper.all_valid());
    mapper.number(ids, numbers);
  }
  EXPECT_EQ(numbers, (Numbers{0, 1, 0, 2, 3, 1, 3, 4}));
  EXPECT_EQ(ids[4], "e");
}

TEST(IdMapper, ABatchWithACellThatIsNoIdIsTakenRowByRow) {
  Interner ids;
  IdMapper mapper(ids);
  for (const char* bad : {"", "\xff"}) {
    const auto column = column_of({"b", bad, "a"});
    mapper.start(column);
    EXPECT_FALSE(mapper.all_valid());
    EXPECT_EQ(ids.size(), 0u);
    mapper.look_up();
    EXPECT_EQ(mapper.find(0), Interner::kNone);
  }
  auto column = column_of({"b"});
  column.push_null();
  mapper.start(column);
  EXPECT_FALSE(mapper.all_valid());
}

// Of a context column, where an empty cell is a value.
TEST(IdMapper, AnEmptyTextThatHasANumberIsValid) {
  Interner ids;
  EXPECT_EQ(ids.add(""), 0u);
  IdMapper mapper(ids);
  const auto column = column_of({"a", ""});
  mapper.start(column);
  ASSERT_TRUE(mapper.all_valid());
  Numbers numbers{7};
  mapper.number(ids, numbers);
  EXPECT_EQ(numbers, (Numbers{7, 1, 0}));
}

TEST(IdMapper, TextsCodesAndIntegersOfOneIdHaveOneNumber) {
  Interner ids;
  IdMapper mapper(ids);
  Numbers numbers;
  const auto texts = column_of({"7", "8"});
  Column codes;
  auto words = std::make_shared<math::Ragged<char>>();
  for (const std::string word : {"8", "9"}) words->push(word);
  codes.words = words;
  codes.codes = {1, 0, 1};
  Column integers;
  integers.type = ColumnType::integer;
  integers.integers = {9, 10, 7};
  for (const Column* column : std::initializer_list<const Column*>{&texts, &codes, &integers}) {
    mapper.start(*column);
    ASSERT_TRUE(mapper.all_valid());
    mapper.number(ids, numbers);
  }
  EXPECT_EQ(numbers, (Numbers{0, 1, 2, 1, 2, 2, 3, 0}));
}

}  // namespace
}  // namespace pagoda::columns
