// Items that a request brings: new ones, or others in place of those that the bundle has.
#pragma once

#include <string>
#include <vector>

#include "columns/vector_column.h"
#include "model/bundle.h"

namespace pagoda::retrieval {

// An attribute in a request: one value, or a list for a multi-valued column or a vector.
struct RequestFeature {
  std::string name;
  std::vector<std::string> values;
  bool is_list = false;
};

struct ItemChange {
  std::string item;
  std::vector<RequestFeature> attributes;  // a whole row; attributes not given are null
  bool deleted = false;
};

// Collects them in a table for the towers: the columns of the bundle's item table, and the vectors that its towers
// read.
class BroughtItems {
 public:
  explicit BroughtItems(const model::Bundle& bundle);

  // RequestError{input} with the field "attributes": there is no such attribute (names the nearest), or its column
  // cannot hold the value.
  void check(const RequestFeature& attribute) const;
  // The id is not that of one before. A value that does not pass check() is null.
  void add(const ItemChange& item);
  data::Attributes take();

 private:
  data::Attributes table_;
  std::vector<columns::VectorRows> vectors_;
};

// RequestError{input} with that field if the value is not a vector of `width` finite numbers.
void check_vector(const RequestFeature& vector, size_t width, const std::string& field);

}  // namespace pagoda::retrieval
