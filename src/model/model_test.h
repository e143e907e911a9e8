// What this room's tests share: a small world with every kind of feature, and models over it.
#pragma once

#include <gtest/gtest.h>

#include "core/rng.h"
#include "formats/formats_test.h"
#include "model/inference.h"

namespace pagoda::model {

struct SmallWorld {
  static constexpr uint32_t kItems = 12, kUsers = 6;
  static constexpr int64_t kDay = 86'400'000'000;
  columns::Interner item_ids, user_ids, devices;
  data::Attributes items, users;
  std::vector<uint64_t> item_counts, user_counts;
  ModelOptions model{.dim = 4};
  features::UserOptions user;
  features::ItemOptions item;

  SmallWorld() {
    for (const char* name : {"genre", "tags", "price", "title", "born"}) items.columns.emplace_back().name = name;
    for (uint32_t i = 0; i < kItems; ++i) {
      item_ids.add("i" + std::to_string(i));
      items.ids.add("i" + std::to_string(i));
      items.columns[0].push_text(i % 2 ? "war" : "art");
      items.columns[1].push_text(i % 3 ? "a|b" : "c");
      items.columns[2].push_text(std::to_string(i * i));
      items.columns[3].push_text(i % 2 ? "of war" : "an art");
      items.columns[4].push_text("1970-01-0" + std::to_string(1 + i % 9));
      item_counts.push_back(i % 5 + 1);
    }
    users.columns.emplace_back().name = "city";
    for (uint32_t u = 0; u < kUsers; ++u) {
      user_ids.add("u" + std::to_string(u));
      if (u > 0) {
        users.ids.add("u" + std::to_string(u));
        users.columns[0].push_text(u % 2 ? "rome" : "oslo");
      }
      user_counts.push_back(u + 1);
    }
    devices.add("phone");
    devices.add("desk");
  }

  void all_features() {
    user.id = {.enabled = true, .min_count = 2, .hash_buckets = 2};
    user.history = {.last = 3, .recency = .5};
    user.features = {
        {.column = "city", .dim = 2, .hash_buckets = 2},
        {.column = "device", .dim = 3, .hash_buckets = 2},
        {.column = "", .kind = features::FeatureKind::time, .dim = 2, .part = features::TimePart::hour},
        {.column = "", .kind = features::FeatureKind::time, .dim = 1, .part = features::TimePart::weekday}};
    item.id = {.min_count = 2, .hash_buckets = 2};
    item.features = {
        {.column = "genre", .dim = 2, .hash_buckets = 2},
        {.column = "tags", .kind = features::FeatureKind::multi, .dim = 2, .hash_buckets = 2, .separator = "|"},
        {.column = "price", .kind = features::FeatureKind::numeric, .form = features::NumericForm::log},
        {.column = "price", .kind = features::FeatureKind::numeric, .dim = 2, .form = features::NumericForm::bucket},
        {.column = "title", .kind = features::FeatureKind::text, .dim = 2, .hash_buckets = 20},
        {.column = "born", .kind = features::FeatureKind::time, .dim = 2, .part = features::TimePart::age}};
  }

  Model make(uint64_t seed = 1) const {
    Model m;
    m.item_encoder = features::ItemEncoder::fit(item, static_cast<size_t>(model.dim), item_ids, &items, item_counts);
    const std::vector<features::UserEncoder::Context> contexts{{"device", &devices, {2, 1}}};
    const auto& vocabulary = m.item_encoder.id_vocabulary();
    m.user_encoder = features::UserEncoder::fit(user, static_cast<size_t>(model.dim), user_ids, user_counts, &users,
                                                contexts, vocabulary.rows(), vocabulary.buckets());
    m.towers = TwoTowers<float>(model, user, item, m.user_encoder.layout(), m.item_encoder.layout());
    ThreadPool pool(1);
    m.towers.initialise(pool, seed);
    return m;
  }
};

// Histories, contexts and moments of many requests, and the examples that borrow them.
struct SmallRequests {
  std::vector<std::vector<uint32_t>> histories;
  std::vector<std::string_view> contexts;
  std::vector<features::UserExample> examples;

  SmallRequests(size_t n, uint32_t id_rows) : histories(n), contexts(n), examples(n) {
    Rng rng(3, Stream::test);
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = rng.below(5); k > 0; --k) histories[i].push_back(static_cast<uint32_t>(rng.below(id_rows)));
      contexts[i] = i % 3 == 0 ? "phone" : i % 3 == 1 ? "desk" : "";
      examples[i] = {.user = i % 7 == 6 ? columns::Interner::kNone : static_cast<uint32_t>(i % SmallWorld::kUsers),
                     .history = histories[i],
                     .context = {&contexts[i], 1},
                     .moment_us = static_cast<int64_t>(i) * 7'000'000'000};
    }
  }
};

template <class T>
bool same_bits(const math::Matrix<T>& a, const math::Matrix<T>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace pagoda::model
