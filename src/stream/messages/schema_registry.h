// A schema registry: the schemas of messages by their ids, by the calls of Confluent's registry, which others have, too.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stream/messages/http_get.h"

namespace pagoda::stream {

// Rests for a moment, a second at most, and stays in touch with the source; false: the caller shall give up.
using Wait = std::function<bool()>;

struct RegisteredSchema {
  std::string type;  // "AVRO", "PROTOBUF", "JSON"
  std::string text;
  // What it refers to, directly or through others: the name that it is referred to by, and its text.
  std::vector<std::pair<std::string, std::string>> references;
};

// What the registry says about an id.
struct SchemaAnswer {
  std::optional<RegisteredSchema> schema;
  std::string why;  // there is none: "the registry knows no schema 7"
};

// One thread at a time calls it.
class SchemaRegistry {
 public:
  // Without user and password in the URL, those of the environment's SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO are sent, if it
  // is set. Error{usage}: it is no URL.
  explicit SchemaRegistry(const std::string& url);

  // Asks until the registry answers, with longer and longer pauses, and a warning that names `place`, the message that
  // waits. Nothing: `wait` gave up.
  std::optional<SchemaAnswer> schema(uint32_t id, const std::function<std::string()>& place, const Wait& wait);

 private:
  struct Asking;
  std::optional<HttpReply> ask(const std::string& target, const Asking& asking);
  bool add_references(const std::string& reply, const Asking& asking, std::set<std::string>& met, SchemaAnswer& answer);

  HttpPlace at_;
};

}  // namespace pagoda::stream
