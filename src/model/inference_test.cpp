#include "model/inference.h"

#include "model/model_test.h"
#include "model/user_states.h"

namespace pagoda::model {
namespace {

SmallWorld world(const std::vector<int64_t>& hidden) {
  SmallWorld w;
  w.all_features();
  w.user.hidden = w.item.hidden = hidden;
  return w;
}

TEST(UserVectors, OneAloneHasTheBitsItHasAmongAThousandOnAnyNumberOfThreads) {
  for (int64_t dim : {4, 32, 50})
    for (const auto& hidden : std::vector<std::vector<int64_t>>{{}, {16}, {37, 20}}) {
      auto w = world(hidden);
      w.model.dim = dim;
      const auto model = w.make();
      const auto cells = model.user_encoder.cells(w.user_ids, &w.users);
      const SmallRequests requests(1000, model.item_encoder.id_vocabulary().rows());
      ThreadPool one(1), two(2);
      const auto all = user_vectors(two, model, cells, requests.examples);
      EXPECT_TRUE(same_bits(all, user_vectors(one, model, cells, requests.examples)));
      for (size_t i : {0, 1, 63, 64, 500, 999}) {
        const auto alone = user_vectors(one, model, cells, std::span(requests.examples).subspan(i, 1));
        EXPECT_TRUE(std::ranges::equal(alone.row(0), all.row(i)))
            << i << " of dim " << dim << ", layers " << hidden.size();
      }
    }
}

TEST(ItemVectors, OneAloneHasTheBitsItHasAmongAll) {
  const auto w = world({9});
  const auto model = w.make();
  ThreadPool pool(2);
  const auto all = item_vectors(pool, model, model.item_encoder.cells(w.item_ids, &w.items), 5 * SmallWorld::kDay);
  for (uint32_t i = 0; i < SmallWorld::kItems; ++i) {
    columns::Interner id;
    id.add(w.item_ids[i]);
    const auto alone = item_vectors(pool, model, model.item_encoder.cells(id, &w.items), 5 * SmallWorld::kDay);
    EXPECT_TRUE(std::ranges::equal(alone.row(0), all.row(i)));
    double squares = 0;
    for (float v : all.row(i)) squares += v * v;
    EXPECT_NEAR(squares, 1, 1e-5);
  }
}

struct Known {
  UserStates states;
  std::vector<uint32_t> id_rows;
  features::EncodedUsers cells;
  Known(const SmallWorld& w, const Model& model) : cells(model.user_encoder.cells(w.user_ids, &w.users)) {
    states.histories.clear();
    for (uint32_t u = 0; u < SmallWorld::kUsers; ++u) {
      for (uint32_t n = 0; n < u + 1; ++n) states.histories.values.push_back((u + n * 5) % SmallWorld::kItems);
      states.histories.close();
    }
    states.context_names = {"other", "device"};
    states.context_values = {columns::Interner(), w.devices};
    states.context = {std::vector<uint32_t>(SmallWorld::kUsers, columns::Interner::kNone),
                      {0, 1, 0, 1, columns::Interner::kNone, 1}};
    states.moment_us = 3 * SmallWorld::kDay;
    for (uint32_t i = 0; i < SmallWorld::kItems; ++i)
      id_rows.push_back(model.item_encoder.id_vocabulary().row(w.item_ids[i]));
  }
  UserRequest stranger_like(uint32_t user) const {
    UserRequest r;
    for (auto item : std::as_const(states.histories)[user]) r.history.push_back(id_rows[item]);
    r.own_history = true;
    r.moment_us = states.moment_us;
    return r;
  }
};

TEST(RequestVectors, AStrangerWithAKnownUsersHistoryGetsThatUsersBits) {
  for (const auto& hidden : std::vector<std::vector<int64_t>>{{}, {12}})
    for (auto table : {features::HistoryTable::own, features::HistoryTable::shared}) {
      SmallWorld w;
      w.user.hidden = w.item.hidden = hidden;
      w.user.history = {.last = 3, .table = table, .recency = .3};
      const auto model = w.make();
      const Known k(w, model);
      ThreadPool pool(2);
      const std::vector<uint32_t> users{0, 1, 2, 3, 4, 5};
      const auto known = known_user_vectors(pool, model, k.cells, k.states, k.id_rows, users);
      for (auto u : users) {
        const std::vector<UserRequest> one{k.stranger_like(u)};
        const auto stranger = request_vectors(pool, model, {}, k.states, k.id_rows, one);
        EXPECT_TRUE(std::ranges::equal(stranger.row(0), known.row(u))) << u;
      }
      EXPECT_FALSE(std::ranges::equal(known.row(1), known.row(5)));
    }
}

TEST(RequestVectors, WhatARequestGivesStandsForWhatIsKnown) {
  const auto w = world({});
  const auto model = w.make();
  const Known k(w, model);
  ThreadPool pool(1);
  const auto vector = [&](const UserRequest& r) {
    return request_vectors(pool, model, k.cells, k.states, k.id_rows, {&r, 1});
  };
  UserRequest known;
  known.user = known.cell = 3;
  known.moment_us = k.states.moment_us;
  EXPECT_TRUE(same_bits(vector(known),
                        known_user_vectors(pool, model, k.cells, k.states, k.id_rows, std::vector<uint32_t>{3})));
  auto spelled_out = k.stranger_like(3);
  spelled_out.cell = 3;
  spelled_out.context = {"desk"};
  EXPECT_TRUE(same_bits(vector(known), vector(spelled_out)));
  auto other = known;
  other.context = {"phone"};
  EXPECT_FALSE(same_bits(vector(known), vector(other)));
  other = known;
  other.moment_us += SmallWorld::kDay / 2;
  EXPECT_FALSE(same_bits(vector(known), vector(other)));
  other = known;
  other.own_history = true;  // and empty: no history
  EXPECT_FALSE(same_bits(vector(known), vector(other)));
}

TEST(ItemVectors, AnUnknownItemIsCloseToItemsOfItsAttributes) {
  SmallWorld w;
  w.model.dim = 8;
  w.item.features = {{.column = "genre", .dim = 8}, {.column = "title", .kind = features::FeatureKind::text, .dim = 8}};
  auto model = w.make();
  // A catalogue in which the id says little beside the attributes, as training leaves it.
  for (size_t row = 0; row < model.item_encoder.id_vocabulary().words(); ++row)
    for (auto& v : model.towers.tables()[0].values().row(row)) v *= .1f;
  data::Attributes fresh;
  fresh.ids.add("new war");
  fresh.ids.add("new art");
  for (const char* name : {"genre", "title"}) fresh.columns.emplace_back().name = name;
  fresh.columns[0].push_text("war");
  fresh.columns[0].push_text("art");
  fresh.columns[1].push_text("of war");
  fresh.columns[1].push_text("an art");
  ThreadPool pool(1);
  const auto known = item_vectors(pool, model, model.item_encoder.cells(w.item_ids, &w.items), 0);
  const auto unknown = item_vectors(pool, model, model.item_encoder.cells(fresh.ids, &fresh), 0);
  for (uint32_t i = 0; i < SmallWorld::kItems; ++i)
    for (uint32_t n : {0, 1}) {
      const bool same = (i % 2 == 1) == (n == 0);
      double cosine = 0;
      for (size_t c = 0; c < 8; ++c) cosine += known[i][c] * unknown[n][c];
      if (same) {
        EXPECT_GT(cosine, .95) << i;
      } else {
        EXPECT_LT(cosine, .9) << i;
      }
    }
}

TEST(UserStates, OnesThatAreSavedAndLoadedAreTheSame) {
  const auto w = world({});
  const Known k(w, w.make());
  ByteWriter out;
  k.states.save(out);
  const auto load = [&](const std::string& bytes, size_t items) {
    ByteReader in(std::as_bytes(std::span(bytes)), "m: section 'user_states'");
    return UserStates::load(in, items);
  };
  const auto loaded = load(out.bytes(), SmallWorld::kItems);
  EXPECT_EQ(loaded.histories.offsets, k.states.histories.offsets);
  EXPECT_EQ(loaded.histories.values, k.states.histories.values);
  EXPECT_EQ(loaded.context_names, k.states.context_names);
  EXPECT_EQ(loaded.context, k.states.context);
  EXPECT_EQ(loaded.context_values[1].find("desk"), 1u);
  EXPECT_EQ(loaded.moment_us, k.states.moment_us);
  EXPECT_TRUE(files::error_of([&] {
                load(out.bytes(), 5);
              }).says("section 'user_states': a history points past the catalogue"));
  auto other = k.states;
  other.context[1][0] = 2;
  ByteWriter past;
  other.save(past);
  EXPECT_TRUE(
      files::error_of([&] { load(past.bytes(), SmallWorld::kItems); }).says("a context points past its values"));
  other = k.states;
  other.context[0].pop_back();
  ByteWriter shorter;
  other.save(shorter);
  EXPECT_TRUE(files::error_of([&] { load(shorter.bytes(), SmallWorld::kItems); }).says("a value for each user"));
}

}  // namespace
}  // namespace pagoda::model
