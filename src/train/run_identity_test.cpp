#include "train/run_identity.h"

#include <gtest/gtest.h>

#include "dataset/dataset_test.h"

namespace pagoda::train {
namespace {

using RunIdentityOf = dataset::TrainTest;

constexpr std::string_view kLog =
    "user_id,item_id,ts\n"
    "u1,a,2024-01-01\n"
    "u1,b,2024-01-02\n"
    "u2,a,2024-01-15\n"
    "u2,b,2024-01-30\n";

TEST_F(RunIdentityOf, TheSameConfigAndDataAreTheSameRun) {
  auto options = options_of(kLog);
  const auto was = run_identity(options, dataset::load_dataset(options.data));
  options.train.threads = 7;
  options.train.checkpoint_seconds = 0;
  EXPECT_EQ(what_changed(was, run_identity(options, dataset::load_dataset(options.data))), "");
}

TEST_F(RunIdentityOf, SaysWhichKeysChanged) {
  auto options = options_of(kLog);
  const auto data = dataset::load_dataset(options.data);
  const auto was = run_identity(options, data);
  options.train.epochs = 8;
  options.sampling.negatives[1].count = 5;
  options.train.refit = dataset::Refit::validation;
  options.evaluate.repeats = dataset::Repeats::keep;  // a key that stands in the record only where it says something
  const auto said = what_changed(was, run_identity(options, data));
  for (const auto* part : {"train.epochs is 8, was 20", "sampling.negatives.1.count is 5, was 1024",
                           "train.refit is true, was \"all\"", "evaluate.repeats is \"keep\", was not there"})
    EXPECT_NE(said.find(part), said.npos) << part << " in: " << said;
}

TEST_F(RunIdentityOf, SaysWhatOfTheDataChanged) {
  auto options = options_of(kLog);
  options.data.items = file("items.csv", "item_id,title\na,one\nb,two\n");
  const auto was = run_identity(options, dataset::load_dataset(options.data));
  const auto said_of = [&] { return what_changed(was, run_identity(options, dataset::load_dataset(options.data))); };
  file("log.csv", std::string(kLog) + "u3,a,2024-01-30\n");
  EXPECT_TRUE(said_of().starts_with("the log has 5 rows, had 4; ")) << said_of();
  EXPECT_NE(said_of().find("log.csv is of 99 bytes, was of 83"), std::string::npos) << said_of();
  file("log.csv", kLog);
  EXPECT_EQ(said_of(), "");
  // As long, and one day later: nothing but the checksum tells.
  std::string other(kLog);
  other.replace(other.find("2024-01-02"), 10, "2024-01-03");
  file("log.csv", other);
  EXPECT_EQ(said_of(), "the log has as many rows, 4, but other ones or in another order");
  file("log.csv", kLog);
  file("items.csv", "item_id,title\na,one\nb,six\n");
  EXPECT_EQ(said_of(), "the item table has as many rows, 2, but other ones or in another order");
}

TEST_F(RunIdentityOf, ACheckpointOfTheFirstVersionIsToldByItsConfigAlone) {
  auto options = options_of(kLog);
  const auto data = dataset::load_dataset(options.data);
  const auto all = run_identity(options, data).former_checksums;
  options.train.refit = dataset::Refit::validation;
  const auto validation = run_identity(options, data).former_checksums;
  options.train.refit = dataset::Refit::none;
  const auto none = run_identity(options, data).former_checksums;
  const auto shares = [](const auto& a, const auto& b) { return std::ranges::find_first_of(a, b) != a.end(); };
  EXPECT_TRUE(shares(all, validation)) << "true was the default, and is the first part of \"all\"";
  EXPECT_FALSE(shares(all, none));
  EXPECT_FALSE(shares(validation, none));
}

}  // namespace
}  // namespace pagoda::train
