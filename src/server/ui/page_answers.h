// JSON responses of the calls that the page uses.
#pragma once

#include <span>
#include <string>

#include "retrieval/live_events.h"
#include "retrieval/snapshot.h"

namespace pagoda::server {

// All of these need a snapshot with a catalogue.

// {"items": [...], "counts": [...], "attributes": [...], "model": ...}
std::string found_items_json(const retrieval::Snapshot& snapshot, std::span<const uint32_t> rows,
                             std::span<const size_t> attributes);

// {"users": [...], "seen": [...], "histories": [[...], ...], "model": ...}: how many items each user has seen, and the
// latest `history` of them, live events included, latest last; without "histories" if `history` is 0.
std::string found_users_json(const retrieval::Snapshot& snapshot, const retrieval::LiveEvents& events,
                             std::span<const uint32_t> rows, size_t history);

// {"name": ..., "items": ..., "training_rows": ..., "title": ... or null, "compare": ..., "beside": ...,
// "popularity": [...], "map": {...}, "model": ...}. `name` is the name of the bundle's file without its folder, `title`
// the attribute that names an item for a person. `compares`: there is a second model; "beside" is the name of "compare"
// in version 0.1.
std::string catalogue_json(const retrieval::Snapshot& snapshot, bool compares);

}  // namespace pagoda::server
