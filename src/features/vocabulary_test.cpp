#include "features/vocabulary.h"

#include <gtest/gtest.h>

#include "formats/formats_test.h"

namespace pagoda::features {
namespace {

columns::Interner interner(const std::vector<std::string>& words) {
  columns::Interner strings;
  for (const auto& w : words) strings.add(w);
  return strings;
}

TEST(Vocabulary, FrequentWordsHaveRowsInTheirOrderAndTheRestShareBuckets) {
  const auto v = Vocabulary::build(interner({"a", "b", "c", "d"}), std::vector<uint64_t>{5, 1, 2, 0}, 2, 3);
  EXPECT_EQ(v.words(), 2u);
  EXPECT_EQ(v.buckets(), 3u);
  EXPECT_EQ(v.rows(), 5u);
  EXPECT_EQ(v.row("a"), 0u);
  EXPECT_EQ(v.row("c"), 1u);
  for (const char* word : {"b", "d", "never seen", ""}) {
    EXPECT_GE(v.row(word), 2u) << word;
    EXPECT_LT(v.row(word), 5u) << word;
    EXPECT_EQ(v.row(word), v.row(word));
  }
}

TEST(Vocabulary, UnknownWordsSpreadOverAllBuckets) {
  const auto v = Vocabulary::build(interner({"a"}), std::vector<uint64_t>{1}, 1, 8);
  std::vector<int> hits(8);
  for (int i = 0; i < 8000; ++i) ++hits[v.row("word" + std::to_string(i)) - 1];
  double chi_square = 0;
  for (int h : hits) chi_square += (h - 1000.0) * (h - 1000.0) / 1000.0;
  EXPECT_LT(chi_square, 24.3);  // 7 degrees of freedom, p = 0.001
}

TEST(Vocabulary, OneThatIsSavedAndLoadedGivesTheSameRows) {
  const auto v = Vocabulary::build(interner({"a", "b", "c"}), std::vector<uint64_t>{3, 3, 1}, 2, 4);
  ByteWriter out;
  v.save(out);
  ByteReader in(std::as_bytes(std::span(out.bytes())), "test");
  const auto loaded = Vocabulary::load(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(loaded.rows(), v.rows());
  for (const char* word : {"a", "b", "c", "d"}) EXPECT_EQ(loaded.row(word), v.row(word));
}

TEST(Vocabulary, OfIdsHasARowForEachSpelling) {
  const auto v = Vocabulary::build(interner({"7", "007"}), std::vector<uint64_t>{1, 1}, 1, 1000);
  EXPECT_EQ(v.row("7"), 0u);
  EXPECT_EQ(v.row("007"), 1u);
  EXPECT_GE(v.row("7.0"), 2u);
}

TEST(Vocabulary, OfValuesHasOneRowForTheirSpellingsAndOneBucketForThoseWithout) {
  const auto v = Vocabulary::build(interner({"7", "true", "2024-05-01T00:00:00Z"}), std::vector<uint64_t>{1, 1, 1}, 1,
                                   100000, Spelling::canonical);
  for (const char* seven : {"7", "007", "7.0", "7e0"}) EXPECT_EQ(v.row(seven), 0u) << seven;
  for (const char* yes : {"true", "True", "TRUE"}) EXPECT_EQ(v.row(yes), 1u) << yes;
  for (const char* day : {"2024-05-01", "2024-05-01 00:00", "2024-05-01T02:00:00+02:00"})
    EXPECT_EQ(v.row(day), 2u) << day;
  EXPECT_EQ(v.row("8.50"), v.row("8.5"));
  EXPECT_NE(v.row("8.5"), v.row("8.6"));
}

TEST(Vocabulary, OfABundleOfTheFirstVersionIsFoundByItsSpellingAndByAnother) {
  const auto written = Vocabulary::build(interner({"7.0", "07", "True"}), std::vector<uint64_t>{1, 1, 1}, 1, 100000);
  ByteWriter out;
  written.save(out);
  ByteReader in(std::as_bytes(std::span(out.bytes())), "test");
  const auto v = Vocabulary::load(in, Spelling::either);
  EXPECT_EQ(v.row("7.0"), 0u);
  EXPECT_EQ(v.row("07"), 1u);
  EXPECT_EQ(v.row("7"), 0u);
  EXPECT_EQ(v.row("true"), 2u);
  EXPECT_EQ(v.row("8.50"), written.row("8.50")) << "in the bucket that it was trained in";
}

TEST(Vocabulary, BytesThatCannotBeAreRefused) {
  const auto load = [](uint32_t buckets, const std::vector<uint64_t>& offsets, std::string_view chars) {
    ByteWriter out;
    out.value(buckets);
    out.array(offsets);
    out.array(std::span<const char>(chars));
    return files::error_of([&] {
      ByteReader in(std::as_bytes(std::span(out.bytes())), "m.pagoda: section 'x'");
      Vocabulary::load(in);
    });
  };
  EXPECT_TRUE(load(0, {0, 1}, "a").says("without buckets"));
  EXPECT_TRUE(load(1, {0, 2, 1}, "a").says("do not follow"));
  EXPECT_TRUE(load(1, {0, 9}, "a").says("do not follow"));
  EXPECT_TRUE(load(1, {1, 1}, "a").says("do not follow"));
  EXPECT_TRUE(load(1, {}, "").says("do not follow"));
  EXPECT_TRUE(load(1, {0, 1, 2}, "aa").says("twice"));
  EXPECT_TRUE(load(1, {0, 1, 2}, "aa").says("section 'x'"));
}

TEST(Vocabulary, IsExtendedBehindItsWordsAndItsBucketsFollow) {
  const auto before = Vocabulary::build(interner({"a", "b", "c"}), std::vector<uint64_t>{3, 1, 2}, 2, 4);
  const auto now = before.extended(interner({"d", "a", "b", "e"}), std::vector<uint64_t>{2, 1, 2, 1}, 2);
  EXPECT_EQ(now.row("a"), before.row("a"));
  EXPECT_EQ(now.row("c"), before.row("c"));
  EXPECT_EQ(now.row("d"), 2u);
  EXPECT_EQ(now.row("b"), 3u) << "it has been seen often enough by now";
  EXPECT_EQ(now.words(), 4u);
  const auto move = now.move_from(before);
  EXPECT_TRUE(move.renewed.empty());
  EXPECT_EQ(move.of(1), 1u);
  EXPECT_EQ(move.of(before.row("e")), now.row("e")) << "a bucket keeps what hashes to it";
  EXPECT_EQ(now.row("e"), now.bucket_row("e"));
}

TEST(Vocabulary, RowsThatWereLetGoAreGivenToTheNextWordsLowestFirst) {
  const auto before = Vocabulary::build(interner({"a", "b", "c", "d"}), std::vector<uint64_t>{1, 1, 1, 1}, 1, 4);
  const auto less = before.without(std::vector<uint32_t>{3, 1});
  EXPECT_GE(less.row("b"), 4u);
  EXPECT_EQ(less.row("c"), 2u);
  EXPECT_EQ(less.rows(), before.rows());
  const auto now = less.extended(interner({"e", "b", "f"}), std::vector<uint64_t>{1, 1, 1}, 1);
  EXPECT_EQ(now.row("e"), 1u);
  EXPECT_EQ(now.row("b"), 3u) << "it comes back as any new word";
  EXPECT_EQ(now.row("f"), 4u);
  EXPECT_GE(now.row("d"), 5u);
  EXPECT_EQ(now.move_from(before).renewed, (std::vector<uint32_t>{1, 3}));
  ByteWriter out;
  less.save(out);
  ByteReader in(std::as_bytes(std::span(out.bytes())), "test");
  EXPECT_EQ(Vocabulary::load(in).extended(interner({"e"}), std::vector<uint64_t>{1}, 1).row("e"), 1u);
}

TEST(Vocabulary, OfAnOldBundleIsExtendedByValuesAndFindsTheirSpellings) {
  ByteWriter out;
  Vocabulary::build(interner({"7.0"}), std::vector<uint64_t>{1}, 1, 4).save(out);
  ByteReader in(std::as_bytes(std::span(out.bytes())), "test");
  const auto now =
      Vocabulary::load(in, Spelling::either).extended(interner({"7", "8"}), std::vector<uint64_t>{1, 1}, 1);
  EXPECT_EQ(now.row("7"), 0u);
  EXPECT_EQ(now.row("8.0"), 1u);
  EXPECT_EQ(now.words(), 2u);
}

}  // namespace
}  // namespace pagoda::features
