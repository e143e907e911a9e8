// Files that grow, of one JSON object a line: for those without a broker. A partition is a file, an offset the byte at
// which a line begins. New files of a folder or a pattern are found as they come.
#pragma once

#include <fstream>
#include <string>
#include <unordered_set>
#include <vector>

#include "stream/source.h"

namespace pagoda::stream {

class FileSource : public Source {
 public:
  // `paths`: files, folders, globs. Where nothing matches yet, it waits for files.
  explicit FileSource(std::vector<std::string> paths);

  void start(const Offsets& offsets) override;
  // Gives whole lines alone: the last one of a file is read when its line end is there. Error{failed}: a file was cut
  // below the byte up to which it has been read.
  void poll(std::chrono::milliseconds wait, std::vector<Message>& messages) override;
  void hold(const std::vector<bool>& partitions) override { held_ = partitions; }
  int64_t begin(uint32_t partition) const override { return files_[partition].begin; }
  bool at_end(uint32_t partition) const override { return files_[partition].offset >= files_[partition].size; }
  int64_t lag() const override;
  const std::vector<std::string>& partitions() const override { return names_; }
  std::string place(uint32_t partition, int64_t offset) const override;

 private:
  struct File {
    int64_t begin = 0, offset = 0, size = 0;  // it began to be read at begin; the next line begins at offset
    bool gone = false;
  };
  void find_files();
  void read(uint32_t partition, std::vector<Message>& messages);

  std::vector<std::string> paths_, names_;
  std::vector<File> files_;  // parallel to names_
  std::unordered_set<std::string> met_;
  Offsets offsets_;
  std::vector<bool> held_;
};

}  // namespace pagoda::stream
