#include "stream/messages/schema_registry.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"

namespace pagoda::stream {

namespace {

using AskingClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kFirstPause{500}, kLongestPause{30000};
constexpr const char* kUserInfo = "SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO";

nlohmann::json json_of(const std::string& body) { return nlohmann::json::parse(body, nullptr, false); }

// "": the registry has answered, be it that there is no such schema. Else what is wrong, and what to do.
std::string not_an_answer(const HttpReply& reply) {
  constexpr auto kAddress = "is stream.registry the address of a schema registry?";
  if (!reply.error.empty()) return fmt::format("{}; {}", reply.error, kAddress);
  if (reply.status == 401 || reply.status == 403)
    return fmt::format("it refuses user and password (status {}); set {} to USER:PASSWORD", reply.status, kUserInfo);
  const auto json = json_of(reply.body);
  const auto code = json.is_object() ? json.value("error_code", nlohmann::json()) : nlohmann::json();
  const bool unknown = reply.status == 404 && code.is_number_integer() && code.get<int64_t>() / 100 == 404;
  if (unknown || (reply.status == 200 && json.is_object() && json.contains("schema") && json["schema"].is_string()))
    return "";
  return fmt::format("it answers with status {}, and not as a registry does; {}", reply.status, kAddress);
}

}  // namespace

struct SchemaRegistry::Asking {
  uint32_t id;
  const std::function<std::string()>& place;
  const Wait& wait;
};

SchemaRegistry::SchemaRegistry(const std::string& url) : at_(HttpPlace::parse("stream.registry", url)) {
  const char* user_info = std::getenv(kUserInfo);
  if (at_.user_info.empty() && user_info) at_.user_info = user_info;
}

std::optional<HttpReply> SchemaRegistry::ask(const std::string& target, const Asking& asking) {
  std::string said;
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    auto reply = http_get(at_, target);
    const auto wrong = not_an_answer(reply);
    if (wrong.empty()) {
      if (!said.empty()) log_info("the schema registry answers again");
      return reply;
    }
    if (wrong != said)
      log_warning("schema registry {}: {}; waiting for schema {} of {}, and nothing is skipped", at_.text(), wrong,
                  asking.id, asking.place());
    said = wrong;
    for (const auto end = AskingClock::now() + pause; AskingClock::now() < end;)
      if (!asking.wait()) return std::nullopt;
  }
}

std::optional<SchemaAnswer> SchemaRegistry::schema(uint32_t id, const std::function<std::string()>& place,
                                                   const Wait& wait) {
  const Asking asking{id, place, wait};
  const auto reply = ask(fmt::format("/schemas/ids/{}", id), asking);
  if (!reply) return std::nullopt;
  SchemaAnswer answer;
  if (reply->status != 200) {
    answer.why = fmt::format("the registry knows no schema {}", id);
    return answer;
  }
  const auto json = json_of(reply->body);
  answer.schema.emplace();
  const auto type = json.value("schemaType", nlohmann::json("AVRO"));  // what a registry without others leaves out
  answer.schema->type = type.is_string() ? type.get<std::string>() : "";
  answer.schema->text = json["schema"].get<std::string>();
  std::set<std::string> met;
  if (!add_references(reply->body, asking, met, answer)) return std::nullopt;
  if (!answer.why.empty()) answer.schema.reset();
  return answer;
}

// False: `wait` gave up.
bool SchemaRegistry::add_references(const std::string& body, const Asking& asking, std::set<std::string>& met,
                                    SchemaAnswer& answer) {
  const auto json = json_of(body);
  const auto references = json.value("references", nlohmann::json());
  if (!references.is_array()) return true;
  for (const auto& reference : references) try {
      const auto name = reference.at("name").get<std::string>(), subject = reference.at("subject").get<std::string>();
      const auto version = reference.at("version").get<int64_t>();
      if (!met.insert(name).second) continue;
      const auto reply = ask(fmt::format("/subjects/{}/versions/{}", url_encoded(subject), version), asking);
      if (!reply) return false;
      if (reply->status != 200) {
        answer.why = fmt::format("schema {} refers to version {} of '{}', which the registry does not know", asking.id,
                                 version, subject);
        return true;
      }
      answer.schema->references.emplace_back(name, json_of(reply->body)["schema"].get<std::string>());
      if (!add_references(reply->body, asking, met, answer)) return false;
    } catch (const nlohmann::json::exception&) {
      answer.why = fmt::format("the registry gives schema {} with a reference that is none", asking.id);
      return true;
    }
  return true;
}

}  // namespace pagoda::stream
