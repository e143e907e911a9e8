#include "model/ensemble.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "features/saved.h"
#include "model/cascade.h"
#include "model/model_test.h"

namespace pagoda::model {
namespace {

// What tells one member of these tests from another.
struct Shape {
  int64_t dim = 4;
  bool normalise = true, all_features = true;
  uint64_t seed = 1;
  bool reversed = false;  // its catalogue
  uint32_t users = SmallWorld::kUsers;
  int64_t day = 9;
};

class EnsembleTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "pagoda_ensemble_" + std::to_string(getpid());
    make_folder(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::shared_ptr<const Bundle> bundle(const std::string& name, const Shape& shape,
                                       const std::string& extra_item = "") {
    SmallWorld world;
    if (shape.all_features) world.all_features();
    world.model.dim = shape.dim;
    world.model.normalise = shape.normalise;
    if (!shape.all_features) world.user.history.last = 4;
    if (shape.reversed) {
      world.item_ids = columns::Interner();
      for (uint32_t i = SmallWorld::kItems; i-- > 0;) world.item_ids.add("i" + std::to_string(i));
      std::reverse(world.item_counts.begin(), world.item_counts.end());
    }
    if (!extra_item.empty()) {
      world.item_ids.add(extra_item);
      world.item_counts.push_back(1);
    }
    world.user_ids = columns::Interner();
    for (uint32_t u = 0; u < shape.users; ++u) world.user_ids.add("u" + std::to_string(u));
    world.user_counts.resize(shape.users);
    auto model = world.make(shape.seed);
    const auto cells = model.user_encoder.cells(world.user_ids, &world.users);
    UserStates states;
    for (uint32_t u = 0; u < shape.users; ++u) {
      for (uint32_t i : {u, u + 3, u + 6})
        states.histories.values.push_back(world.item_ids.find("i" + std::to_string(i)));
      states.histories.close();
    }
    states.context_names = {"device"};
    states.context_values = {world.devices};
    states.context = {{0, 1, columns::Interner::kNone, 1, 0, 1}};
    states.context[0].resize(shape.users);
    states.moment_us = shape.day * SmallWorld::kDay;
    const auto vectors =
        item_vectors(pool_, model, model.item_encoder.cells(world.item_ids, &world.items), states.moment_us);
    BundleContent c;
    c.info = {.version = "9.8.7",
              .towers = true,
              .dim = static_cast<uint64_t>(shape.dim),
              .items = world.item_ids.size(),
              .users = shape.users,
              .training_rows = 77,
              .moment_us = states.moment_us,
              .chosen_on = shape.seed == 1 ? "fixed" : "validation",
              .refit = shape.seed != 1,
              .epochs = shape.seed};
    c.options = {world.model, world.user, world.item};
    c.config = "name = \"" + name + "\"\n";
    c.frequency = "state of " + name;
    c.model = &model;
    c.user_ids = &world.user_ids;
    c.user_cells = &cells;
    c.user_states = &states;
    c.item_ids = &world.item_ids;
    c.item_counts = world.item_counts;
    c.item_vectors = vectors;
    c.item_attributes = &world.items;
    write_bundle(path(name), c);
    return Bundle::open(path(name));
  }
  std::shared_ptr<const Bundle> ensemble(const std::string& name, const std::vector<EnsemblePart>& parts) {
    write_ensemble(path(name), parts, "9.8.7");
    return Bundle::open(path(name));
  }
  // Two models that differ in everything they may differ in.
  std::shared_ptr<const Bundle> first() { return bundle("a", {}); }
  std::shared_ptr<const Bundle> second() {
    return bundle(
        "b", {.dim = 7, .normalise = false, .all_features = false, .seed = 2, .reversed = true, .users = 5, .day = 11});
  }
  static std::vector<uint32_t> everyone(const Bundle& b) {
    std::vector<uint32_t> users(b.user_ids().size());
    std::iota(users.begin(), users.end(), 0u);
    users.push_back(columns::Interner::kNone);
    return users;
  }
  math::Matrix<float> users_of(const Bundle& b, const Bundle& as_in) {
    return known_user_vectors(pool_, b, as_in.user_ids(), everyone(as_in));
  }
  template <class F>
  void refused(ErrorKind kind, const std::vector<std::string>& parts, const F& f) {
    const auto e = files::error_of(f);
    EXPECT_EQ(e.kind, kind) << e.message;
    for (const auto& part : parts) EXPECT_TRUE(e.says(part)) << e.message;
  }
  // The ensemble of `first` and `second` with other bytes in one section and right checksums.
  std::string forged(const std::string& section, const std::optional<std::string>& bytes) {
    if (!file_exists(path("e"))) ensemble("e", {{first(), .7}, {second(), .3}});
    const SectionFile in(path("e"), kBundleKind, kBundleVersion);
    SectionWriter out(path("forged"), kBundleKind, kBundleVersion);
    EXPECT_TRUE(in.has(section)) << section;
    for (const auto& s : in.sections()) {
      if (s.name != section)
        out.section(s.name, in.bytes(s.name));
      else if (bytes)
        out.section(s.name, *bytes);
    }
    out.commit();
    return path("forged");
  }

  ThreadPool pool_{2};
  std::string folder_;
};

// 0 where a vector has no direction, as a stranger has none to a tower of history alone.
double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t d = 0; d < a.size(); ++d) {
    ab += double{a[d]} * b[d];
    aa += double{a[d]} * a[d];
    bb += double{b[d]} * b[d];
  }
  return aa * bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

TEST_F(EnsembleTest, InnerProductsAreTheWeightedSumsOfCosinesAndListsThoseOfBruteForce) {
  const auto a = first(), b = second();
  const auto both = ensemble("e", {{a, .7}, {b, 1.9}});
  EXPECT_EQ(both->info().dim, 11u);
  const auto users = users_of(*both, *a), of_a = users_of(*a, *a), of_b = users_of(*b, *a);
  ASSERT_EQ(users.rows(), 7u);
  const auto found = both->index().search(pool_, users, {.k = 5});
  for (size_t u = 0; u < users.rows(); ++u) {
    std::vector<std::pair<double, uint32_t>> ranked;
    for (uint32_t item = 0; item < 12; ++item) {
      const auto at_b = b->item_ids().find(both->item_ids()[item]);
      EXPECT_NE(at_b, item);
      const double expected = .7 * cosine(of_a.row(u), a->item_vectors().row(item)) +
                              1.9 * cosine(of_b.row(u), b->item_vectors().row(at_b));
      double product = 0;
      for (size_t d = 0; d < 11; ++d) product += double{users[u][d]} * both->item_vectors().f32()[item][d];
      EXPECT_NEAR(product, expected, 1e-6) << u << ' ' << item;
      ranked.emplace_back(-expected, item);
    }
    std::sort(ranked.begin(), ranked.end());
    for (size_t r = 0; r < 5; ++r) {
      EXPECT_EQ(found.items[u][r], ranked[r].second) << u << ' ' << r;
      EXPECT_NEAR(found.scores[5 * u + r], -ranked[r].first, 1e-6);
    }
  }
}

TEST_F(EnsembleTest, OfOneMemberIsThatMemberBitForBit) {
  const auto a = first();
  const auto one = ensemble("e", {{a, 1}});
  EXPECT_TRUE(same_bits(users_of(*one, *a), users_of(*a, *a)));
  EXPECT_TRUE(std::ranges::equal(one->file().bytes("item_vectors"), a->file().bytes("item_vectors")));
  for (const auto& s : a->file().sections())
    if (s.name != "info" && s.name != "metrics" && s.name != "run_log") {
      EXPECT_EQ(one->file().text(s.name), a->file().text(s.name)) << s.name;
    }
}

TEST_F(EnsembleTest, AWeightOfZeroLeavesTheOthersScores) {
  const auto a = first();
  const auto both = ensemble("e", {{a, 1}, {second(), 0}});
  const auto found = both->index().search(pool_, users_of(*both, *a), {.k = 12});
  const auto alone = a->index().search(pool_, users_of(*a, *a), {.k = 12});
  EXPECT_EQ(found.items.values, alone.items.values);
  EXPECT_EQ(found.scores, alone.scores);
}

TEST_F(EnsembleTest, HoldsEachMembersUsersConfigAndHistoriesInItsOwnCatalogue) {
  const auto a = first(), b = second();
  const auto both = ensemble("e", {{a, .7}, {b, .3}});
  EXPECT_TRUE(both->ensemble());
  EXPECT_FALSE(a->ensemble());
  ASSERT_EQ(both->members().size(), 2u);
  const auto& member = both->members()[1];
  EXPECT_EQ(member.user_ids.size(), 5u);
  EXPECT_EQ(member.weight, .3);
  EXPECT_EQ(member.fingerprint, b->fingerprint());
  EXPECT_EQ(member.info.epochs, 2u);
  EXPECT_EQ(both->user_ids().size(), 6u);
  EXPECT_EQ(both->config(), a->config());
  EXPECT_EQ(both->file().text("member1/config"), b->config());
  EXPECT_EQ(both->file().text("frequency"), "state of a");
  EXPECT_EQ(both->item_counts(), a->item_counts());
  EXPECT_TRUE(both->metrics().empty() && both->run_log().empty());
  EXPECT_EQ(both->info().moment_us, 11 * SmallWorld::kDay);
  EXPECT_EQ(both->info().chosen_on, "validation");
  EXPECT_TRUE(both->info().refit);
  for (uint32_t user = 0; user < 5; ++user)
    for (size_t n = 0; n < 3; ++n)
      EXPECT_EQ(both->item_ids()[member.user_states.histories[user][n]],
                b->item_ids()[b->user_states().histories[user][n]]);
}

TEST_F(EnsembleTest, AUserThatOneMemberDoesNotKnowIsAStrangerToItAlone) {
  const auto a = first(), b = second();
  const auto both = ensemble("e", {{a, 1}, {b, 1}});
  const auto users = users_of(*both, *a);  // b does not know the last of the six, u5; the seventh is a stranger to both
  const auto of_b = [&](size_t u) { return std::vector<float>(users[u] + 4, users[u] + 11); };
  EXPECT_EQ(of_b(5), of_b(6));
  EXPECT_NE(of_b(4), of_b(6));
  EXPECT_FALSE(std::equal(users[5], users[5] + 4, users[6]));
}

TEST_F(EnsembleTest, AnEnsembleTakesPartWithEachOfItsMembers) {
  const auto a = first(), b = second(), c = bundle("c", {.dim = 3, .seed = 5});
  const auto inner = ensemble("inner", {{a, .5}, {b, 2}});
  const auto nested = ensemble("nested", {{inner, .5}, {c, .25}}),
             flat = ensemble("flat", {{a, .25}, {b, 1}, {c, .25}});
  EXPECT_EQ(read_file(path("nested")), read_file(path("flat")));
  EXPECT_EQ(nested->members()[1].weight, 1);
}

TEST_F(EnsembleTest, EverythingIsUnderTheFingerprint) {
  const auto a = first(), b = second();
  const auto both = ensemble("e", {{a, .7}, {b, .3}});
  EXPECT_NE(ensemble("weights", {{a, .3}, {b, .7}})->fingerprint(), both->fingerprint());
  EXPECT_NE(ensemble("order", {{b, .3}, {a, .7}})->fingerprint(), both->fingerprint());
  EXPECT_EQ(ensemble("again", {{a, .7}, {b, .3}})->fingerprint(), both->fingerprint());
}

TEST_F(EnsembleTest, AnOrdinaryBundleIsWrittenForOlderProgramsToo) {
  first();
  second();
  SectionFile(path("a"), kBundleKind, 1).verify();
  ensemble("e", {{first(), 1}, {second(), 1}});
  EXPECT_TRUE(files::error_of([&] { SectionFile(path("e"), kBundleKind, 1); }).says("version 2"));
}

TEST_F(EnsembleTest, WhatCanNotBeJoinedIsToldByName) {
  const auto a = first();
  refused(ErrorKind::usage, {"at least one"}, [&] { ensemble("e", {}); });
  for (double weight : {-1., double(NAN), double(INFINITY)})
    refused(ErrorKind::usage, {path("a"), "weight"}, [&] { ensemble("e", {{a, 1}, {a, weight}}); });
  refused(ErrorKind::usage, {"add up to 0"}, [&] { ensemble("e", {{a, 0}, {a, 0}}); });
  const auto longer = bundle("longer", {.seed = 3}, "extra");
  refused(ErrorKind::input, {path("longer"), path("a"), "'extra'"}, [&] { ensemble("e", {{a, 1}, {longer, 1}}); });
  refused(ErrorKind::input, {path("longer"), path("a"), "'extra'"}, [&] { ensemble("e", {{longer, 1}, {a, 1}}); });

  columns::Interner ids;
  ids.add("i0");
  const std::vector<uint64_t> counts(1);
  const math::Matrix<float> vectors(1, 4);
  BundleContent c;
  c.info = {.towers = false, .dim = 4, .items = 1, .chosen_on = "none"};
  c.item_ids = &ids;
  c.item_counts = counts;
  c.item_vectors = vectors;
  write_bundle(path("bare"), c);
  const auto bare = Bundle::open(path("bare"));
  refused(ErrorKind::usage, {path("bare"), "bare vectors"}, [&] { ensemble("e", {{a, 1}, {bare, 1}}); });
  refused(ErrorKind::usage, {path("bare"), "bare vectors"}, [&] { make_cascade(*a, *bare, 10); });
  EXPECT_FALSE(file_exists(path("e")));
}

TEST_F(EnsembleTest, AFlippedByteIsRefusedNamingItsSection) {
  ensemble("e", {{first(), .7}, {second(), .3}});
  const auto bytes = read_file(path("e"));
  size_t of_the_second = 0;
  const auto sections = SectionFile(path("e"), kBundleKind, kBundleVersion).sections();
  for (const auto& s : sections) {
    if (s.size == 0) continue;
    of_the_second += s.name.starts_with("member1/");
    auto flipped = bytes;
    flipped[s.offset + s.size / 2] ^= 0x10;
    std::ofstream(path("flipped"), std::ios::binary) << flipped;
    refused(ErrorKind::failed, {path("flipped"), "section '" + s.name + "'"}, [&] { Bundle::open(path("flipped")); });
  }
  EXPECT_GE(of_the_second, 8u);
}

TEST_F(EnsembleTest, SectionsThatDisagreeAreRefusedThoughTheirChecksumsHold) {
  const auto opened = [&](const std::string& section, const std::optional<std::string>& bytes,
                          const std::vector<std::string>& parts) {
    const auto file = forged(section, bytes);
    refused(ErrorKind::failed, parts, [&] { Bundle::open(file); });
  };
  opened("member1/user_encoder", std::nullopt, {"no section 'member1/user_encoder'"});
  opened("member1/weights/item.id", std::nullopt, {"no section 'member1/weights/item.id'"});
  opened("members", std::nullopt, {"the towers end in 4 components, the item vectors have 11"});
  opened("members", "[]", {"section 'members' names no model"});
  opened("members", "{", {"section 'members' cannot be read"});
  opened("members", "[1, 2]", {"section 'members' cannot be read"});
  opened("member1/user_ids", std::string(16, '\0'), {"section 'member1/user_ids'"});
  const auto text = std::string(SectionFile(path("e"), kBundleKind, kBundleVersion).text("members"));
  for (const char* weight : {"-0.7", "null", "1e999", "\"much\""}) {
    auto lie = text;
    lie.replace(lie.find("0.7"), 3, weight);
    opened("members", lie, {"section 'members'"});
  }
  ByteWriter states;
  auto s = Bundle::open(path("e"))->members()[1].user_states;
  s.histories.values[0] = 12;
  s.save(states);
  opened("member1/user_states", states.bytes(), {"section 'member1/user_states': a history points past"});
}

}  // namespace
}  // namespace pagoda::model
