#include "train/run_identity.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "core/section_file.h"
#include "model/tables.h"
#include "train/config_differences.h"

namespace pagoda::train {

namespace {

using Json = nlohmann::ordered_json;

template <class T>
uint64_t sum_of(const std::vector<T>& values) {
  return checksum(std::as_bytes(std::span(values)));
}

std::string sum_of(const std::vector<uint64_t>& sums) { return fmt::format("{:016x}", sum_of<uint64_t>(sums)); }

void add_ids(std::vector<uint64_t>& sums, const columns::Interner& ids) {
  sums.push_back(sum_of(ids.strings().values));
  sums.push_back(sum_of<uint64_t>(ids.strings().offsets));
}

std::string log_checksum(const data::Interactions& log) {
  std::vector<uint64_t> sums{sum_of(log.user), sum_of(log.item), sum_of(log.weight)};
  sums.push_back(sum_of(log.time_us));
  add_ids(sums, log.users);
  add_ids(sums, log.items);
  for (size_t c = 0; c < log.context.size(); ++c) {
    sums.push_back(sum_of(log.context[c]));
    add_ids(sums, log.context_values[c]);
  }
  return sum_of(sums);
}

Json other_rows_json(const data::OtherRows& rows) {
  std::vector<uint64_t> sums{sum_of(rows.user), sum_of(rows.item), sum_of(rows.time_us)};
  add_ids(sums, rows.users);
  add_ids(sums, rows.items);
  return {{"rows", rows.size()}, {"checksum", sum_of(sums)}};
}

Json table_json(const data::Attributes& table) {
  ByteWriter bytes;
  model::save_attributes(bytes, table);
  for (const auto& vectors : table.vectors) {
    bytes.text(vectors->name());
    std::vector<float> vector(vectors->width());
    for (size_t row = 0; row < vectors->rows(); ++row) {
      if (!vectors->has(row))
        std::ranges::fill(vector, 0.f);
      else
        vectors->read(row, vector.data());
      bytes.value(static_cast<uint8_t>(vectors->has(row)));
      bytes.value(checksum(std::as_bytes(std::span(vector))));
    }
  }
  return {{"rows", table.ids.size()}, {"checksum", fmt::format("{:016x}", checksum(bytes.bytes()))}};
}

// Sizes of the files that stand there by their names; folders and globs are told by what was read of them.
Json files_json(const dataset::DataOptions& data) {
  Json files = Json::object();
  const auto add = [&](const std::string& path) {
    std::error_code error;
    if (const auto bytes = std::filesystem::file_size(path, error); !error) files[path] = bytes;
  };
  for (const auto* paths :
       {&data.interactions, &data.split.test_files, &data.impressions, &data.item_vectors, &data.user_vectors})
    for (const auto& path : *paths) add(path);
  for (const auto* path : {&data.items, &data.users})
    if (!path->empty()) add(*path);
  return files;
}

void compare_data(const std::string& was, const std::string& now, Differences& out) {
  const Json before = Json::parse(was, nullptr, false), after = Json::parse(now, nullptr, false);
  if (!before.is_object() || !after.is_object()) return;
  Differences found;
  for (const auto& [part, name] : {std::pair("log", "the log"), std::pair("shown", "what was shown and not clicked"),
                                   std::pair("items", "the item table"), std::pair("users", "the user table")}) {
    const Json &old = before.value(part, Json::object()), &fresh = after.value(part, Json::object());
    if (old == fresh) continue;
    const auto rows = [](const Json& of) { return of.value("rows", uint64_t{0}); };
    if (rows(old) != rows(fresh))
      found.add(fmt::format("{} has {} rows, had {}", name, rows(fresh), rows(old)));
    else
      found.add(fmt::format("{} has as many rows, {}, but other ones or in another order", name, rows(fresh)));
  }
  if (!found.any()) return;
  out.add(found.text());
  const Json &old = before.value("files", Json::object()), &fresh = after.value("files", Json::object());
  for (const auto& [path, bytes] : fresh.items())
    if (const auto then = old.find(path); then != old.end() && *then != bytes)
      out.add(fmt::format("{} is of {} bytes, was of {}", path, bytes.get<uint64_t>(), then->get<uint64_t>()));
}

std::string with_line(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

}  // namespace

RunIdentity run_identity(const dataset::Options& options, const dataset::Dataset& data) {
  const dataset::TrainOptions standard;
  auto lasting = options;
  lasting.train.threads = standard.threads;
  lasting.train.checkpoint_seconds = standard.checkpoint_seconds;
  lasting.train.keep_state = standard.keep_state;
  Json json{{"log",
             {{"rows", data.log.size()},
              {"users", data.log.users.size()},
              {"items", data.log.items.size()},
              {"checksum", log_checksum(data.log)}}}};
  if (data.log.shown.size() > 0) json["shown"] = other_rows_json(data.log.shown);
  for (const auto& rows : data.log.events) json["events"].push_back(other_rows_json(rows));
  if (data.earlier) json["from"] = data.earlier->bundle->fingerprint();
  if (data.item_table) json["items"] = table_json(*data.item_table);
  if (data.user_table) json["users"] = table_json(*data.user_table);
  json["files"] = files_json(options.data);
  const auto record = dataset::resume_record(options);
  return {.config = dataset::resume_record(lasting),
          .data = json.dump(1),
          .former_checksums = {checksum(record),
                               // Its default was what is called "validation" now: the first part of "all".
                               checksum(with_line(record, "\nrefit = \"all\"\n", "\nrefit = true\n"))}};
}

std::string what_changed(const RunIdentity& was, const RunIdentity& now) {
  Differences out;
  compare_configs(was.config, now.config, out);
  compare_data(was.data, now.data, out);
  return out.text();
}

}  // namespace pagoda::train
