// What this room's tests share: a folder of their own, small files in it, and tables read back as text.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "data/byte_sink.h"
#include "data/reader.h"

namespace pagoda {

class DataTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "pagoda_data_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    make_folder(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  // The path of a new file with this text; compressed when its name ends in .gz or .zst.
  std::string file(const std::string& name, std::string_view text) const {
    const auto sink = open_sink(path(name));
    sink->write(text);
    sink->close();
    return path(name);
  }

  std::string folder_;
};

struct Caught {
  ErrorKind kind;
  std::string message;
  bool says(std::string_view part) const { return message.find(part) != message.npos; }
};

inline Caught error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorKind::failed, ""};
}

using Rows = std::vector<std::vector<std::string>>;

// All cells as text, a null as "<null>".
inline Rows read_rows(const ReaderOptions& options) {
  const auto reader = open_reader(options);
  Rows rows;
  RawBatch batch;
  std::string scratch;
  while (reader->next(batch))
    for (size_t row = 0; row < batch.rows; ++row) {
      rows.emplace_back();
      for (const auto& column : batch.columns)
        rows.back().emplace_back(column.is_null(row) ? "<null>" : column.as_text(row, scratch));
    }
  return rows;
}

inline Rows read_rows(const std::string& path, std::vector<std::string> columns = {}) {
  ReaderOptions options;
  options.paths = {path};
  options.columns = std::move(columns);
  return read_rows(options);
}

}  // namespace pagoda
