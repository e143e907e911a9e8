#include "core/suggest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pagoda {
namespace {

TEST(Suggest, EditDistanceCountsInsertionsDeletionsChangesAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("recal", "recall"), 1u);
  EXPECT_EQ(edit_distance("tiem", "time"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);  // 2 only if a swapped pair could be edited again
}

TEST(Suggest, TheNearestNameIsProposed) {
  const std::vector<std::string> known = {"temperature", "correction", "kind", "logq_weight"};
  EXPECT_EQ(nearest("temprature", known), "temperature");
  EXPECT_EQ(nearest("Correction", known), "correction");
  EXPECT_EQ(nearest("weight", known), "logq_weight");  // a part of a name
  EXPECT_EQ(suggestion("kidn", known), "; did you mean 'kind'?");
}

TEST(Suggest, NothingIsProposedWhenNothingIsNear) {
  const std::vector<std::string> known = {"user", "k"};
  EXPECT_EQ(nearest("zzzzzzz", known), "");
  EXPECT_EQ(nearest("j", known), "");
  EXPECT_EQ(nearest("kind", known), "");
  EXPECT_EQ(suggestion("zzzzzzz", known), "; known: user, k");
  EXPECT_EQ(suggestion("zzzzzzz", {}), "");
  const std::string endless(1'000'000, 'k');  // compared with all of these it would take seconds
  EXPECT_EQ(nearest(endless, std::vector<std::string>(10'000, "kk")), "");
}

TEST(Suggest, OfManyKnownNamesTheFirstDozenIsListed) {
  std::vector<std::string> known;
  for (int i = 10; i < 30; ++i) known.push_back("column" + std::to_string(i));
  const std::string list = suggestion("zz", known);
  EXPECT_NE(list.find("column21, ..."), list.npos);
  EXPECT_EQ(list.find("column22"), list.npos);
}

}  // namespace
}  // namespace pagoda
