#include "tune/journal.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/log.h"

namespace pagoda::tune {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

}  // namespace

Journal::Journal(std::string path, const train::RunIdentity& run, const std::string& metric) : path_(std::move(path)) {
  if (!file_exists(path_)) {
    text_ = Json{{"tune", kVersion}, {"metric", metric}, {"config", run.config}, {"data", run.data}}.dump() + "\n";
    write_file(path_, text_);
    return;
  }
  const std::string text = read_file(path_);
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    ++number;
    if (end == std::string::npos && number > 1) {
      log_warning("{}: its last line is cut; that trial is done again", path_);
      break;
    }
    const std::string line = text.substr(begin, end - begin);
    begin = end == std::string::npos ? text.size() : end + 1;
    const auto damaged = [&](const char* what) {
      fail(ErrorKind::input, "{}:{}: {}; remove the file to tune anew, or choose another folder with -o", path_, number,
           what);
    };
    try {
      const Json json = Json::parse(line);
      if (number == 1) {
        if (json.at("tune") != kVersion) damaged("is of another version of Pagoda");
        const train::RunIdentity was{.config = json.at("config"), .data = json.at("data"), .former_checksums = {}};
        if (const auto changed = train::what_changed(was, run); !changed.empty())
          fail(ErrorKind::usage,
               "{}: was begun with another config or other data: {}; put it back, or choose another folder with -o",
               path_, changed);
        if (json.at("metric") != metric) damaged("judges by another metric");
      } else {
        done_[{json.at("id"), json.at("epochs")}] = {.value = json.at("value"),
                                                     .best_epoch = json.at("best_epoch"),
                                                     .stopped = json.at("stopped"),
                                                     .seconds = json.at("seconds")};
        if (json.at("origin") != "repeat") begun_ = std::max(begun_, json.at("trial").get<size_t>() + 1);
      }
    } catch (const Json::exception&) {
      damaged("is no line of a tuning");
    }
    text_ += line + "\n";
  }
  if (text_.empty()) fail(ErrorKind::input, "{}: is empty; remove it to tune anew", path_);
}

const Standing* Journal::find(const std::string& id, int64_t epochs) const {
  const auto found = done_.find({id, epochs});
  return found == done_.end() ? nullptr : &found->second;
}

void Journal::add(const Record& record) {
  const auto& s = record.standing;
  text_ += Json{{"trial", record.trial},   {"origin", record.origin}, {"seed", record.seed},
                {"epochs", record.epochs}, {"value", s.value},        {"best_epoch", s.best_epoch},
                {"stopped", s.stopped},    {"seconds", s.seconds},    {"changes", record.changes},
                {"id", record.id}}
               .dump() +
           "\n";
  write_file(path_, text_);
  done_[{record.id, record.epochs}] = s;
  if (record.origin != "repeat") begun_ = std::max(begun_, record.trial + 1);
}

}  // namespace pagoda::tune
