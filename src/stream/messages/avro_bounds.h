// Private: whether bytes are a value of an Avro schema.
#pragma once

#include <avro.h>

#include <string_view>

namespace pagoda::stream {

// Avro's C library follows lengths, counts and numbers of symbols wherever they lead. These bytes are one value, from the
// first to the last, and all of them lead to where they should. Error{input}: they are not, and why; or they nest deeper
// than 100 levels.
void check_avro_bytes(avro_schema_t schema, std::string_view bytes);

}  // namespace pagoda::stream
