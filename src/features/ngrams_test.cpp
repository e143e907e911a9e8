#include "features/ngrams.h"

#include <gtest/gtest.h>

#include "features/vocabulary.h"

namespace pagoda::features {
namespace {

constexpr uint32_t kBuckets = 1 << 20;

std::vector<uint32_t> grams(std::string_view text, bool trigrams, int words) {
  std::vector<uint32_t> out;
  hash_ngrams(text, trigrams, words, kBuckets, out);
  return out;
}
uint32_t tri(std::string_view gram) { return static_cast<uint32_t>(hash_text(gram, 3) % kBuckets); }
uint32_t run(int words, std::string_view gram) {
  return static_cast<uint32_t>(hash_text(gram, 100 + static_cast<uint64_t>(words)) % kBuckets);
}
using List = std::vector<uint32_t>;

TEST(Ngrams, AreTheTrigramsOfEachWordAndTheRunsOfWords) {
  EXPECT_EQ(grams("Ab, c", true, 2),
            (List{tri("^ab"), tri("ab$"), run(1, "ab"), tri("^c$"), run(1, "c"), run(2, "ab c")}));
  EXPECT_EQ(grams("x y z", false, 2), (List{run(1, "x"), run(1, "y"), run(2, "x y"), run(1, "z"), run(2, "y z")}));
  EXPECT_EQ(grams("x y z", false, 3).back(), run(3, "x y z"));
  EXPECT_EQ(grams("abc", true, 0), (List{tri("^ab"), tri("abc"), tri("bc$")}));
}

TEST(Ngrams, NeverCutACharacterOfSeveralBytes) {
  EXPECT_EQ(grams("n\xc3\xa9", true, 0), (List{tri("^n\xc3\xa9"), tri("n\xc3\xa9$")}));
  EXPECT_EQ(grams("\xe6\x97\xa5", true, 1), (List{tri("^\xe6\x97\xa5$"), run(1, "\xe6\x97\xa5")}));
}

TEST(Ngrams, RepeatsAreKept) {
  EXPECT_EQ(grams("a-a", true, 1), (List{tri("^a$"), run(1, "a"), tri("^a$"), run(1, "a")}));
}

TEST(Ngrams, OfNoWordsThereAreNone) {
  EXPECT_TRUE(grams("", true, 2).empty());
  EXPECT_TRUE(grams(" .,-!", true, 2).empty());
  EXPECT_TRUE(grams("abc", false, 0).empty());
}

TEST(Ngrams, BytesThatAreNoUtf8AreNoHarm) {
  EXPECT_EQ(grams("\x80\x80", true, 0).size(), 0u);  // no character begins: ^ and $ alone
  EXPECT_EQ(grams("a\xff", true, 0).size(), 2u);
}

TEST(Ngrams, LieBelowTheNumberOfBuckets) {
  List out;
  hash_ngrams("many words of many kinds", true, 3, 7, out);
  for (auto row : out) EXPECT_LT(row, 7u);
  EXPECT_GT(out.size(), 20u);
}

}  // namespace
}  // namespace pagoda::features
