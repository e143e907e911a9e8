// The topics, items and users of a synthetic world. Everything about item i or user i depends on (seed, i) alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "simulate/world.h"
#include "simulate/world_words.h"

namespace pagoda::simulate {

inline constexpr int64_t kWorldStartUs = 1704067200000000;  // 2024-01-01
inline constexpr int64_t kDayUs = 86400ll * 1000000;

using Taste = std::array<float, 12>;

inline constexpr size_t kDevices = 4;
std::string_view device_name(size_t device);

// What a click depends on: one cache line.
struct alignas(64) WorldItem {
  Taste taste;
  float bias;    // quality - 5.5
  float length;  // log minutes, standardised: phone users prefer short items, television users long ones
  uint32_t topic;
  bool withheld, promoted;  // never shown; may be among the new arrivals
};

struct ItemDetails {
  std::string title, author;
  std::vector<std::string_view> genres;
  int64_t minutes;
  double rating;  // below 0: none
  double quality;
  double exposure_score;  // the recommender's opinion: partly quality, partly luck
};

struct WorldUser {
  Taste taste;
  std::array<uint8_t, 3> topics;  // best liked first
  uint8_t device;                 // the usual one
  int64_t joined_us;
  std::array<uint64_t, 4> seen{};  // Bloom filter of the clicked items: a false positive is an item that is not shown
};

struct UserDetails {
  std::string_view age_group, country;
  std::vector<std::string_view> interests;
  double activity;  // expected interactions, up to a factor
};

class Population {
 public:
  explicit Population(const WorldOptions& options);  // resolved

  WorldItem item(uint64_t row, ItemDetails& details) const;
  WorldUser user(uint64_t row, UserDetails& details) const;
  // Ascends with the row: the catalogue is in order of release.
  int64_t released_us(uint64_t row) const;

 private:
  uint64_t seed_;
  double items_, days_, withheld_;
  double old_items_;  // released before the log begins
  std::array<Taste, kWorldTopics> centres_;
  std::array<std::array<double, kWorldGenres>, 5> age_taste_;  // weight of a genre for an age group
  std::array<std::array<double, kWorldGenres>, 8> country_taste_;
};

float logit(const WorldUser& user, const WorldItem& item, size_t device);
double probability(float logit);

}  // namespace pagoda::simulate
