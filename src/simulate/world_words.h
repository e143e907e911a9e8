// The words of a synthetic world: twelve genres of four topics, titles a person can read, authors' names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/rng.h"

namespace pagoda::simulate {

inline constexpr size_t kWorldGenres = 12;
inline constexpr size_t kTopicsPerGenre = 4;
inline constexpr size_t kWorldTopics = kWorldGenres * kTopicsPerGenre;  // topic t belongs to genre t / kTopicsPerGenre

std::string_view genre_name(size_t genre);
double genre_minutes(size_t genre);  // the usual length of its items

// "The Silent Harbour", "The Lantern of Elmwick": the nouns come from the topic (one in eight from a neighbour of the
// same genre), the adjective from the genre. Titles repeat, as real ones do.
std::string make_title(size_t topic, Rng& rng);

// The name of author `number`. It depends on the number alone; different numbers rarely share a name.
std::string author_name(uint64_t number);

}  // namespace pagoda::simulate
