#include "cli/result_shards.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"

namespace pagoda::cli {

namespace {

using Json = nlohmann::ordered_json;

// The first key whose value differs, with both values.
std::string difference(const Json& was, const Json& now) {
  for (const auto& [key, value] : now.items())
    if (!was.is_object() || !was.contains(key) || was.at(key) != value)
      return fmt::format("{} is {}, was {}", key, value.dump(),
                         was.is_object() && was.contains(key) ? was.at(key).dump() : "not told");
  return "it was asked more";
}

}  // namespace

ResultShards::ResultShards(std::string folder, size_t shards, std::string format, nlohmann::ordered_json request)
    : folder_(std::move(folder)), shards_(shards), format_(std::move(format)) {
  if (std::filesystem::exists(folder_) && !std::filesystem::is_directory(folder_))
    fail(ErrorKind::usage, "{}: is a file; with --shards, -o names a folder", folder_);
  make_folder(folder_);
  const auto asked = folder_ + "/_request.json";
  request["shards"] = shards_;
  request["format"] = format_;
  if (!file_exists(asked)) {
    write_file(asked, request.dump(1) + "\n");
    return;
  }
  const auto was = Json::parse(read_file(asked), nullptr, false);
  if (was != request)
    fail(ErrorKind::usage, "{}: holds shards of another request: {}; give another folder, or remove this one", folder_,
         difference(was, request));
}

std::string ResultShards::path(size_t shard) const {
  return fmt::format("{}/part-{:05}-of-{:05}.{}", folder_, shard, shards_, format_);
}

bool ResultShards::is_done(size_t shard) const { return file_exists(path(shard)); }

}  // namespace pagoda::cli
