// The answers of the calls that the page makes use of, in JSON.
#pragma once

#include <span>
#include <string>

#include "retrieval/snapshot.h"

namespace pagoda::server {

// The snapshot has a catalogue.

// {"items": [...], "counts": [...], "attributes": [...], "model": ...}
std::string found_items_json(const retrieval::Snapshot& snapshot, std::span<const uint32_t> rows,
                             std::span<const size_t> attributes);

// {"users": [...], "seen": [...], "histories": [[...], ...], "model": ...}: how many items each has seen, and the latest
// `history` of them, latest last; no histories where that is 0.
std::string found_users_json(const retrieval::Snapshot& snapshot, std::span<const uint32_t> rows, size_t history);

// {"name": ..., "items": ..., "training_rows": ..., "title": ... or null, "beside": ..., "popularity": [...], "map": {...},
// "model": ...}; the name is that of the bundle's file, without its folder; the title is the attribute that names an item for
// a person.
std::string catalogue_json(const retrieval::Snapshot& snapshot, bool beside);

}  // namespace pagoda::server
