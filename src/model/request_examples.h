// Requests as the user encoder reads them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "model/user_states.h"

namespace pagoda::model {

// The example of each request. Borrows the states and the requests; arguments as for request_vectors().
class RequestExamples {
 public:
  RequestExamples(const Model& model, const UserStates& states, std::span<const uint32_t> id_row_of_item,
                  std::span<const UserRequest> requests);
  RequestExamples(const RequestExamples&) = delete;  // the examples point into it
  RequestExamples& operator=(const RequestExamples&) = delete;
  std::span<const features::UserExample> examples() const { return examples_; }

 private:
  math::Ragged<uint32_t> histories_, event_histories_;  // the latter: per request, per kind
  std::vector<std::span<const uint32_t>> events_;       // those of event_histories_
  std::vector<std::string_view> context_;
  std::vector<features::UserExample> examples_;
};

}  // namespace pagoda::model
