// Lists of candidates in several files of a folder, so that a long run that was stopped goes on where it stood.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace pagoda::cli {

// FOLDER/part-00000-of-00008.parquet, ..., and FOLDER/_request.json, which says what was asked. A shard gets its name
// when it is whole, so one that is there is done.
class ResultShards {
 public:
  // `request`: all that the answers depend on; `format`: jsonl, tsv or parquet. Makes the folder if it is
  // missing. Error{usage}: it holds shards of another request (names what differs), or is a file.
  ResultShards(std::string folder, size_t shards, std::string format, nlohmann::ordered_json request);

  size_t size() const { return shards_; }
  std::string path(size_t shard) const;
  bool is_done(size_t shard) const;

 private:
  std::string folder_;
  size_t shards_;
  std::string format_;
};

}  // namespace pagoda::cli
