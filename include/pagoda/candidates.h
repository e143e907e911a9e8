// What a search finds.
#pragma once

#include <string>
#include <vector>

namespace pagoda {

struct Candidate {
  std::string item;  // its id
  float score = 0;   // the inner product of the two vectors
  bool operator==(const Candidate&) const = default;
};

// By score, the best first; items of one score in the order of the catalogue. k of them, or all that match where fewer do.
using Candidates = std::vector<Candidate>;

}  // namespace pagoda
