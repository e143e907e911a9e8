#include "core/progress.h"

#include <gtest/gtest.h>

#include "core/log.h"

namespace pagoda {
namespace {

TEST(Progress, DurationsReadAsAPersonSaysThem) {
  EXPECT_EQ(human_duration(0), "0 ms");
  EXPECT_EQ(human_duration(0.85), "850 ms");
  EXPECT_EQ(human_duration(0.9999), "1.0s");
  EXPECT_EQ(human_duration(2.345), "2.3s");
  EXPECT_EQ(human_duration(9.96), "10s");
  EXPECT_EQ(human_duration(59.6), "1m");
  EXPECT_EQ(human_duration(80), "1m 20s");
  EXPECT_EQ(human_duration(3600), "1h");
  EXPECT_EQ(human_duration(3 * 3600 + 125), "3h 2m");
  EXPECT_EQ(human_duration(-1), "?");
}

TEST(Progress, CountsReadAsAPersonSaysThem) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(850), "850");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1k");
  EXPECT_EQ(human_count(1234), "1.2k");
  EXPECT_EQ(human_count(99960), "100k");
  EXPECT_EQ(human_count(999600), "1M");
  EXPECT_EQ(human_count(1200000), "1.2M");
  EXPECT_EQ(human_count(3.5e9), "3.5G");
}

TEST(Progress, ALineTellsPartSpeedAndTimeLeft) {
  const Progress bar("epoch 3/20", 2000000, "rows");
  const std::string line = bar.line_at(500000, 5.0, "loss 4.1");
  for (const char* part : {"epoch 3/20", " 25%", "500k/2M rows", "100k/s", "15s left", "loss 4.1"})
    EXPECT_NE(line.find(part), line.npos) << part << " in: " << line;
}

TEST(Progress, OfAnUnknownTotalOnlyTheCountIsTold) {
  const Progress bar("reading", 0, "rows");
  EXPECT_EQ(bar.line_at(1500, 1.0, ""), "reading  1.5k rows  1.5k/s");
  EXPECT_EQ(bar.line_at(0, 0.0, ""), "reading  0 rows");
}

TEST(Progress, MoreThanTheTotalIsStillWhole) {
  const Progress bar("reading", 10, "rows");
  EXPECT_NE(bar.line_at(12, 1.0, "").find("100%"), std::string::npos);
}

TEST(Log, MessagesGoToStderrWithTheirLevelBeforeThem) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  log_info("read {} rows", 5);
  log_warning("{} bad rows", 2);
  log_message(LogLevel::error, "no {} such {} place");  // braces are no format here
  log_debug("not shown");
  set_log_level(LogLevel::warning);
  log_info("not shown");
  set_log_level(LogLevel::debug);
  log_debug("shown");
  set_log_level(LogLevel::info);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "read 5 rows\nwarning: 2 bad rows\nerror: no {} such {} place\ndebug: shown\n");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST(Log, FinishSaysTheNoteUnlessQuiet) {
  testing::internal::CaptureStderr();
  {
    Progress bar("epoch 1", 10, "rows");
    bar.update(5);
    bar.finish("loss 4.1");
    bar.finish("twice");
    Progress::set_quiet(true);
    Progress silent("epoch 2", 10, "rows");
    silent.finish("loss 4.0");
    Progress::set_quiet(false);
    Progress unfinished("epoch 3", 10, "rows");
    unfinished.update(1);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "epoch 1  loss 4.1\n");
}

}  // namespace
}  // namespace pagoda
