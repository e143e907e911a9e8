#include "columns/time_form.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "columns/column.h"

namespace pagoda::columns {
namespace {

constexpr int64_t kSecond = 1000000, kDay = 86400 * kSecond;
constexpr int64_t kNow = 20000 * kDay;  // 2024-10-04

std::optional<int64_t> read(std::string_view text, TimeForm form = {}) {
  const auto time = parse_time(text);
  return time ? timestamp_us(*time, form) : std::nullopt;
}

ParsedTimes written(const std::vector<std::string>& texts) {
  ParsedTimes times;
  for (const auto& text : texts) times.push(*parse_time(text));
  return times;
}

// In seconds since 1970 by Python's datetime.
TEST(TimeForm, TextsOfManyKindsAreTheSameMoment) {
  for (const char* text :
       {"2024-05-31T10:00:00Z", "2024-05-31 10:00", "2024-05-31T12:00:00.000+02:00", "20240531T100000Z",
        "20240531T1000", "2024/05/31 10:00", "2024.5.31 10:00:00", "31 May 2024 10:00", "31-May-2024 10:00:00",
        "May 31, 2024 10:00 AM", "May 31st 2024 at 10:00am", "Fri, 31 May 2024 10:00:00 GMT",
        "Fri, 31 May 2024 12:00:00 +0200", "Fri May 31 10:00:00 +0000 2024", "Fri May 31 10:00:00 UTC 2024",
        "Fri May 31 2024 12:00:00 GMT+0200 (Central European Summer Time)", "31/May/2024:10:00:00 +0000",
        "2024 May 31 10:00"})
    EXPECT_EQ(read(text), 1717149600 * kSecond) << text;
  EXPECT_EQ(read("May 31, 2024 10:00 PM"), (1717149600 + 12 * 3600) * kSecond);
  EXPECT_EQ(read("31 May 2024 12:00 AM"), (1717149600 - 10 * 3600) * kSecond);
  EXPECT_EQ(read("2024-05-31T24:00:00Z"), (1717149600 + 14 * 3600) * kSecond);
  EXPECT_EQ(read("01-Jan-1995"), 788918400 * kSecond);
  EXPECT_EQ(read("12-Sept-69"), -9590400 * kSecond) << "two digits of a year are of 1969 to 2068";
}

TEST(TimeForm, WhatIsNoTimeIsNone) {
  for (const char* text : {"", "NA", "31 June 2024", "2024-02-30", "31 May", "May 2024", "10:00", "2024/13/01", "1.2.3",
                           "13 May 2024 13:00 PM", "Fri 31 May 2024 10:00 PST", "99/99/2024", "2024-05-31T24:01Z",
                           "20240531T", "31 May 2024 May", "123/4/2024", "hello, world", "2024-05-31T10:00:00+"})
    EXPECT_EQ(read(text), std::nullopt) << text;
}

TEST(TimeForm, DigitsBelowAMicrosecondAreLeftOutAndTold) {
  EXPECT_FALSE(parse_time("2024-05-31T10:00:00.123456000Z")->finer);
  EXPECT_TRUE(parse_time("2024-05-31T10:00:00.1234567Z")->finer);
  EXPECT_EQ(read("1969-12-31T23:59:59.9999999Z"), -1) << "rounded down";
  EXPECT_TRUE(parse_time("31 May 2024 10:00:00.1234567")->finer);
  EXPECT_EQ(written({"1717149600000000001", "1717149600000000000"}).finer({TimeUnit::ns}), 1u);
  EXPECT_EQ(read("-1", {TimeUnit::ns}), -1);
}

TEST(TimeForm, ADateWithoutDoubtNeedsNoOrder) {
  const int64_t may31 = 1717113600 * kSecond;
  for (const char* text : {"05/31/2024", "31/05/2024", "31.05.2024", "5-31-24"}) EXPECT_EQ(read(text), may31) << text;
  EXPECT_EQ(read("05/06/2024"), std::nullopt);
  EXPECT_EQ(read("05/05/2024"), 1714867200 * kSecond) << "it is the same either way";
  EXPECT_EQ(read("05/06/2024 01:00 +0200", {.order = DateOrder::day_first}), (1717545600 - 3600) * kSecond);
  EXPECT_EQ(read("05/06/2024 23:00 -0200", {.order = DateOrder::month_first}), (1714953600 + 25 * 3600) * kSecond);
  EXPECT_EQ(read("05/31/2024", {.order = DateOrder::day_first}), std::nullopt);
}

TEST(TimeForm, OneDateTellsTheOrderOfTheWholeColumn) {
  EXPECT_EQ(written({"05/06/2024", "05/31/2024", "01/02/2024"}).form({}).order, DateOrder::month_first);
  EXPECT_EQ(written({"05/06/2024", "31/05/2024"}).form({}).order, DateOrder::day_first);
  const auto open = written({"06/06/2024", "05/06/2024"});
  EXPECT_EQ(open.form({}).order, DateOrder::automatic);
  EXPECT_EQ(open.first_open_date()->row, 1u);
  EXPECT_EQ(open.first_open_date()->text, "05/06/2024");
  EXPECT_EQ(open.form({}, {.order = DateOrder::day_first}).order, DateOrder::day_first);
  EXPECT_EQ(written({"31/05/2024"}).form({.order = DateOrder::month_first}).order, DateOrder::month_first) << "as told";
}

TEST(TimeForm, NumbersAreOfOneUnit) {
  const auto unit = [](const std::vector<std::string>& texts) { return written(texts).form({}).unit; };
  EXPECT_EQ(unit({"1714557600", "1714557601.5"}), TimeUnit::s);
  EXPECT_EQ(unit({"1714557600000", "1714557600"}), TimeUnit::ms) << "the median is that of the greater two";
  EXPECT_EQ(unit({"1714557600000000"}), TimeUnit::us);
  EXPECT_EQ(unit({"1714557600000000000"}), TimeUnit::ns);
  EXPECT_EQ(unit({"0", "60", "86400"}), TimeUnit::s);
  EXPECT_EQ(unit({"20240501", "19991231"}), TimeUnit::date);
  EXPECT_EQ(unit({"202405", "199912"}), TimeUnit::date);
  EXPECT_EQ(unit({"20240501103000"}), TimeUnit::date);
  EXPECT_EQ(unit({"20240501", "20241301"}), TimeUnit::s) << "not all of them are dates";
  EXPECT_EQ(unit({"1995", "2024"}), TimeUnit::year);
  EXPECT_EQ(unit({"2024-05-01"}), TimeUnit::automatic) << "there is no number";
  EXPECT_EQ(read("20240501", {TimeUnit::date}), 1714521600 * kSecond);
  EXPECT_EQ(read("20240501103000", {TimeUnit::date}), (1714521600 + 10 * 3600 + 1800) * kSecond);
  EXPECT_EQ(read("202405", {TimeUnit::date}), 1714521600 * kSecond);
  EXPECT_EQ(read("2024", {TimeUnit::year}), 1704067200 * kSecond);
  EXPECT_EQ(read("9999999999999999", {TimeUnit::s}), std::nullopt) << "beyond what microseconds count";
}

TEST(TimeForm, SmallTimesKeepTheirOrder) {
  ParsedTimes times;  // microseconds of three days, whose greatest are 1e11 and more
  for (int64_t i = 0; i < 40; ++i) times.push({ParsedTime::Kind::number, i * 6'480'000'000});
  const auto form = times.form({});
  std::vector<UnusableTime> bad;
  const auto timestamps = std::move(times).timestamps(form, {}, bad);
  EXPECT_TRUE(bad.empty());
  EXPECT_TRUE(std::ranges::is_sorted(timestamps));
  for (size_t i = 1; i < timestamps.size(); ++i)
    EXPECT_EQ(timestamps[i] - timestamps[i - 1], timestamps[1] - timestamps[0]) << "one unit for all of them";
}

TEST(TimeForm, ClocksThatAreOffAreKnownByTheOthers) {
  std::vector<int64_t> times(100, 19000 * kDay);
  auto bounds = clock_bounds(times, kNow);
  EXPECT_TRUE(bounds.hold(kNow) && bounds.hold(10000 * kDay));
  for (const int64_t off : {int64_t{0}, int64_t{-1}, -25567 * kDay, 20 * kDay, kNow + 2 * kDay})
    EXPECT_FALSE(bounds.hold(off)) << off;
  bounds = clock_bounds(std::vector<int64_t>{0, kDay, 2 * kDay}, kNow);
  EXPECT_TRUE(bounds.hold(0) && bounds.hold(-kDay)) << "a log that counts from its own beginning";
  EXPECT_FALSE(bounds.hold(kNow + 2 * kDay));
}

TEST(TimeForm, AColumnOfTextsIsTakenWholeOrNotAtAll) {
  Column texts, bad;
  for (const char* text : {"1717149600", " 1717149601 ", "2024-05-31T10:00:02.0000005Z"}) {
    texts.push_text(text);
    bad.push_text(text);
  }
  bad.push_text("soon");
  ParsedTimes times;
  EXPECT_FALSE(times.append(bad));
  EXPECT_EQ(times.size(), 0u);
  EXPECT_EQ(times.finer({}), 0u);
  EXPECT_FALSE(times.has_numbers());
  ASSERT_TRUE(times.append(texts));
  EXPECT_FALSE(times.append(bad));
  EXPECT_EQ(times.finer({}), 1u);
  std::vector<UnusableTime> unusable;
  EXPECT_EQ(std::move(times).timestamps({TimeUnit::s}, {}, unusable),
            (std::vector<int64_t>{1717149600 * kSecond, 1717149601 * kSecond, 1717149602 * kSecond}));
  EXPECT_TRUE(unusable.empty());
}

TEST(TimeForm, OneTimeOutsideTheBoundsIsFoundAmongMany) {
  for (const auto type : {ColumnType::integer, ColumnType::time}) {
    const int64_t unit = type == ColumnType::time ? kSecond : 1;
    Column column;
    column.type = type;
    for (int64_t i = 0; i < 5000; ++i) column.integers.push_back((1717149600 + i) * unit);
    column.integers[3210] = kNow / kSecond * unit + unit;
    ParsedTimes times;
    ASSERT_TRUE(times.append(column));
    std::vector<UnusableTime> unusable;
    const auto timestamps = std::move(times).timestamps({TimeUnit::s}, {.latest_us = kNow}, unusable);
    ASSERT_EQ(unusable.size(), 1u);
    EXPECT_EQ(unusable[0].row, 3210u);
    EXPECT_EQ(unusable[0].timestamp_us, kNow + kSecond);
    for (size_t i = 0; i < timestamps.size(); ++i)
      if (i != 3210) ASSERT_EQ(timestamps[i], (1717149600 + static_cast<int64_t>(i)) * kSecond) << i;
  }
}

TEST(TimeForm, ATablesColumnIsDecidedByItself) {
  Column column;
  column.type = ColumnType::integer;
  for (const int64_t year : {1995, 1999, 2012}) column.push_integer(year);
  EXPECT_EQ(time_form_of(column, {TimeUnit::s}).unit, TimeUnit::year);
  column.times = time_form_of(column, {});
  EXPECT_EQ(column.as_time_us(0), 788918400 * kSecond);
  column.clear();
  for (const int64_t small : {10, 20}) column.push_integer(small);
  EXPECT_EQ(time_form_of(column, {TimeUnit::ms}).unit, TimeUnit::ms) << "it says nothing: as the log's";
  Column text;
  for (const char* date : {"25/12/2023", "", "05/06/2024"}) text.push_text(date);
  text.times = time_form_of(text, {});
  EXPECT_EQ(text.as_time_us(2), 1717545600 * kSecond);
}

}  // namespace
}  // namespace pagoda::columns
