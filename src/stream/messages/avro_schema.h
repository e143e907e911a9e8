// Private: the text of an Avro schema, made ready for a parser that reads one text alone.
#pragma once

#include <nlohmann/json.hpp>

#include "stream/messages/schema_registry.h"

namespace pagoda::stream {

// The schema with each name of another subject replaced, where it is met first, by what it stands for. Error{input}: it
// is not JSON, or names a type that nobody defines.
nlohmann::ordered_json whole_avro_schema(const RegisteredSchema& schema);

}  // namespace pagoda::stream
