#include "report/run_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "core/file.h"

namespace pagoda::report {
namespace {

std::string fresh_folder(const std::string& name) {
  const std::string folder = testing::TempDir() + "pagoda_" + name;
  std::filesystem::remove_all(folder);
  return folder;
}

RunRecord at_step(uint64_t step) {
  return {.step = step, .epoch = 0.5, .seconds = 2, .loss = 4.25, .examples_per_second = 1000};
}

std::vector<uint64_t> steps_in(const std::string& folder) {
  std::vector<uint64_t> steps;
  for (const auto& record : parse_run_log(read_file(folder + "/metrics.jsonl"), "log")) steps.push_back(record.step);
  return steps;
}

using Steps = std::vector<uint64_t>;

TEST(RunLog, ALineIsTheLiteralJson) {
  RunRecord record = at_step(1200);
  EXPECT_EQ(to_json_line(record),
            R"({"step":1200,"epoch":0.5,"seconds":2.0,"loss":4.25,"examples_per_second":1000.0})");
  record.validation = {{"recall@20", 0.25}, {"ndcg@20", 0.125}};
  record.loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(to_json_line(record), R"({"step":1200,"epoch":0.5,"seconds":2.0,"loss":null,"examples_per_second":1000.0,)"
                                  R"("validation":{"recall@20":0.25,"ndcg@20":0.125}})");
}

TEST(RunLog, WhatIsWrittenIsReadBack) {
  RunRecord record = at_step(7);
  record.loss = std::numeric_limits<double>::infinity();
  record.validation = {{"recall@20", 0.1}};
  record.health = {{"temperature", 0.07}};
  record.warnings = {"items.csv: 10 of 30 items of the log are there (33.3%)"};
  const auto back = parse_run_log(to_json_line(record) + "\n", "log");
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].step, 7u);
  EXPECT_EQ(back[0].epoch, 0.5);
  EXPECT_TRUE(std::isnan(back[0].loss));
  EXPECT_EQ(back[0].validation, record.validation);
  EXPECT_EQ(back[0].health, record.health);
  EXPECT_EQ(back[0].warnings, record.warnings);
}

TEST(RunLog, ALineIsOnDiskWhenWriteReturns) {
  const std::string folder = fresh_folder("run_flushed");
  RunLog log(folder);
  log.write(at_step(1));
  EXPECT_EQ(read_file(log.path()), to_json_line(at_step(1)) + "\n");
}

TEST(RunLog, ResumeRemovesTheLinesPastTheCheckpoint) {
  const std::string folder = fresh_folder("run_resume");
  {
    RunLog log(folder);
    for (const uint64_t step : {10, 20, 30, 40}) log.write(at_step(step));
  }
  RunLog log(folder, 20);
  EXPECT_EQ(steps_in(folder), (Steps{10, 20}));
  log.write(at_step(31));
  EXPECT_EQ(steps_in(folder), (Steps{10, 20, 31}));
}

TEST(RunLog, ResumeRemovesALineCutShort) {
  const std::string folder = fresh_folder("run_torn");
  make_folder(folder);
  write_file(folder + "/metrics.jsonl", to_json_line(at_step(10)) + "\n" + to_json_line(at_step(11)).substr(0, 20));
  EXPECT_EQ(steps_in(folder), (Steps{10}));
  RunLog log(folder, 100);
  log.write(at_step(12));
  EXPECT_EQ(steps_in(folder), (Steps{10, 12}));
}

TEST(RunLog, ResumeWithoutALogBeginsOne) {
  const std::string folder = fresh_folder("run_no_log");
  RunLog log(folder, 5);
  log.write(at_step(6));
  EXPECT_EQ(steps_in(folder), (Steps{6}));
}

TEST(RunLog, ANewRunRemovesTheLogBeforeIt) {
  const std::string folder = fresh_folder("run_new");
  RunLog(folder).write(at_step(1));
  RunLog log(folder);
  EXPECT_EQ(read_file(log.path()), "");
  EXPECT_EQ(event_files(folder).size(), 1u);
}

TEST(RunLog, EventsCarryTheRecordAndTheRestart) {
  const std::string folder = fresh_folder("run_events");
  RunRecord record = at_step(3);
  record.validation = {{"recall@20", 0.25}};
  const auto clock = [] { return 1000.0; };
  RunLog(folder, {}, clock).write(record);
  RunLog(folder, 3, clock).write(at_step(4));
  const auto files = event_files(folder);
  ASSERT_EQ(files.size(), 2u);
  const std::vector<NamedValue> first = {
      {"train/loss", 4.25}, {"train/examples_per_second", 1000}, {"train/epoch", 0.5}, {"validation/recall@20", 0.25}};
  const std::vector<NamedValue> second(first.begin(), first.end() - 1);
  EXPECT_EQ(read_file(files[0]),
            tensorboard_record(version_event(1000)) + tensorboard_record(scalar_event(1000, 3, first)));
  EXPECT_EQ(read_file(files[1]), tensorboard_record(version_event(1000)) + tensorboard_record(restart_event(1000, 4)) +
                                     tensorboard_record(scalar_event(1000, 4, second)));
}

TEST(RunLog, ALineThatIsNoRecordIsNamed) {
  try {
    parse_run_log(to_json_line(at_step(1)) + "\n{\"step\": 2}\n", "m.jsonl");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).find("m.jsonl:2: not a record of a run"), 0u) << e.what();
  }
}

}  // namespace
}  // namespace pagoda::report
