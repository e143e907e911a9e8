#include "train/whole_config.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/log.h"
#include "files/archive.h"
#include "files/source_files.h"

namespace pagoda::train {

namespace {

namespace fs = std::filesystem;

// The paths of a config: single ones, "" if unset, and lists.
template <class F>
void for_each_path(WholeConfig& config, F&& f) {
  auto& data = config.training.data;
  for (auto* path : {&data.items, &data.users, &config.serve.compare, &config.serve.keys, &config.serve.tls_certificate,
                     &config.serve.tls_key})
    f(*path);
  for (auto* paths : {&data.interactions, &data.impressions, &data.split.test_files, &data.item_vectors,
                      &data.user_vectors, &config.stream.files})
    for (auto& path : *paths) f(path);
}

// Whether a path leads anywhere: of a pattern, the folder before it; of a file in an archive, the archive.
bool leads_anywhere(const std::string& path) {
  const auto pattern = path.find_first_of("*?[");
  const auto folder = pattern == path.npos ? path : path.substr(0, path.rfind('/', pattern) + 1);
  std::error_code ignored;
  return folder.empty() || fs::exists(folder, ignored) || files::split_member_path(folder);
}

std::string beside(const std::string& file, const std::string& path) {
  const auto folder = fs::path(file).parent_path();
  if (path.empty() || path == "-" || files::is_memory_table(path) || folder.empty() || fs::path(path).is_absolute())
    return path;
  const auto there = (folder / path).lexically_normal().string();
  if (leads_anywhere(there) || !leads_anywhere(path)) return there;
  log_once(LogLevel::warning,
           fmt::format("{}: '{}' is not beside it, and is read from the current folder; paths in a config are relative "
                       "to the config",
                       file, path));
  return path;
}

}  // namespace

void describe(OptionVisitor& fields, WholeConfig& config) {
  dataset::describe(fields, config.training);
  retrieval::describe(fields, config.serve);
  describe(fields, config.stream);
}

void read_config(const std::string& path, const std::vector<std::string>& set, WholeConfig& config) {
  auto file = path.empty() ? Config() : Config::from_file(path);
  WholeConfig as_written = config;  // without the assignments
  file.read([&](OptionVisitor& fields) { describe(fields, as_written); });
  for (const auto& assignment : set) file.set(assignment);
  file.read([&](OptionVisitor& fields) { describe(fields, config); });
  std::vector<std::string> written;
  for_each_path(as_written, [&](std::string& one) { written.push_back(one); });
  for_each_path(config, [&](std::string& one) {
    if (std::ranges::count(written, one) > 0) one = beside(path, one);
  });
}

void write_paths_beside(const std::string& file, WholeConfig& config) {
  const auto folder = fs::path(file).parent_path();
  if (folder.empty()) return;
  for_each_path(config, [&](std::string& path) {
    if (!path.empty() && path != "-" && !files::is_memory_table(path) && !fs::path(path).is_absolute())
      path = fs::proximate(path, folder).string();
  });
}

void read_training(const Config& config, dataset::Options& training) {
  WholeConfig whole{training, {}, {}};
  config.read([&](OptionVisitor& fields) { describe(fields, whole); });
  training = std::move(whole.training);
}

}  // namespace pagoda::train
