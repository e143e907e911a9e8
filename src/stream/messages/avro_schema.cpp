#include "stream/messages/avro_schema.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

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
class NameWalk {
 public:
  explicit NameWalk(const RegisteredSchema& schema) {
    for (const auto& [name, text] : schema.references) references_[name] = &text;
  }

  void visit(AvroJson& type, const std::string& space) {
    if (type.is_string()) return visit_name(type, space);
    if (type.is_array()) {
      for (auto& branch : type) visit(branch, space);
      return;
    }
    auto& of = member(type, "type");
    if (!of.is_string()) return visit(of, space);
    const auto kind = of.get<std::string>();
    if (kind == "array") return visit(member(type, "items"), space);
    if (kind == "map") return visit(member(type, "values"), space);
    if (kind != "record" && kind != "error" && kind != "enum" && kind != "fixed") return visit_name(of, space);
    const auto full = name_of(type, space);
    met_.insert(full);
    if (kind != "record" && kind != "error") return;
    const auto dot = full.rfind('.');
    for (auto& field : member(type, "fields"))
      visit(member(field, "type"), dot == full.npos ? "" : full.substr(0, dot));
  }

 private:
  static AvroJson& member(AvroJson& type, const char* name) {
    if (!type.is_object() || !type.contains(name))
      fail(ErrorKind::input, "has {} where Avro wants an object with '{}'", type.dump().substr(0, 40), name);
    return type[name];
  }

  static std::string full_name(const std::string& name, const std::string& space) {
    return name.find('.') != name.npos || space.empty() ? name : space + "." + name;
  }
  static std::string name_of(AvroJson& type, const std::string& space) {
    const auto& name = member(type, "name");
    if (!name.is_string()) fail(ErrorKind::input, "has a type whose name is no text");
    const auto own_space = type.value("namespace", AvroJson());
    return full_name(name.get<std::string>(), own_space.is_string() ? own_space.get<std::string>() : space);
  }

  void visit_name(AvroJson& type, const std::string& space) {
    const auto name = type.get<std::string>(), full = full_name(name, space);
    if (std::ranges::find(kPrimitives, name) != std::end(kPrimitives) || met_.contains(full)) return;
    const auto found = references_.contains(full) ? references_.find(full) : references_.find(name);
    if (found == references_.end()) fail(ErrorKind::input, "names a type '{}' that it does not define", name);
    type = parsed_schema(*found->second);
    references_.erase(found);
    visit(type, "");
  }

  std::map<std::string, const std::string*> references_;  // that were not met yet
  std::set<std::string> met_;                             // named types
};

}  // namespace

AvroJson whole_avro_schema(const RegisteredSchema& schema) {
  auto json = parsed_schema(schema.text);
  NameWalk(schema).visit(json, "");
  while (json.is_object() && json["type"].is_object()) json = AvroJson(json["type"]);
  return json;
}

}  // namespace pagoda::stream
