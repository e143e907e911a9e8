#include "train/whole_config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "core/file.h"

namespace pagoda::train {
namespace {

constexpr const char* kText = "[train]\nepochs = 7\n[serve]\nhttp = \"127.0.0.1:9000\"\n";

std::string error_of(const std::string& toml) {
  dataset::Options training;
  try {
    read_training(Config::from_text(toml, "pagoda.toml"), training);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    return e.what();
  }
  return "";
}

TEST(WholeConfig, TrainingKnowsTheSectionThatItDoesNotNeed) {
  dataset::Options training;
  training.train.batch = 77;
  read_training(Config::from_text(kText, "pagoda.toml"), training);
  EXPECT_EQ(training.train.epochs, 7);
  EXPECT_EQ(training.train.batch, 77) << "what the config does not give stays";
}

TEST(WholeConfig, AWrongKeyIsRefusedInEverySection) {
  EXPECT_NE(error_of("[serve]\nqeue = 3\n").find("did you mean 'queue'?"), std::string::npos);
  EXPECT_NE(error_of("[train]\nepoch = 3\n").find("did you mean 'epochs'?"), std::string::npos);
  EXPECT_NE(error_of("[serve]\nk = \"many\"\n"), "");
}

TEST(WholeConfig, AssignmentsGoOverTheFile) {
  const auto path = testing::TempDir() + "pagoda_whole_" + std::to_string(getpid()) + ".toml";
  write_file(path, kText);
  WholeConfig config;
  read_config(path, {"serve.k=5", "train.epochs=3"}, config);
  EXPECT_EQ(config.training.train.epochs, 3);
  EXPECT_EQ(config.serve.k, 5);
  EXPECT_EQ(config.serve.http, "127.0.0.1:9000");
  std::filesystem::remove(path);
  WholeConfig defaults;
  read_config("", {}, defaults);
  EXPECT_EQ(defaults.training.train.epochs, dataset::Options().train.epochs);
}

// A folder with a config in it, and the current folder beside it.
TEST(WholeConfig, PathsInAFileAreRelativeToIt) {
  const auto before = std::filesystem::current_path();
  const auto root = std::filesystem::path(testing::TempDir()) / "whole_config_paths";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root / "jobs");
  std::filesystem::create_directories(root / "here");
  std::filesystem::current_path(root / "here");
  write_file("../jobs/log.csv", "user_id,item_id\n");
  write_file("old.csv", "item_id\n");
  write_file("../jobs/pagoda.toml",
             "[data]\ninteractions = [\"log.csv\", \"/abs/*.csv\", \"later/*.csv\"]\nitems = \"old.csv\"\n"
             "[serve]\nkeys = \"keys.txt\"\n");
  WholeConfig config;
  read_config("../jobs/pagoda.toml", {"data.users=people.csv"}, config);
  const auto& data = config.training.data;
  EXPECT_EQ(data.interactions, (std::vector<std::string>{"../jobs/log.csv", "/abs/*.csv", "../jobs/later/*.csv"}));
  EXPECT_EQ(data.items, "old.csv") << "not beside the config, but here";
  EXPECT_EQ(data.users, "people.csv") << "an assignment is relative to the current folder";
  EXPECT_EQ(config.serve.keys, "../jobs/keys.txt");

  WholeConfig written;
  written.training.data.interactions = {"old.csv", "/abs/x.csv"};
  write_paths_beside("../jobs/new.toml", written);
  EXPECT_EQ(written.training.data.interactions, (std::vector<std::string>{"../here/old.csv", "/abs/x.csv"}));
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace pagoda::train
