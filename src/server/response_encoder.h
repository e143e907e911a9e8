// Encodes response bodies: as JSON (json_encoder.cpp), or as gRPC messages (grpc/proto_encoder.cpp).
#pragma once

#include <span>
#include <string>

#include "server/event_writer.h"
#include "server/search_queue.h"

namespace pagoda::server {

// Stateless, so thread-safe.
class ResponseEncoder {
 public:
  virtual ~ResponseEncoder() = default;
  // `attributes`: columns of the item table to return with the items.
  virtual std::string candidates(const retrieval::Retrieval& retrieval, const SearchOutcome& outcome,
                                 std::span<const size_t> attributes) const = 0;
  virtual std::string neighbours(const retrieval::Retrieval& retrieval, const SearchOutcome& outcome,
                                 std::span<const size_t> attributes) const = 0;
  virtual std::string batch(std::span<const std::string> candidates) const = 0;  // as candidates() returned them
  virtual std::string vectors(const model::Bundle& bundle, math::MatrixView<const float> vectors) const = 0;
  virtual std::string changed(size_t items) const = 0;
  virtual std::string taken(const TakenEvents& events) const = 0;
  virtual std::string model(const retrieval::Retrieval& retrieval, bool with_paths) const = 0;
};

const ResponseEncoder& json_encoder();

}  // namespace pagoda::server
