#include "stream/messages/avro_bounds.h"

#include "core/error.h"

namespace pagoda::stream {

namespace {

constexpr int kDeepestValue = 100;

class AvroWalk {
 public:
  explicit AvroWalk(std::string_view bytes) : rest_(bytes), elements_left_(bytes.size()) {}

  void visit(avro_schema_t type, int depth) {
    if (depth > kDeepestValue) fail(ErrorKind::input, "nests deeper than {} levels", kDeepestValue);
    switch (avro_typeof(type)) {
      case AVRO_NULL: return;
      case AVRO_BOOLEAN: return skip(1);
      case AVRO_FLOAT: return skip(sizeof(float));
      case AVRO_DOUBLE: return skip(sizeof(double));
      case AVRO_INT64: take_number(); return;
      case AVRO_INT32: take_number(INT32_MIN, INT32_MAX); return;
      case AVRO_STRING:
      case AVRO_BYTES: return skip(take_number());
      case AVRO_FIXED: return skip(avro_schema_fixed_size(type));
      case AVRO_ENUM: take_number(0, avro_schema_enum_number_of_symbols(type) - 1); return;
      case AVRO_LINK: return visit(avro_schema_link_target(type), depth + 1);
      case AVRO_UNION: {
        const auto branch = take_number(0, static_cast<int64_t>(avro_schema_union_size(type)) - 1);
        return visit(avro_schema_union_branch(type, static_cast<int>(branch)), depth + 1);
      }
      case AVRO_RECORD:
        for (size_t f = 0; f < avro_schema_record_size(type); ++f)
          visit(avro_schema_record_field_get_by_index(type, static_cast<int>(f)), depth + 1);
        return;
      case AVRO_ARRAY: return visit_blocks(avro_schema_array_items(type), false, depth + 1);
      case AVRO_MAP: return visit_blocks(avro_schema_map_values(type), true, depth + 1);
      default: fail(ErrorKind::input, "has a type that Avro does not know");
    }
  }

  bool at_end() const { return rest_.empty(); }

 private:
  void skip(int64_t bytes) {
    if (bytes < 0 || static_cast<uint64_t>(bytes) > rest_.size())
      fail(ErrorKind::input, "is cut off, or written by another schema");
    rest_.remove_prefix(static_cast<size_t>(bytes));
  }

  int64_t take_number(int64_t least = INT64_MIN, int64_t most = INT64_MAX) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (shift > 63) fail(ErrorKind::input, "has a number of more than 64 bits: it is written by another schema");
      skip(1);
      const auto byte = static_cast<unsigned char>(*(rest_.data() - 1));
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const auto number = static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    if (number < least || number > most)
      fail(ErrorKind::input, "has {} where its schema allows {} to {}: it is written by another schema", number, least,
           most);
    return number;
  }

  void visit_blocks(avro_schema_t element, bool keys, int depth) {
    while (const int64_t count = take_number(-INT64_MAX)) {
      if (count < 0) take_number();  // the bytes of the block, which nobody needs
      for (int64_t left = count < 0 ? -count : count; left > 0; --left) {
        if (elements_left_-- == 0) fail(ErrorKind::input, "has a list of more elements than the message has bytes");
        if (keys) skip(take_number());
        visit(element, depth);
      }
    }
  }

  std::string_view rest_;
  size_t elements_left_;  // elements may take no bytes
};

}  // namespace

void check_avro_bytes(avro_schema_t schema, std::string_view bytes) {
  AvroWalk walk(bytes);
  walk.visit(schema, 0);
  if (!walk.at_end()) fail(ErrorKind::input, "goes on behind its record");
}

}  // namespace pagoda::stream
