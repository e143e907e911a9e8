// The state of each user at one moment: the history, and the context of the latest event.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "model/inference.h"

namespace pagoda::model {

struct UserStates {
  math::Ragged<uint32_t> histories;                     // per user: item rows, the latest last
  std::vector<std::string> event_names;                 // kinds of events with a history of their own
  int64_t events_until_us = 0;                          // the time of the latest of those events; 0 without times
  std::vector<math::Ragged<uint32_t>> event_histories;  // per kind, per user: item rows, the latest last
  std::vector<std::string> context_names;               // the context columns of the log
  std::vector<columns::Interner> context_values;        // per column
  std::vector<std::vector<uint32_t>> context;           // per column, per user; Interner::kNone: no event yet
  int64_t moment_us = 0;                                // the moment of this state

  size_t size() const { return histories.size(); }
  void save(ByteWriter& out) const;
  // Error{failed}, naming the section: a history beyond `items`, a context beyond its values, or too few users.
  static UserStates load(ByteReader& in, size_t items);
};

// The vectors of known users, [users.size(), D]; kNone is an unknown user.
// id_row_of_item: catalogue rows to rows of the id vocabulary.
math::Matrix<float> known_user_vectors(ThreadPool& pool, const Model& model, const features::EncodedUsers& cells,
                                       const UserStates& states, std::span<const uint32_t> id_row_of_item,
                                       std::span<const uint32_t> users);

// One request: a known or an unknown user, or a history and context that replace the known ones, and what came later.
struct UserRequest {
  uint32_t user = columns::Interner::kNone;  // row of `states`, whose history and context are the defaults
  uint32_t cell = columns::Interner::kNone;  // row of `cells`, whose id and attributes are read
  std::vector<uint32_t> history;             // id rows, the latest last; used when `own_history`
  bool own_history = false;
  std::vector<uint32_t> recent;  // id rows after the history, own or known; the latest last
  // Per kind of UserEncoder::own_histories(): id rows after those that are known, which count if the history is not
  // its own. Missing ones are empty.
  std::vector<std::vector<uint32_t>> events;
  math::Ragged<uint32_t> stand_ins;  // of entries of all of them from history_rows() on: features::UserExample
  std::vector<std::string> context;  // per context column of the encoder; "": the user's latest
  int64_t moment_us = 0;
};
math::Matrix<float> request_vectors(ThreadPool& pool, const Model& model, const features::EncodedUsers& cells,
                                    const UserStates& states, std::span<const uint32_t> id_row_of_item,
                                    std::span<const UserRequest> requests);

}  // namespace pagoda::model
