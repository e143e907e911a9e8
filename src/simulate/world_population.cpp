#include "simulate/world_population.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace pagoda::simulate {
namespace {

constexpr float kSharpness = 9, kOffset = 5.5;
constexpr std::array<std::string_view, kDevices> kDeviceNames{"phone", "desktop", "tablet", "tv"};
constexpr std::array<double, kDevices> kDeviceShare{0.5, 0.2, 0.1, 0.2};
constexpr std::array<float, kDevices> kDeviceLength{-0.8f, 0.2f, -0.2f, 0.9f};
constexpr std::array<std::string_view, 5> kAgeGroups{"18-24", "25-34", "35-44", "45-59", "60+"};
constexpr std::array<std::string_view, 8> kCountries{"AT", "BR", "DE", "FR", "IN", "JP", "PL", "US"};

// The kinds of things that draw: each has its own random numbers, so that a change to one leaves the others unchanged.
enum Lane : uint64_t { kWorldLane = 1, kItemLane = 2, kUserLane = 3, kAuthorLane = 4 };

Taste normalised(Taste t) {
  double norm = 0;
  for (float x : t) norm += static_cast<double>(x) * x;
  for (float& x : t) x = static_cast<float>(x / std::sqrt(norm));
  return t;
}

Taste random_direction(Rng& rng) {
  Taste t;
  for (float& x : t) x = static_cast<float>(rng.normal());
  return normalised(t);
}

void add(Taste& to, double factor, const Taste& what) {
  for (size_t d = 0; d < to.size(); ++d) to[d] += static_cast<float>(factor * what[d]);
}

size_t draw(std::span<const double> weights, Rng& rng) {
  double total = 0;
  for (double w : weights) total += w;
  double left = rng.uniform() * total;
  size_t i = 0;
  while (i + 1 < weights.size() && left >= weights[i]) left -= weights[i++];
  return i;
}

size_t topic_of(size_t genre, Rng& rng) { return genre * kTopicsPerGenre + rng.below(kTopicsPerGenre); }

}  // namespace

std::string_view device_name(size_t device) { return kDeviceNames[device]; }

Population::Population(const WorldOptions& options)
    : seed_(static_cast<uint64_t>(options.seed)), items_(static_cast<double>(options.items)),
      days_(static_cast<double>(options.days)), withheld_(options.withheld),
      old_items_(std::max(1.0, std::round(items_ * (1 - options.new_items)))) {
  Rng rng(seed_, Stream::simulate, 0, kWorldLane);
  for (size_t genre = 0; genre < kWorldGenres; ++genre) {
    const Taste genre_centre = random_direction(rng);
    for (size_t k = 0; k < kTopicsPerGenre; ++k) {
      Taste centre = genre_centre;
      add(centre, 0.8, random_direction(rng));
      centres_[genre * kTopicsPerGenre + k] = normalised(centre);
    }
  }
  for (auto& weights : age_taste_)
    for (double& w : weights) w = std::exp(rng.normal());
  for (auto& weights : country_taste_)
    for (double& w : weights) w = std::exp(0.4 * rng.normal());
}

WorldItem Population::item(uint64_t row, ItemDetails& details) const {
  Rng rng(seed_, Stream::simulate, row, kItemLane);
  const size_t genre = rng.below(kWorldGenres), topic = topic_of(genre, rng);
  const bool two = rng.uniform() < 0.4;
  const size_t second = two ? topic_of(rng.below(kWorldGenres), rng) : topic;

  WorldItem item;
  item.taste = centres_[topic];
  if (two) add(item.taste, 0.45, centres_[second]);
  add(item.taste, 0.4, random_direction(rng));
  item.taste = normalised(item.taste);
  item.topic = static_cast<uint32_t>(topic);

  // The first authors of a topic write most. Part of an item's quality is its author's.
  const double authors = std::max(2.0, items_ / kWorldTopics / 6);
  const uint64_t author = topic << 32 | static_cast<uint64_t>(authors * std::pow(rng.uniform(), 2));
  details.author = author_name(author);
  details.quality = 0.5 * Rng(seed_, Stream::simulate, author, kAuthorLane).normal() + 0.6 * rng.normal();
  item.bias = static_cast<float>(details.quality - kOffset);
  details.rating = rng.uniform() < 0.08 ? -1 : std::clamp(3.6 + 0.5 * details.quality + 0.3 * rng.normal(), 1.0, 5.0);
  if (details.rating > 0) details.rating = std::round(details.rating * 10) / 10;

  details.minutes = std::lround(genre_minutes(genre) * std::exp(0.4 * rng.normal()));
  item.length = static_cast<float>((std::log(static_cast<double>(details.minutes)) - 4.4) / 0.55);
  details.title = make_title(topic, rng);
  details.genres.assign(1, genre_name(genre));
  if (second / kTopicsPerGenre != genre) details.genres.push_back(genre_name(second / kTopicsPerGenre));

  details.exposure_score = 0.5 * details.quality + 0.8 * rng.normal();
  item.withheld = rng.uniform() < withheld_;
  item.promoted = !item.withheld && details.exposure_score > 0.3;
  return item;
}

int64_t Population::released_us(uint64_t row) const {
  // An item is released at a random time in its own slot, so that releases are not evenly spaced but still ascend.
  const double at = static_cast<double>(row) + static_cast<double>(mix64(seed_ ^ mix64(row)) >> 11) * 0x1p-53;
  const double days = at < old_items_ ? -1500 * std::pow(1 - at / old_items_, 1.5)
                                      : 0.97 * days_ * (at - old_items_) / std::max(1.0, items_ - old_items_);
  return kWorldStartUs + static_cast<int64_t>(days * static_cast<double>(kDayUs));
}

WorldUser Population::user(uint64_t row, UserDetails& details) const {
  Rng rng(seed_, Stream::simulate, row, kUserLane);
  const size_t age = rng.below(kAgeGroups.size()), country = rng.below(kCountries.size());
  details.age_group = kAgeGroups[age];
  details.country = kCountries[country];

  std::array<double, kWorldGenres> weights;
  for (size_t g = 0; g < kWorldGenres; ++g) weights[g] = age_taste_[age][g] * country_taste_[country][g];
  constexpr std::array<double, 3> kShares{1.0, 0.75, 0.6};
  WorldUser user;
  user.taste = {};
  details.interests.clear();
  for (size_t k = 0; k < user.topics.size(); ++k) {
    const size_t topic = topic_of(draw(weights, rng), rng);
    user.topics[k] = static_cast<uint8_t>(topic);
    add(user.taste, kShares[k], centres_[topic]);
    // What users say they like: two times in three a genre that they do like, otherwise any genre.
    const double said = rng.uniform();
    if (said < 0.75) {
      const auto name = genre_name(said < 0.66 ? topic / kTopicsPerGenre : rng.below(kWorldGenres));
      if (std::find(details.interests.begin(), details.interests.end(), name) == details.interests.end())
        details.interests.push_back(name);
    }
  }
  add(user.taste, 0.35, random_direction(rng));
  user.taste = normalised(user.taste);

  details.activity = std::clamp(22 * std::exp(0.7 * rng.normal()), 8.0, 120.0);
  user.device = static_cast<uint8_t>(draw(kDeviceShare, rng));
  const double days = rng.uniform() < 0.7 ? -700 * rng.uniform() : 0.6 * days_ * rng.uniform();
  user.joined_us = kWorldStartUs + static_cast<int64_t>(days * static_cast<double>(kDayUs));
  return user;
}

float logit(const WorldUser& user, const WorldItem& item, size_t device) {
  float dot = 0;
  for (size_t d = 0; d < user.taste.size(); ++d) dot += user.taste[d] * item.taste[d];
  return kSharpness * dot + item.bias + kDeviceLength[device] * item.length;
}

double probability(float logit) { return 1 / (1 + std::exp(-static_cast<double>(logit))); }

}  // namespace pagoda::simulate
