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

}  // namespace
}  // namespace pagoda::train
