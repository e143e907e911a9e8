// Private: reads the records of one schema of a registry.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stream/messages/schema_registry.h"
#include "text/row.h"

namespace pagoda::stream {

// Gives what it reads as the same values in a line of JSON would be read (text/json_cell.h), but for times, whose unit the
// schema tells. Not thread-safe.
class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  // Adds cells of the wanted columns that the record has to an empty row. `payload` is what follows the schema's id.
  // Error{input}: why it cannot be read.
  virtual void read(std::string_view payload, text::Row& row) = 0;
};

// For the columns of these names. Error{input}: the schema cannot be used, and why.
std::unique_ptr<RecordDecoder> make_avro_decoder(const RegisteredSchema& schema,
                                                 const std::vector<std::string>& columns);
std::unique_ptr<RecordDecoder> make_protobuf_decoder(const RegisteredSchema& schema,
                                                     const std::vector<std::string>& columns);

}  // namespace pagoda::stream
