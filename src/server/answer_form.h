// How a transport writes the bodies of its answers: as JSON (answer_writer.cpp), or as messages of gRPC (proto_form.cpp).
#pragma once

#include <span>
#include <string>

#include "server/search_queue.h"

namespace pagoda {

// Stateless.
class AnswerForm {
 public:
  virtual ~AnswerForm() = default;
  // `attributes`: columns of the item table that come back beside the items.
  virtual std::string candidates(const Retrieval& retrieval, const Outcome& outcome,
                                 std::span<const size_t> attributes) const = 0;
  virtual std::string neighbours(const Retrieval& retrieval, const Outcome& outcome,
                                 std::span<const size_t> attributes) const = 0;
  virtual std::string batch(std::span<const std::string> candidates) const = 0;  // as candidates() wrote them
  virtual std::string vectors(const Bundle& bundle, MatrixView<const float> vectors) const = 0;
  virtual std::string changed(size_t items) const = 0;
  virtual std::string model(const Retrieval& retrieval, bool with_paths) const = 0;
};

const AnswerForm& json_form();

}  // namespace pagoda
