#include "data/interactions.h"

#include <cmath>

#include "formats/formats_test.h"
#include "formats/writer.h"

namespace pagoda::data {
namespace {

class InteractionsTest : public files::FilesTest {
 protected:
  InteractionOptions options(const std::string& path) const {
    InteractionOptions o;
    o.paths = {path};
    return o;
  }
};

TEST_F(InteractionsTest, RowsKeepTheOrderOfTheFileAndIdsAreNumberedAtFirstSight) {
  auto o = options(file("a.csv",
                        "item_id,user_id,ts,r,device\n"
                        "i9,u2,1714557600,2,phone\n"
                        "i1,u1,2024-05-01T10:00:01Z,0.5,\n"
                        "i9,u2,1714557602,1,phone\n"));
  o.time = "ts";
  o.weight = "r";
  o.context = {"device"};
  const auto log = load_interactions(o);
  EXPECT_EQ(log.user, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(log.item, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(log.users[0], "u2");
  EXPECT_EQ(log.items[1], "i1");
  EXPECT_EQ(log.time_us, (std::vector<int64_t>{1714557600000000, 1714557601000000, 1714557602000000}));
  EXPECT_EQ(log.weight, (std::vector<float>{2, 0.5, 1}));
  EXPECT_EQ(log.context[0], (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(log.context_values[0][1], "");
}

TEST_F(InteractionsTest, WhereLeavesRowsOutUncheckedAndPositiveMakesTheOthersShown) {
  auto o = options(file("w.csv",
                        "user_id,item_id,event,rating\n"
                        "u1,i1,buy,5\n"
                        ",,view,0\n"
                        "u2,i2,buy,2\n"
                        "u2,i3,cart,n.a.\n"
                        "u3,i1,cart,4.0\n"));
  o.where = "event in ('buy', 'cart')";
  o.positive = "rating >= 4";
  const auto log = load_interactions(o);
  EXPECT_EQ(log.size(), 2u);
  EXPECT_EQ(log.users[1], "u3");
  EXPECT_EQ(log.shown.size(), 2u);
  EXPECT_EQ(log.shown.items[1], "i3");
  o.weight = "rating";  // a column may have a role and stand in an expression
  o.where = "event = 'buy' and not rating < 3";
  o.positive = "";
  EXPECT_EQ(load_interactions(o).weight, std::vector<float>{5});

  o.where = "event = 'sell'";
  EXPECT_TRUE(files::error_of([&] { load_interactions(o); }).says("data.where = 'event = 'sell'' holds for none"));
  o.where = "evnt = 'buy'";
  EXPECT_TRUE(files::error_of([&] { load_interactions(o); }).says("no column 'evnt'; did you mean 'event'?"));
  o.where = "event = ";
  const auto error = files::error_of([&] { load_interactions(o); });
  EXPECT_EQ(error.kind, ErrorKind::usage);
  EXPECT_TRUE(error.says("data.where = 'event = ': ")) << error.message;
  o.where = "not seen";
  EXPECT_EQ(files::error_of([&] { load_interactions(o); }).kind, ErrorKind::usage);
}

// What a text means must not depend on the batch that it comes in, nor on the format.
TEST_F(InteractionsTest, AnExpressionHoldsForTheSameRowsInEveryFormatAndBatch) {
  std::string csv = "user_id,item_id,stars\n";
  columns::RawBatch numbers;
  numbers.rows = 200000;
  numbers.columns.resize(3);
  for (auto& column : numbers.columns) column.type = columns::ColumnType::integer;
  size_t wanted = 0;
  for (int64_t row = 0; row < 200000; ++row) {
    const int64_t stars = row * 7 % 12;  // 10 and 11 are below 4 as texts
    wanted += stars >= 4;
    csv += fmt::format("{},{},{}\n", row % 999, row % 101, row == 3 ? std::string("?") : std::to_string(stars));
    numbers.columns[0].push_integer(row % 999);
    numbers.columns[1].push_integer(row % 101);
    numbers.columns[2].push_integer(stars);
  }
  wanted -= 21 % 12 >= 4;  // row 3
  auto texts = options(file("t.csv", csv));
  texts.where = "stars >= 4";
  EXPECT_EQ(load_interactions(texts).size(), wanted);
  auto parquet = options(path("n.parquet"));
  const auto integer = columns::ColumnType::integer;
  const auto writer =
      formats::open_writer(parquet.paths[0], {{"user_id", integer}, {"item_id", integer}, {"stars", integer}});
  writer->write(numbers);
  writer->close();
  parquet.where = texts.where;
  EXPECT_EQ(load_interactions(parquet).size(), wanted + (21 % 12 >= 4));
}

TEST_F(InteractionsTest, ALogIsTheSameFromTextsCodesAndNumbers) {
  columns::RawBatch texts, numbers;
  texts.rows = numbers.rows = 150000;
  texts.columns.resize(4);
  numbers.columns.resize(4);
  std::string csv = "user_id,item_id,ts,device\n";
  numbers.columns[0].type = numbers.columns[1].type = columns::ColumnType::integer;
  numbers.columns[2].type = texts.columns[2].type = columns::ColumnType::integer;
  for (size_t row = 0; row < texts.rows; ++row) {
    const auto user = static_cast<int64_t>(row * row % 70001) - 5, item = static_cast<int64_t>(row % 97 * (row % 1009));
    const auto time = static_cast<int64_t>(1700000000 + row);
    const std::string device = row % 13 == 0 ? "" : "device " + std::to_string(row % 5);
    csv += fmt::format("{},\"{}\",{},{}\n", user, item, time, device);
    texts.columns[0].push_text(std::to_string(user));
    texts.columns[1].push_text(std::to_string(item));
    numbers.columns[0].push_integer(user);
    numbers.columns[1].push_integer(item);
    for (auto* batch : {&texts, &numbers}) {
      batch->columns[2].push_integer(time);
      if (device.empty())
        batch->columns[3].push_null();
      else
        batch->columns[3].push_text(device);
    }
  }
  const auto write = [&](const std::string& name, const columns::RawBatch& batch) {
    const auto writer = formats::open_writer(path(name), {{"user_id", batch.columns[0].type},
                                                          {"item_id", batch.columns[1].type},
                                                          {"ts", columns::ColumnType::integer},
                                                          {"device", columns::ColumnType::text}});
    writer->write(batch);
    writer->close();
    return path(name);
  };
  const auto load = [&](const std::string& path) {
    auto o = options(path);
    o.time = "ts";
    o.context = {"device"};
    return load_interactions(o);
  };
  const auto expected = load(file("a.csv.gz", csv));
  ASSERT_EQ(expected.size(), texts.rows);
  std::string scratch;
  for (size_t row = 0; row < expected.size(); ++row) {
    ASSERT_EQ(expected.users[expected.user[row]], texts.columns[0].as_text(row, scratch));
    ASSERT_EQ(expected.items[expected.item[row]], texts.columns[1].as_text(row, scratch));
    ASSERT_EQ(expected.context_values[0][expected.context[0][row]], texts.columns[3].as_text(row, scratch));
  }
  for (const auto& path : {write("t.parquet", texts), write("n.parquet", numbers), write("n.arrow", numbers)}) {
    const auto log = load(path);
    EXPECT_EQ(log.user, expected.user) << path;
    EXPECT_EQ(log.item, expected.item) << path;
    EXPECT_EQ(log.time_us, expected.time_us) << path;
    EXPECT_EQ(log.context, expected.context) << path;
    EXPECT_EQ(log.users.strings().values, expected.users.strings().values) << path;
    EXPECT_EQ(log.items.strings().offsets, expected.items.strings().offsets) << path;
  }
}

TEST_F(InteractionsTest, WithoutTimeAndWeightTheirColumnsAreNotRead) {
  const auto log = load_interactions(options(file("a.csv", "user_id,item_id,timestamp,weight\n1,2,,x\n1,2,,y\n")));
  EXPECT_EQ(log.size(), 2u) << "a pair that comes twice is two rows";
  EXPECT_FALSE(log.has_time());
  EXPECT_TRUE(log.weight.empty());
  EXPECT_EQ(log.weight_of(1), 1.f);
}

TEST_F(InteractionsTest, AnAdjacencyFileNeedsNoColumnNames) {
  const auto log = load_interactions(options(file("a.txt", "0 5 6\n1\n2 5\n")));
  EXPECT_EQ(log.user, (std::vector<uint32_t>{0, 0, 1}));
  EXPECT_EQ(log.users.size(), 2u) << "a user without items gives no row";
  EXPECT_EQ(log.items[1], "6");
}

TEST_F(InteractionsTest, IdsThatAreNumbersBecomeTheirDecimalText) {
  columns::RawBatch batch{{columns::Column{.name = "user_id", .type = columns::ColumnType::integer},
                           columns::Column{.name = "item_id", .type = columns::ColumnType::real}},
                          1};
  batch.columns[0].push_integer(-9007199254740993);
  batch.columns[1].push_real(12);
  const auto writer = formats::open_writer(
      path("a.parquet"), {{"user_id", columns::ColumnType::integer}, {"item_id", columns::ColumnType::real}});
  writer->write(batch);
  writer->close();
  const auto log = load_interactions(options(path("a.parquet")));
  EXPECT_EQ(log.users[0], "-9007199254740993");
  EXPECT_EQ(log.items[0], "12");
}

TEST_F(InteractionsTest, EachKindOfBadRowIsNamedByFileLineColumnAndValue) {
  struct Case {
    const char* row;
    const char* says;
  };
  for (const Case& c : {Case{",i,1,1,c", ":3: column 'user_id' is empty, expected an id"},
                        Case{"u,,1,1,c", ":3: column 'item_id' is empty, expected an id"},
                        Case{"caf\xe9,i,1,1,c", ":3: column 'user_id' is 'caf\\xE9', expected UTF-8 text"},
                        Case{"u,i,,1,c", ":3: column 'ts' is empty, expected a time"},
                        Case{"u,i,soon,1,c", ":3: column 'ts' is 'soon', expected a time"},
                        Case{"u,i,1,nan,c", ":3: column 'w' is 'nan', expected a finite number above 0"},
                        Case{"u,i,1,0,c", ":3: column 'w' is '0', expected a finite number above 0"},
                        Case{"u,i,1,-2,c", ":3: column 'w' is '-2', expected a finite number above 0"},
                        Case{"u,i,1,1e300,c", ":3: column 'w' is '1e300', expected a finite number above 0"},
                        Case{"u,i,1,1,\xff", ":3: column 'ctx' is '\\xFF', expected UTF-8 text"}}) {
    auto o = options(file("a.csv", std::string("user_id,item_id,ts,w,ctx\nu0,i0,1,1,c\n") + c.row + "\n"));
    o.time = "ts";
    o.weight = "w";
    o.context = {"ctx"};
    const auto error = files::error_of([&] { load_interactions(o); });
    EXPECT_EQ(error.kind, ErrorKind::input);
    EXPECT_TRUE(error.says(path("a.csv") + c.says)) << error.message;
    EXPECT_TRUE(error.says("; set on_bad_row = \"skip\" to go on")) << error.message;

    o.bad_rows.on_bad_row = OnBadRow::skip;
    testing::internal::CaptureStderr();
    const auto log = load_interactions(o);
    EXPECT_NE(testing::internal::GetCapturedStderr().find(c.says + 2), std::string::npos);
    EXPECT_EQ(log.size(), 1u);
    EXPECT_EQ(log.users.size() + log.items.size() + log.context_values[0].size(), 3u) << "nothing of a bad row is kept";
  }
}

TEST_F(InteractionsTest, ANanOfParquetIsABadWeight) {
  columns::RawBatch batch{{columns::Column{.name = "user_id"}, columns::Column{.name = "item_id"},
                           columns::Column{.name = "w", .type = columns::ColumnType::real}},
                          1};
  batch.columns[0].push_text("u");
  batch.columns[1].push_text("i");
  batch.columns[2].push_real(std::nan(""));
  const auto writer = formats::open_writer(path("a.parquet"), {{"user_id", columns::ColumnType::text},
                                                               {"item_id", columns::ColumnType::text},
                                                               {"w", columns::ColumnType::real}});
  writer->write(batch);
  writer->close();
  auto o = options(path("a.parquet"));
  o.weight = "w";
  EXPECT_TRUE(
      files::error_of([&] { load_interactions(o); }).says("a.parquet: row 1: column 'w' is empty, expected a finite"));
}

TEST_F(InteractionsTest, SkippingGoesNoFurtherThanTheLimit) {
  std::string text = "user_id,item_id\nu,i\n";
  for (int i = 0; i < 4; ++i) text += ",i\n";
  auto o = options(file("a.csv", text));
  o.bad_rows = {OnBadRow::skip, 3};
  testing::internal::CaptureStderr();
  const auto error = files::error_of([&] { load_interactions(o); });
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(error.kind, ErrorKind::input);
  EXPECT_TRUE(error.says("a.csv:6: ")) << error.message;
}

TEST_F(InteractionsTest, WhatWasShownAndNotClickedStandsApart) {
  auto o = options(file("a.csv", "user_id,item_id,click\nu,i,1\nu,j,0\nv,i,false\nv,j,true\n"));
  o.clicked = "click";
  const auto log = load_interactions(o);
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log.users.size(), 2u);
  ASSERT_EQ(log.shown.size(), 2u);
  EXPECT_EQ(log.shown.items[log.shown.item[0]], "j");
  EXPECT_EQ(log.shown.users[log.shown.user[1]], "v");

  o.paths = {file("b.csv", "user_id,item_id,click\nu,i,maybe\n")};
  EXPECT_TRUE(
      files::error_of([&] { load_interactions(o); }).says("column 'click' is 'maybe', expected 1 or 0, true or false"));
  // A count is no answer, and the survey of `init` sees it as the loader does.
  o.paths = {file("d.csv", "user_id,item_id,click\nu,i,1\nu,j,3\n")};
  EXPECT_TRUE(files::error_of([&] { load_interactions(o); }).says("column 'click' is '3', expected 1 or 0"));
  o.paths = {file("c.csv", "user_id,item_id,click\nu,i,0\n")};
  EXPECT_TRUE(
      files::error_of([&] { load_interactions(o); }).says("column 'click' says that none of its 1 row(s) was clicked"));
}

TEST_F(InteractionsTest, FilesOfImpressionsAddToWhatWasShown) {
  auto log = load_interactions(options(file("a.csv", "user_id,item_id\nu,i\n")));
  append_impressions(options(file("shown.csv", "user_id,item_id\nu,j\nw,i\n")), log);
  EXPECT_EQ(log.size(), 1u);
  EXPECT_EQ(log.users.size(), 1u);
  EXPECT_EQ(log.shown.size(), 2u);
  EXPECT_EQ(files::error_of([&] { append_impressions(options(file("none.csv", "user_id,item_id\n")), log); }).kind,
            ErrorKind::input);
}

TEST_F(InteractionsTest, NoRowsAreAnErrorThatSaysWhy) {
  EXPECT_EQ(files::error_of([&] { load_interactions(options(file("a.csv", "user_id,item_id\n"))); }).message,
            path("a.csv") + ": has a header but no rows");
  EXPECT_EQ(files::error_of([&] { load_interactions(options(file("b.csv", ""))); }).kind, ErrorKind::input);
  auto o = options(file("c.csv", "user_id,item_id\n,\n"));
  o.bad_rows.on_bad_row = OnBadRow::skip;
  testing::internal::CaptureStderr();
  EXPECT_TRUE(files::error_of([&] { load_interactions(o); }).says("none of its 1 row(s) can be used"));
  testing::internal::GetCapturedStderr();
  EXPECT_TRUE(files::error_of([&] {
                load_interactions(options(file("d.csv", "user,item_id\n1,2\n")));
              }).says("d.csv: no column 'user_id'; did you mean 'user'?"));
}

TEST_F(InteractionsTest, OtherFilesAreAppendedUnderTheSameNumbers) {
  auto log = load_interactions(options(file("a.txt", "0 5 6\n1 5\n")));
  EXPECT_EQ(append_interactions(options(file("b.txt", "1 6 7\n2 5\n")), log), 3u);
  EXPECT_EQ(log.user, (std::vector<uint32_t>{0, 0, 1, 1, 1, 2}));
  EXPECT_EQ(log.item, (std::vector<uint32_t>{0, 1, 0, 1, 2, 0}));
}

class TimesOf : public InteractionsTest {
 protected:
  static constexpr int64_t kDay = int64_t{86400} * 1000000, kNow = 20000 * kDay;  // 2024-10-04

  InteractionOptions of_times(const std::string& name, const std::vector<std::string>& times) const {
    std::string csv = "user_id,item_id,ts\n";
    for (size_t i = 0; i < times.size(); ++i) csv += fmt::format("u{},i{},\"{}\"\n", i % 7, i % 5, times[i]);
    auto o = options(file(name, csv));
    o.time = "ts";
    o.now_us = kNow;
    return o;
  }
};

TEST_F(TimesOf, AColumnHasOneUnitWhateverTheSizeOfANumber) {
  std::vector<std::string> times;
  for (int64_t i = 0; i < 40; ++i) times.push_back(std::to_string(i * 6480000000));
  auto o = of_times("us.csv", times);
  o.times.unit = columns::TimeUnit::us;
  const auto told = load_interactions(o);
  for (size_t i = 0; i < 40; ++i) EXPECT_EQ(told.time_us[i], static_cast<int64_t>(i) * 6480000000);
  EXPECT_EQ(told.times_said, "numbers are microseconds since 1970");
  o.times.unit = columns::TimeUnit::automatic;
  const auto guessed = load_interactions(o);
  EXPECT_TRUE(std::is_sorted(guessed.time_us.begin(), guessed.time_us.end()));
}

TEST_F(TimesOf, ARowOfABadClockIsABadRow) {
  std::vector<std::string> times(300, "2024-05-01T10:00:00Z");
  times[41] = "2099-01-01";
  times[42] = "0001-01-01";
  auto o = of_times("clock.csv", times);
  auto e = files::error_of([&] { load_interactions(o); });
  EXPECT_EQ(e.kind, ErrorKind::input);
  EXPECT_TRUE(e.says("clock.csv:43: column 'ts' is '2099-01-01T00:00:00Z', expected a time in the past: it is "
                     "2099-01-01T00:00:00Z, and 1 of 300 rows lie in the future") &&
              e.says("data.clock = \"trust\"") && e.says("on_bad_row"))
      << e.message;
  o.bad_rows.on_bad_row = OnBadRow::skip;
  const auto log = load_interactions(o);
  EXPECT_EQ(log.size(), 298u);
  EXPECT_EQ(log.time_us.size(), 298u);
  EXPECT_EQ(log.users[log.user[41]], "u1") << "row 43 of the file, the two before it are gone";
  o.trust_clock = true;
  EXPECT_EQ(load_interactions(o).size(), 300u);
}

TEST_F(TimesOf, OfADroppedRowNothingIsKept) {
  auto o = options(file(
      "gone.csv", "user_id,item_id,ts,w,c\na,x,1714557600,1,p\nb,y,0,2,q\na,z,1714557601,3,p\nc,x,1714557602,4,r\n"));
  o.time = "ts";
  o.weight = "w";
  o.context = {"c"};
  o.now_us = kNow;
  o.bad_rows.on_bad_row = OnBadRow::skip;
  const auto log = load_interactions(o);
  EXPECT_EQ(log.users.size(), 2u);
  EXPECT_EQ(log.items.size(), 2u);
  EXPECT_EQ(log.context_values[0].size(), 2u);
  EXPECT_EQ(log.user, (std::vector<uint32_t>{0, 0, 1}));
  EXPECT_EQ(log.item, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(log.weight, (std::vector<float>{1, 3, 4}));
  EXPECT_EQ(log.context[0], (std::vector<uint32_t>{0, 0, 1}));
}

TEST_F(TimesOf, DatesOfWhichTheOrderIsOpenAreRefusedWithARemedy) {
  auto o = of_times("dates.csv", {"01/02/2024", "03/04/2024 10:00"});
  const auto e = files::error_of([&] { load_interactions(o); });
  EXPECT_EQ(e.kind, ErrorKind::input);
  EXPECT_TRUE(e.says("dates.csv:2: column 'ts' is '01/02/2024'") && e.says("data.date_order = \"day_first\""))
      << e.message;
  o.times.order = columns::DateOrder::day_first;
  EXPECT_EQ(load_interactions(o).time_us[0], 1706745600000000) << "the first of February";
  const auto us = load_interactions(of_times("us.csv", {"01/02/2024", "05/31/2024"}));
  EXPECT_EQ(us.time_us[0], 1704153600000000) << "the second of January, as the other row has it";
  EXPECT_EQ(us.times_said, "dates are month/day/year");
  const auto both =
      files::error_of([&] { load_interactions(of_times("both.csv", {"31/05/2024", "30/05/2024", "05/31/2024"})); });
  EXPECT_TRUE(both.says("both.csv:4: column 'ts' is '05/31/2024', expected a time like those of the other rows"))
      << both.message;
}

TEST_F(TimesOf, FilesThatAreAppendedAreReadInTheUnitOfTheLog) {
  auto o = of_times("log.csv", {"1000", "2000", "90000000000"});
  o.times.unit = columns::TimeUnit::ms;
  auto log = load_interactions(o);
  auto more = of_times("more.csv", {"3000"});
  append_interactions(more, log);
  EXPECT_EQ(log.time_us.back(), 3000000);
  append_impressions(more, log);
  EXPECT_EQ(log.shown.time_us, std::vector<int64_t>{3000000});
}

TEST_F(TimesOf, BeyondTheFirstFileTheRowIsStillNamed) {
  auto o = of_times("a.csv", std::vector<std::string>(10, "2024-05-01"));
  const auto second = of_times("b.csv", {"2024-05-02", "9999-12-31"});
  o.paths.push_back(second.paths[0]);
  const auto e = files::error_of([&] { load_interactions(o); });
  EXPECT_TRUE(e.says("b.csv:3: column 'ts'") && e.says("1 of 12 rows")) << e.message;
}

}  // namespace
}  // namespace pagoda::data
