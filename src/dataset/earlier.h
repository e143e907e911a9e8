// What was learnt before: the model that a training goes on from, and the events that it has learnt from.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/interactions.h"
#include "model/bundle.h"

namespace pagoda::dataset {

// Its items, users and table rows keep their numbers; new ones follow. Immutable.
struct Earlier {
  std::shared_ptr<const model::Bundle> bundle;  // of one model
  std::vector<int64_t> time_us;  // of its users' events, parallel to user_states().histories.values; empty: not known
  // The same of each kind of event with a history of its own, parallel to user_states().event_histories.
  std::vector<std::vector<int64_t>> event_time_us;
  // Ids whose latest event is older than this at the end of the training part are let go: their rows are given to new
  // ids, and they go to hash buckets. 0: none is. Needs time_us.
  int64_t forget_us = 0;
  // The vectors of the bundle's item table, whose rows are those of item_attributes(); empty: none, or not known.
  std::vector<std::shared_ptr<const columns::VectorColumn>> item_vectors;
  // Per item of the bundle: events that it has learnt from and has not kept, as a stream that keeps the latest events
  // of each user. Empty: it has kept all.
  std::vector<uint64_t> counts_let_go;

  const model::Member& member() const { return bundle->members()[0]; }
};

// Puts the earlier events before the rows of the log, user by user, and numbers its users and items first. An event
// whose time is not known has the latest time that the model has seen; its context is that of its user's latest event.
// Returns how many rows there are now before the first one of `log`.
size_t put_before(const Earlier& earlier, data::Interactions& log);

}  // namespace pagoda::dataset
