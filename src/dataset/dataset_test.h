// What this room's tests share: a folder of their own, and datasets and models made of a few lines.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "dataset/batcher.h"
#include "dataset/training_context.h"

namespace pagoda::dataset {

class TrainTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "pagoda_train_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    make_folder(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) const {
    write_file(folder_ + "/" + name, text);
    return folder_ + "/" + name;
  }

  // Options over a log of this CSV text: 10 days of validation and 10 of test when it has the column `ts`.
  Options options_of(std::string_view csv) const {
    Options o;
    o.data.interactions = {file("log.csv", csv)};
    const std::string header(csv.substr(0, csv.find('\n')));
    if (header.find(",ts") != std::string::npos) {
      o.data.time = "ts";
      o.data.split = {.kind = data::SplitKind::time, .validation = "10d", .test = "10d", .test_files = {}};
    } else {
      o.data.split = {.kind = data::SplitKind::leave_last, .test_files = {}};
    }
    if (header.find(",w") != std::string::npos) o.data.weight = "w";
    if (header.find(",device") != std::string::npos) o.data.context = {"device"};
    o.towers.model.dim = 8;
    o.train.batch = 4;
    o.train.repeats = LearnRepeats::learn;
    return o;
  }

  std::string folder_;
};

// A fit with the batcher over it; what a batch says, by name.
struct Batches {
  Batches(const Options& options, bool with_validation = false)
      : options(options), data(load_dataset(options.data)), fit(data, this->options, with_validation),
        batcher(batch_source(this->options, data, fit)) {}
  Batches(const Batches&) = delete;

  TrainBatch make(uint64_t step) const {
    return batcher.make(step, batcher.epoch_order(step / batcher.steps_per_epoch()));
  }

  std::string user(const TrainBatch& batch, size_t i) const { return std::string(data.users[batch.users[i]]); }
  std::vector<std::string> targets(const TrainBatch& batch, size_t i) const { return names(batch.positives[i]); }
  std::vector<std::string> known(const TrainBatch& batch, size_t i) const { return names(batch.known[i]); }
  // The history, the latest last, of the items seen in training: the tower reads it as rows of the id vocabulary, the
  // latest first.
  std::vector<std::string> history(const TrainBatch& batch, size_t i) const {
    const auto& bags = fit.model.user_encoder.layout().bags;
    size_t at = 0;
    while (bags[at].name != "user.history") ++at;
    std::vector<std::string> out;
    for (auto row : batch.encoded.bags[at].rows[i])
      for (uint32_t item = 0; item < data.catalogue.size(); ++item)
        if (fit.id_row_of_item[item] == row) out.emplace_back(data.catalogue[item]);
    std::reverse(out.begin(), out.end());
    return out;
  }
  template <class Rows>
  std::vector<std::string> names(const Rows& rows) const {
    std::vector<std::string> out;
    for (auto row : rows) out.emplace_back(data.catalogue[row]);
    return out;
  }

  Options options;
  Dataset data;
  TrainingContext fit;
  Batcher batcher;
};

}  // namespace pagoda::dataset
