#include "stream/messages/avro_schema.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace pagoda::stream {

namespace {

using AvroJson = nlohmann::ordered_json;

constexpr std::string_view kPrimitives[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};

AvroJson parsed_schema(const std::string& text) {
  auto json = AvroJson::parse(text, nullptr, false);
  if (json.is_discarded()) fail(ErrorKind::input, "is not JSON, as a schema of Avro is");
  return json;
}

// Walks a schema in the order in which a parser meets its names.
class Walk {
 public:
  explicit Walk(const RegisteredSchema& schema) {
    for (const auto& [name, text] : schema.references) references_[name] = &text;
  }

  // Whether a value of the type takes a byte at least.
  bool visit(AvroJson& type, const std::string& space) {
    if (type.is_string()) return visit_name(type, space);
    if (type.is_array()) {
      for (auto& branch : type) visit(branch, space);
      return true;
    }
    if (!type.is_object() || !type.contains("type")) fail(ErrorKind::input, "has a type that Avro does not know");
    auto& of = type["type"];
    if (of.is_object() || of.is_array()) return visit(of, space);
    if (!of.is_string()) fail(ErrorKind::input, "has a type that Avro does not know");
    const auto kind = of.get<std::string>();
    if (kind == "record" || kind == "error" || kind == "enum" || kind == "fixed") return visit_named(type, kind, space);
    if (kind == "array") {
      if (!visit(member(type, "items"), space))
        fail(ErrorKind::input,
             "has a list whose elements take no bytes, which may be of any length: give them a value");
      return true;
    }
    if (kind == "map") return visit(member(type, "values"), space), true;
    return visit_name(of, space);
  }

 private:
  static AvroJson& member(AvroJson& type, const char* name) {
    if (!type.contains(name)) fail(ErrorKind::input, "has a type without '{}'", name);
    return type[name];
  }

  static std::string full_name(const std::string& name, const std::string& space) {
    return name.find('.') != name.npos || space.empty() ? name : space + "." + name;
  }

  bool visit_name(AvroJson& type, const std::string& space) {
    const auto name = type.get<std::string>();
    if (std::ranges::find(kPrimitives, name) != std::end(kPrimitives)) return name != "null";
    const auto full = full_name(name, space);
    if (std::ranges::find(open_, full) != open_.end())
      fail(ErrorKind::input, "the type '{}' holds itself: such records are not read", full);
    if (const auto known = takes_bytes_.find(full); known != takes_bytes_.end()) return known->second;
    const auto found = references_.contains(full) ? references_.find(full) : references_.find(name);
    if (found == references_.end()) fail(ErrorKind::input, "names a type '{}' that it does not define", name);
    type = parsed_schema(*found->second);
    references_.erase(found);
    return visit(type, "");
  }

  bool visit_named(AvroJson& type, const std::string& kind, const std::string& space) {
    if (!member(type, "name").is_string()) fail(ErrorKind::input, "has a type without a name");
    const auto name = type["name"].get<std::string>();
    const bool has_space = type.contains("namespace") && type["namespace"].is_string();
    const auto full = full_name(name, has_space ? type["namespace"].get<std::string>() : space);
    if (kind != "record" && kind != "error") {
      const bool some = kind == "enum" || !type.contains("size") || type["size"] != 0;
      return takes_bytes_[full] = some;
    }
    const auto dot = full.rfind('.');
    open_.push_back(full);
    bool some = false;
    if (!member(type, "fields").is_array()) fail(ErrorKind::input, "has a record whose fields are no list");
    for (auto& field : type["fields"]) {
      if (!field.is_object()) fail(ErrorKind::input, "has a field that is none");
      some |= visit(member(field, "type"), dot == full.npos ? "" : full.substr(0, dot));
    }
    open_.pop_back();
    return takes_bytes_[full] = some;
  }

  std::map<std::string, const std::string*> references_;  // that were not met yet
  std::map<std::string, bool> takes_bytes_;               // of the named types that were met
  std::vector<std::string> open_;                         // the records around the one that is walked
};

}  // namespace

AvroJson whole_avro_schema(const RegisteredSchema& schema) {
  auto json = parsed_schema(schema.text);
  Walk(schema).visit(json, "");
  while (json.is_object() && json["type"].is_object()) json = AvroJson(json["type"]);
  return json;
}

}  // namespace pagoda::stream
