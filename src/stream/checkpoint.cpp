#include "stream/checkpoint.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/section_file.h"

namespace pagoda::stream {

namespace {

constexpr std::string_view kKind = "stream", kSection = "position";
constexpr uint32_t kVersion = 1;

using Json = nlohmann::ordered_json;

std::string path_of(const std::string& folder) { return folder + "/position"; }

}  // namespace

std::string stream_folder(const std::string& output) { return output + ".stream"; }

std::string model_path(const std::string& folder, uint64_t segments) {
  return fmt::format("{}/model-{}.pagoda", folder, segments % 2);
}

std::optional<Checkpoint> load_checkpoint(const std::string& folder) {
  const auto path = path_of(folder);
  if (!file_exists(path)) return std::nullopt;
  const SectionFile file(path, kKind, kVersion);
  file.verify();
  try {
    const auto json = Json::parse(file.text(kSection));
    Checkpoint c;
    c.segments = json.at("segments");
    c.steps = json.at("steps");
    c.seconds = json.at("seconds");
    c.standing.learnt_us = json.at("learnt_us");
    c.standing.events = json.at("events");
    c.standing.late = json.at("late");
    c.standing.bad = json.at("bad");
    c.standing.not_positive = json.at("not_positive");
    c.times = columns::time_form_from_names(json.at("time_unit").get<std::string>(),
                                            json.at("date_order").get<std::string>());
    c.recalls = json.at("recalls").get<std::vector<double>>();
    c.published = json.at("published");
    for (const auto& [name, partition] : json.at("partitions").items()) {
      auto& position = c.standing.positions[name];
      position.next = partition.at("next");
      position.newest_us = partition.at("newest_us");
      for (const auto& row : partition.at("done"))
        position.done.emplace(row.at(0).get<int64_t>(), row.at(1).get<uint32_t>());
    }
    return c;
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorKind::failed, "{}: section '{}' is damaged: {}", path, kSection, e.what());
  }
}

void save_checkpoint(const std::string& folder, const Checkpoint& c) {
  Json partitions = Json::object();
  for (const auto& [name, position] : c.standing.positions) {
    auto& json =
        partitions[name] = {{"next", position.next}, {"newest_us", position.newest_us}, {"done", Json::array()}};
    for (const auto& [offset, row] : position.done) json["done"].push_back({offset, row});
  }
  const Json json{{"segments", c.segments},
                  {"steps", c.steps},
                  {"seconds", c.seconds},
                  {"learnt_us", c.standing.learnt_us},
                  {"events", c.standing.events},
                  {"late", c.standing.late},
                  {"bad", c.standing.bad},
                  {"not_positive", c.standing.not_positive},
                  {"time_unit", columns::name_of(c.times.unit)},
                  {"date_order", columns::name_of(c.times.order)},
                  {"recalls", c.recalls},
                  {"published", c.published},
                  {"partitions", std::move(partitions)}};
  SectionWriter out(path_of(folder), kKind, kVersion);
  out.section(kSection, json.dump(1));
  out.commit();
}

}  // namespace pagoda::stream
