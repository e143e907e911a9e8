#include "report/run_log.h"

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"

namespace pagoda::report {

namespace {

using Json = nlohmann::ordered_json;

Json object_of(const std::vector<NamedValue>& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) object[name] = value;
  return object;
}

double number_of(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

std::vector<NamedValue> values_of(const Json& line, const char* key) {
  std::vector<NamedValue> values;
  if (const auto object = line.find(key); object != line.end())
    for (const auto& [name, value] : object->items()) values.emplace_back(name, number_of(value));
  return values;
}

// Calls visit(line, its end, its number) for each line that has its newline, until visit returns false.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  size_t begin = 0, number = 1;
  for (size_t end; (end = text.find('\n', begin)) != text.npos; begin = end + 1, ++number)
    if (!visit(text.substr(begin, end - begin), end + 1, number)) return;
}

// How much of the log a run that continues from `step` keeps: the complete lines up to that step.
size_t kept_bytes(std::string_view text, uint64_t step) {
  size_t kept = 0;
  for_each_line(text, [&](std::string_view line, size_t end, size_t) {
    const Json json = Json::parse(line, nullptr, false);
    const bool keep = json.is_object() && json.contains("step") && json["step"].is_number_unsigned() &&
                      json["step"].get<uint64_t>() <= step;
    if (keep) kept = end;
    return keep;
  });
  return kept;
}

}  // namespace

std::string to_json_line(const RunRecord& record) {
  Json line;
  if (!record.phase.empty()) line["phase"] = record.phase;
  line["step"] = record.step;
  line["epoch"] = record.epoch;
  line["seconds"] = record.seconds;
  line["loss"] = record.loss;
  line["examples_per_second"] = record.examples_per_second;
  if (!record.validation.empty()) line["validation"] = object_of(record.validation);
  if (!record.health.empty()) line["health"] = object_of(record.health);
  if (!record.warnings.empty()) line["warnings"] = record.warnings;
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<RunRecord> parse_run_log(std::string_view jsonl, std::string_view what) {
  std::vector<RunRecord> records;
  for_each_line(jsonl, [&](std::string_view line, size_t, size_t number) {
    try {
      const Json json = Json::parse(line);
      records.push_back({.phase = json.value("phase", std::string()),
                         .step = json.at("step").get<uint64_t>(),
                         .epoch = number_of(json.at("epoch")),
                         .seconds = number_of(json.at("seconds")),
                         .loss = number_of(json.at("loss")),
                         .examples_per_second = number_of(json.at("examples_per_second")),
                         .validation = values_of(json, "validation"),
                         .warnings = json.value("warnings", std::vector<std::string>()),
                         .health = values_of(json, "health")});
    } catch (const Json::exception& e) {
      fail(ErrorKind::failed, "{}:{}: not a record of a run: {}", what, number, e.what());
    }
    return true;
  });
  return records;
}

RunLog::RunLog(const std::string& folder, std::optional<uint64_t> resume_step, Clock clock)
    : path_(folder + "/" + file_name()), clock_(std::move(clock)) {
  make_folder(folder);
  std::error_code error;
  if (resume_step && file_exists(path_)) {
    std::filesystem::resize_file(path_, kept_bytes(read_file(path_), *resume_step), error);
  } else {
    std::filesystem::remove(path_, error);
    if (!resume_step)
      for (const auto& events : event_files(folder)) std::filesystem::remove(events, error);
  }
  if (error) fail(ErrorKind::failed, "{}: cannot be written: {}", path_, error.message());
  errno = 0;
  file_.open(path_, std::ios::binary | std::ios::app);
  if (!file_) fail(ErrorKind::failed, "{}: cannot be written: {}", path_, std::strerror(errno));
  const double now = clock_();
  events_.emplace(folder, now);
  if (resume_step) events_->restart(now, static_cast<int64_t>(*resume_step) + 1);
}

void RunLog::write(const RunRecord& record) {
  errno = 0;
  file_ << to_json_line(record) + "\n" << std::flush;
  if (!file_) fail(ErrorKind::failed, "{}: cannot be written: {}", path_, std::strerror(errno));

  std::vector<NamedValue> scalars = {{"train/loss", record.loss},
                                     {"train/examples_per_second", record.examples_per_second},
                                     {"train/epoch", record.epoch}};
  for (const auto& [name, value] : record.validation) scalars.emplace_back("validation/" + name, value);
  for (const auto& [name, value] : record.health) scalars.emplace_back("health/" + name, value);
  events_->scalars(clock_(), static_cast<int64_t>(record.step), scalars);
}

double RunLog::system_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace pagoda::report
