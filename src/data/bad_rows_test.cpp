#include "data/bad_rows.h"

#include <gtest/gtest.h>

#include "formats/formats_test.h"

namespace pagoda::data {
namespace {

std::string here() { return "clicks.csv:1841"; }

TEST(BadRows, TheFirstOneStopsWithPlaceColumnValueAndRemedy) {
  BadRows rows({});
  const auto error = files::error_of([&] { rows.report(here, "price", "N/A", "a number"); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_EQ(error.message,
            "clicks.csv:1841: column 'price' is 'N/A', expected a number; set on_bad_row = \"skip\" to go on");
}

TEST(BadRows, SkippedOnesAreCountedUpToTheLimit) {
  BadRows rows({OnBadRow::skip, 7});
  int placed = 0;
  const auto place = [&] {
    ++placed;
    return here();
  };
  testing::internal::CaptureStderr();
  for (int i = 0; i < 7; ++i) rows.report(place, "price", "", "a number");
  rows.summarise();
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(rows.count(), 7);
  EXPECT_EQ(placed, 5) << "only the first few are looked up and shown";
  const auto error = files::error_of([&] { rows.report(place, "price", "", "a number"); });
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says("clicks.csv:1841: column 'price' is empty, expected a number")) << error.message;
  EXPECT_TRUE(error.says("more than the 7")) << error.message;
}

TEST(BadRows, AValueThatIsNoTextIsShownByItsBytes) {
  BadRows rows({});
  EXPECT_TRUE(files::error_of([&] { rows.report(here, "id", "caf\xe9\n", "UTF-8 text"); }).says("'caf\\xE9\\x0A'"));
  const auto error = files::error_of([&] { rows.report(here, "id", std::string(5000, 'x'), "a number"); });
  EXPECT_LT(error.message.size(), 250u) << "a long value is cut";
}

}  // namespace
}  // namespace pagoda::data
