#include "features/options.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/config.h"
#include "formats/formats_test.h"

namespace pagoda::features {
namespace {

struct Both {
  UserOptions user;
  ItemOptions item;
  FeatureOptions& feature() { return item.features.emplace_back(FeatureOptions{.column = "c"}); }
};

std::string message(const std::function<void(Both&)>& change) {
  Both o;
  validate(o.user, o.item);  // the defaults hold
  change(o);
  const auto e = files::error_of([&] { validate(o.user, o.item); });
  EXPECT_EQ(e.kind, ErrorKind::usage);
  return e.message;
}
bool says(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

TEST(FeatureOptions, WhatCannotBeIsRefusedWithTheKeyAndItsRange) {
  const std::string where = "[[item.features]] column = \"c\": ";
  EXPECT_TRUE(says(message([](Both& o) { o.feature().column = ""; }), "names no column"));
  EXPECT_TRUE(says(message([](Both& o) { o.feature().dim = 5000; }), where + "dim = 5000 is not in 0 .. 4096"));
  EXPECT_TRUE(says(message([](Both& o) { o.feature().min_count = 0; }), where + "min_count = 0 must be at least 1"));
  EXPECT_TRUE(says(message([](Both& o) { o.feature().hash_buckets = -1; }), "hash_buckets = -1"));
  EXPECT_TRUE(says(message([](Both& o) { o.feature().hash_buckets = int64_t{1} << 32; }), "hash_buckets = 4294967296"));
  EXPECT_TRUE(says(message([](Both& o) { o.feature().separator = "::"; }), "must be one character"));
  EXPECT_TRUE(says(message([](Both& o) { o.feature().word_ngrams = -1; }), "word_ngrams = -1"));
  EXPECT_TRUE(says(message([](Both& o) {
                     auto& f = o.feature();
                     f.kind = FeatureKind::text;
                     f.trigrams = false;
                     f.word_ngrams = 0;
                   }),
                   "nothing is left of the text"));
  EXPECT_TRUE(says(message([](Both& o) {
                     o.user.features = {{.column = "born", .kind = FeatureKind::time, .part = TimePart::age}};
                   }),
                   "put it into [[item.features]]"));
}

TEST(FeatureOptions, IdsHistoriesAndLayersHaveTheirRanges) {
  EXPECT_TRUE(
      says(message([](Both& o) { o.item.id.hash_buckets = 0; }), "item.id.hash_buckets = 0 must be at least 1"));
  EXPECT_TRUE(says(message([](Both& o) { o.user.id.hash_buckets = int64_t{1} << 32; }), "user.id.hash_buckets"));
  EXPECT_TRUE(says(message([](Both& o) { o.item.id.min_count = 0; }), "item.id.min_count = 0"));
  EXPECT_TRUE(says(message([](Both& o) { o.item.id.dim = -8; }), "item.id.dim = -8"));
  EXPECT_TRUE(says(message([](Both& o) { o.user.history.last = -1; }), "user.history.last = -1"));
  EXPECT_TRUE(says(message([](Both& o) { o.user.history.last = int64_t{1} << 40; }), "user.history.last"));
  EXPECT_TRUE(says(message([](Both& o) { o.user.history.dim = -1; }), "user.history.dim = -1"));
  EXPECT_TRUE(says(message([](Both& o) { o.user.history.recency = -1; }), "user.history.recency = -1"));
  EXPECT_TRUE(says(message([](Both& o) { o.user.history.recency = NAN; }), "user.history.recency = nan"));
  EXPECT_TRUE(says(message([](Both& o) { o.user.hidden = {64, 0}; }), "user.hidden: 0"));
  EXPECT_TRUE(says(message([](Both& o) { o.item.hidden = {-2}; }), "item.hidden: -2"));
}

TEST(FeatureOptions, ATowerThatReadsNothingIsRefused) {
  EXPECT_TRUE(says(message([](Both& o) { o.user.history.last = 0; }), "the user tower reads nothing"));
  EXPECT_TRUE(says(message([](Both& o) { o.item.id.enabled = false; }), "the item tower reads nothing"));
  EXPECT_TRUE(says(message([](Both& o) {
                     o.feature();
                     o.item.id.enabled = false;
                     o.user.history.table = HistoryTable::shared;
                   }),
                   "\"shared\" needs item.id.enabled"));
}

TEST(FeatureOptions, AreReadFromAConfigAndWrittenBackTheSame) {
  const std::string text = R"(
hidden = [8]
[id]
enabled = true
[history]
last = 7
table = "shared"
recency = 0.5
[[features]]
column = "tags"
kind = "multi"
separator = "|"
[[features]]
kind = "time"
part = "weekday"
)";
  UserOptions o;
  Config::from_text(text, "t").read([&](OptionVisitor& f) { describe(f, o); });
  EXPECT_TRUE(o.id.enabled);
  EXPECT_EQ(o.history.last, 7);
  EXPECT_EQ(o.history.table, HistoryTable::shared);
  ASSERT_EQ(o.features.size(), 2u);
  EXPECT_EQ(o.features[0].kind, FeatureKind::multi);
  EXPECT_EQ(o.features[0].separator, "|");
  EXPECT_EQ(o.features[1].part, TimePart::weekday);
  UserOptions again;
  const auto written = to_toml([&](OptionVisitor& f) { describe(f, o); }, false);
  Config::from_text(written, "t").read([&](OptionVisitor& f) { describe(f, again); });
  EXPECT_EQ(to_toml([&](OptionVisitor& f) { describe(f, again); }, false), written);
}

}  // namespace
}  // namespace pagoda::features
