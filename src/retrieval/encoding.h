// Private: requests as the user tower of one model reads them.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

// Some of the requests, which one set of cells serves. Borrowed for the call.
struct Encoding {
  const features::EncodedUsers& cells;
  std::span<const model::UserRequest> requests;
  std::span<const size_t> places;  // of these requests among all
};

// The lists of the request's items that come after a history of positives, in their order: `recent`, and events of the
// kinds for which is_positive(kind). Borrowed from the request.
template <class IsPositive>
std::vector<const std::vector<std::string>*> recent_lists(const RetrieveRequest& request, IsPositive is_positive) {
  std::vector<const std::vector<std::string>*> lists{&request.recent};
  for (const auto& [kind, items] : request.events)
    if (is_positive(kind)) lists.push_back(&items);
  return lists;
}

// Calls encode() for all requests with the cells of known users, and then for those that bring attributes of their own,
// whose later answer counts.
void for_each_encoding(const model::Bundle& bundle, const model::Member& member,
                       const std::vector<RetrieveRequest>& requests, const StandIns& stand_ins,
                       const std::function<void(const Encoding&)>& encode);

}  // namespace pagoda::retrieval
