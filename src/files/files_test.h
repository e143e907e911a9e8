// What tests of files share: a folder of their own and small files in it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "files/byte_sink.h"

namespace pagoda::files {

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "pagoda_files_" + std::to_string(getpid());
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

}  // namespace pagoda::files
