#include "tune/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "core/error.h"
#include "core/file.h"

namespace pagoda::tune {
namespace {

const train::RunIdentity kRun{
    .config = "[train]\nepochs = 6\n", .data = R"({"log": {"rows": 100}})", .former_checksums = {}};

class JournalTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }
  std::string error_of(ErrorKind kind, const train::RunIdentity& run, const std::string& metric = "recall@20") const {
    try {
      const Journal journal(path_, run, metric);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
  }
  void write_two() const {
    Journal journal(path_, kRun, "recall@20");
    journal.add({.id = "a",
                 .seed = 1,
                 .epochs = 1,
                 .trial = 0,
                 .origin = "as it stands",
                 .standing = {.value = 0.125, .best_epoch = 1, .stopped = false, .seconds = 2.5}});
    journal.add({.id = "b",
                 .seed = 1,
                 .epochs = 3,
                 .trial = 4,
                 .origin = "spread",
                 .standing = {.value = 1.0 / 3, .best_epoch = 2, .stopped = true, .seconds = 4}});
    journal.add({.id = "c",
                 .seed = 2,
                 .epochs = 3,
                 .trial = 9,
                 .origin = "repeat",
                 .standing = {.value = 0.5, .best_epoch = 2, .stopped = true, .seconds = 4}});
  }
  const std::string path_ = testing::TempDir() + "pagoda_journal_" + std::to_string(getpid()) + ".jsonl";
};

TEST_F(JournalTest, what_was_written_is_read_to_the_bit) {
  write_two();
  const Journal journal(path_, kRun, "recall@20");
  ASSERT_TRUE(journal.find("b", 3));
  EXPECT_EQ(journal.find("b", 3)->value, 1.0 / 3);
  EXPECT_EQ(journal.find("b", 3)->best_epoch, 2);
  EXPECT_TRUE(journal.find("b", 3)->stopped);
  EXPECT_FALSE(journal.find("a", 1)->stopped);
  EXPECT_FALSE(journal.find("b", 1));
  EXPECT_FALSE(journal.find("d", 3));
  EXPECT_EQ(journal.begun(), 5u);  // repeats begin no trial
}

TEST_F(JournalTest, a_last_line_that_was_cut_is_done_again) {
  write_two();
  auto text = read_file(path_);
  write_file(path_, text.substr(0, text.size() - 20));
  const Journal journal(path_, kRun, "recall@20");
  EXPECT_TRUE(journal.find("b", 3));
  EXPECT_FALSE(journal.find("c", 3));
}

TEST_F(JournalTest, other_data_and_another_config_are_told) {
  write_two();
  EXPECT_NE(error_of(ErrorKind::usage, {.config = "[train]\nepochs = 8\n", .data = kRun.data, .former_checksums = {}})
                .find("train.epochs is 8, was 6"),
            std::string::npos);
  EXPECT_NE(
      error_of(ErrorKind::usage, {.config = kRun.config, .data = R"({"log": {"rows": 120}})", .former_checksums = {}})
          .find("the log has 120 rows, had 100"),
      std::string::npos);
}

TEST_F(JournalTest, damage_names_its_line) {
  write_two();
  auto text = read_file(path_);
  text.replace(text.find("\"value\":0.125"), 7, "\"valve\"");
  write_file(path_, text);
  EXPECT_NE(error_of(ErrorKind::input, kRun).find(".jsonl:2: "), std::string::npos);
  write_file(path_, "");
  error_of(ErrorKind::input, kRun);
}

}  // namespace
}  // namespace pagoda::tune
