// What is known of each user at some moment: the items so far, and the context of the latest event.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "model/inference.h"

namespace pagoda::model {

struct UserStates {
  math::Ragged<uint32_t> histories;               // per user: item rows, the latest last
  std::vector<std::string> context_names;         // the context columns of the log
  std::vector<columns::Interner> context_values;  // per column
  std::vector<std::vector<uint32_t>> context;     // per column, per user; Interner::kNone: no event yet
  int64_t moment_us = 0;                          // the moment at which this is what is known

  size_t size() const { return histories.size(); }
  void save(ByteWriter& out) const;
  // Error{failed} naming the section: a history points past `items`, a context past its values or short of a user.
  static UserStates load(ByteReader& in, size_t items);
};

// Vectors of known users, [users.size(), D]; kNone: a stranger of whom nothing is known.
// id_row_of_item: catalogue rows to rows of the id vocabulary.
math::Matrix<float> known_user_vectors(ThreadPool& pool, const Model& model, const features::EncodedUsers& cells,
                                       const UserStates& states, std::span<const uint32_t> id_row_of_item,
                                       std::span<const uint32_t> users);

// One request: a known user, a stranger, or a history and context that replace what is known.
struct UserRequest {
  uint32_t user = columns::Interner::kNone;  // row of `states`: whose history and context stand where none is given
  uint32_t cell = columns::Interner::kNone;  // row of `cells`: whose id and attributes are read
  std::vector<uint32_t> history;             // id rows, the latest last; used when `own_history`
  bool own_history = false;
  std::vector<std::string> context;  // per context column of the encoder, "" where the user's latest stands
  int64_t moment_us = 0;
};
math::Matrix<float> request_vectors(ThreadPool& pool, const Model& model, const features::EncodedUsers& cells,
                                    const UserStates& states, std::span<const uint32_t> id_row_of_item,
                                    std::span<const UserRequest> requests);

}  // namespace pagoda::model
