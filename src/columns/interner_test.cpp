#include "columns/interner.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_map>

#include "core/rng.h"

namespace pagoda::columns {
namespace {

TEST(Interner, NumbersAreGivenInOrderOfFirstSight) {
  Interner names;
  EXPECT_EQ(names.find("b"), Interner::kNone);
  EXPECT_EQ(names.add("b"), 0u);
  EXPECT_EQ(names.add("a"), 1u);
  EXPECT_EQ(names.add("b"), 0u);
  EXPECT_EQ(names.add(""), 2u);
  EXPECT_EQ(names.find("a"), 1u);
  EXPECT_EQ(names.find("c"), Interner::kNone);
  EXPECT_EQ(names[1], "a");
  EXPECT_EQ(names[2], "");
  EXPECT_EQ(names.size(), 3u);
}

TEST(Interner, AgreesWithAHashMapOnManyRandomStrings) {
  Interner names;
  std::unordered_map<std::string, uint32_t> reference;
  Rng rng(1, Stream::test);
  for (int i = 0; i < 200000; ++i) {
    const auto name = "u" + std::to_string(rng.below(50000));
    const auto number = reference.try_emplace(name, static_cast<uint32_t>(reference.size())).first->second;
    ASSERT_EQ(names.add(name), number);
  }
  EXPECT_EQ(names.size(), reference.size());
  for (const auto& [name, number] : reference) {
    ASSERT_EQ(names.find(name), number);
    ASSERT_EQ(names[number], name);
  }
}

TEST(Interner, ComesBackFromItsStrings) {
  Interner names;
  for (int i = 0; i < 1000; ++i) names.add("item " + std::to_string(i * 7));
  Interner copy = Interner::from_strings(names.strings());
  EXPECT_EQ(copy.find("item 693"), 99u);
  EXPECT_EQ(copy.find("item 1"), Interner::kNone);
  EXPECT_EQ(copy.add("item 7"), 1u);
  EXPECT_EQ(copy.add("new"), 1000u);
}

TEST(Interner, TextsOfAnyLengthThatDifferInOneByteAreTwo) {
  Interner names;
  uint32_t number = 0;
  for (size_t n = 0; n < 40; ++n) {
    const std::string text(n, 'x');
    EXPECT_EQ(names.add(text), number++);
    for (size_t at = 0; at < n; ++at) {
      std::string other = text;
      other[at] = 'y';
      EXPECT_EQ(names.find(other, Interner::hash_of(text)), Interner::kNone) << "though it is looked up by that hash";
      EXPECT_EQ(names.add(other), number++);
    }
    EXPECT_EQ(names.find(text), names.find(std::string(n, 'x'), Interner::hash_of(text)));
  }
}

TEST(Interner, CarriesBytesThatAreNoText) {
  Interner names;
  EXPECT_EQ(names.add(std::string_view("a\0b", 3)), 0u);
  EXPECT_EQ(names.add("a"), 1u);
  EXPECT_EQ(names.add("\xff"), 2u);
  EXPECT_EQ(names[0].size(), 3u);
}

}  // namespace
}  // namespace pagoda::columns
