// What this room's tests share: small bundles with untrained towers.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "model/bundle.h"

namespace pagoda::retrieval {

struct SmallBundle {
  bool user_ids = false;  // the user tower reads the user's id
  int64_t dim = 8;
  uint64_t seed = 5;
  int items = 10;         // i0, i1, ...
  bool reversed = false;  // the catalogue's order
  std::vector<std::string> users{"ann", "bob", "cat", "dan"};
  std::string likes = "likes";          // the name of a column of the user table
  std::vector<columns::Column> more{};  // of the item table
  int64_t moment_us = 0;
};

// Items with their years, every third by another author; users ann with i0 .. i4, bob with i5 and i6, cat with nothing,
// dan with i7, and further ones with i8. The user tower reads a history, the context column `device`, and the user
// table's `country` and `likes`.
inline void write_small_bundle(ThreadPool& pool, const std::string& path, const SmallBundle& shape) {
  columns::Interner users, items, devices;
  for (const auto& u : shape.users) users.add(u);
  for (int i = 0; i < shape.items; ++i) items.add("i" + std::to_string(shape.reversed ? shape.items - 1 - i : i));
  for (const char* d : {"tv", "phone"}) devices.add(d);
  const std::vector<uint64_t> counts(items.size(), 3), user_counts(users.size(), 3);

  data::Attributes item_table, user_table;
  auto& year = item_table.columns.emplace_back();
  year.name = "year";
  year.type = columns::ColumnType::integer;
  for (int i = 0; i < shape.items; ++i) {
    item_table.ids.add("i" + std::to_string(i));
    year.push_integer(1990 + i);
  }
  auto& author = item_table.columns.emplace_back();
  author.name = "author";
  for (int i = 0; i < shape.items; ++i) author.push_text(i % 3 ? "kim" : "lee \"x\"");
  for (const auto& column : shape.more) item_table.columns.push_back(column);
  user_table.columns.resize(2);
  auto &country = user_table.columns[0], &likes = user_table.columns[1];
  country.name = "country";
  likes.name = shape.likes;
  likes.type = columns::ColumnType::texts;
  for (uint32_t u = 0; u < users.size(); ++u) {
    user_table.ids.add(users[u]);
    country.push_text(u == 1 ? "FR" : u == 3 ? "PL" : "DE");
    likes.push_element(u % 2 ? "tea" : "jam");
    likes.push_element("bread");
    likes.end_list();
  }

  model::TowerOptions options;
  options.model.dim = shape.dim;
  options.user.id.enabled = shape.user_ids;
  options.user.history.last = 3;
  options.user.features = {{.column = "device", .dim = 4, .separator = {}},
                           {.column = "country", .dim = 4, .separator = {}},
                           {.column = shape.likes, .kind = features::FeatureKind::multi, .dim = 4, .separator = "|"}};
  model::Model model;
  const auto dim = static_cast<size_t>(shape.dim);
  model.item_encoder = features::ItemEncoder::fit(options.item, dim, items, &item_table, counts);
  const std::vector<features::UserEncoder::Context> contexts{{"device", &devices, {5, 5}}};
  model.user_encoder = features::UserEncoder::fit(options.user, dim, users, user_counts, &user_table, contexts,
                                                  model.item_encoder.id_vocabulary().rows(),
                                                  model.item_encoder.id_vocabulary().buckets());
  model.towers = model::TwoTowers<float>(options.model, options.user, options.item, model.user_encoder.layout(),
                                         model.item_encoder.layout());
  model.towers.initialise(pool, shape.seed);
  const auto user_cells = model.user_encoder.cells(users, &user_table);
  const auto vectors = model::item_vectors(pool, model, model.item_encoder.cells(items, &item_table), 0);
  model::UserStates states;
  states.context_names = {"device"};
  states.context_values = {devices};
  auto& device = states.context.emplace_back();
  for (uint32_t u = 0; u < users.size(); ++u) {
    const auto name = users[u];
    for (const char* item : name == "ann"   ? std::vector<const char*>{"i0", "i1", "i2", "i3", "i4"}
                            : name == "bob" ? std::vector<const char*>{"i5", "i6"}
                            : name == "cat" ? std::vector<const char*>{}
                            : name == "dan" ? std::vector<const char*>{"i7"}
                                            : std::vector<const char*>{"i8"})
      if (const auto row = items.find(item); row != columns::Interner::kNone) states.histories.values.push_back(row);
    states.histories.close();
    device.push_back(name == "cat" ? columns::Interner::kNone : name == "bob");
  }

  model::BundleContent content;
  content.info = {.version = "test",
                  .towers = true,
                  .dim = dim,
                  .items = items.size(),
                  .users = users.size(),
                  .moment_us = shape.moment_us,
                  .chosen_on = "fixed"};
  content.options = options;
  content.model = &model;
  content.user_ids = &users;
  content.user_cells = &user_cells;
  content.user_states = &states;
  content.item_ids = &items;
  content.item_counts = counts;
  content.item_vectors = vectors;
  content.item_attributes = &item_table;
  model::write_bundle(path, content);
}

}  // namespace pagoda::retrieval
