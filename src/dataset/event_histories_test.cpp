// What is known of a user beside its positives, and when.
#include <algorithm>
#include <map>

#include "dataset/dataset_test.h"

namespace pagoda::dataset {
namespace {

using Names = std::vector<std::string>;

class EventHistoriesOf : public TrainTest {
 protected:
  Options shop(const std::string& csv) const {
    auto o = options_of(csv);
    o.data.event = "event";
    o.data.events = {{.name = "buy"},
                     {.name = "view", .role = data::EventRole::history},
                     {.name = "hate", .role = data::EventRole::negative, .history = true}};
    name_event_histories(o);
    o.train.batch = 1;
    return o;
  }
  static Names known_of(const Dataset& d, const EventHistory& history, const std::string& user) {
    Names out;
    for (const uint32_t item : history.items[d.users.find(user)]) out.emplace_back(d.catalogue[item]);
    return out;
  }
  // What the tower reads of a kind, the latest last.
  static Names read(const Batches& b, const TrainBatch& batch, const std::string& kind) {
    const auto& bags = b.fit.model.user_encoder.layout().bags;
    const auto bag = std::ranges::find(bags, "user.events." + kind, &features::BagLayout::name) - bags.begin();
    Names out;
    for (auto row : batch.encoded.bags[static_cast<size_t>(bag)].rows[0])
      for (uint32_t item = 0; item < b.data.catalogue.size(); ++item)
        if (b.fit.id_row_of_item[item] == row) out.emplace_back(b.data.catalogue[item]);
    std::ranges::reverse(out);
    return out;
  }
};

TEST_F(EventHistoriesOf, AnExampleKnowsWhatWasStrictlyBeforeIt) {
  const auto o = shop(
      "user_id,item_id,event,ts\nu,a,view,2024-01-01\nu,x,hate,2024-01-01\nu,a,buy,2024-01-02\nu,b,view,2024-01-02\n"
      "u,c,view,2024-01-03\nu,b,buy,2024-01-04\nv,c,buy,2024-01-15\nv,a,buy,2024-01-31\n");
  const Batches b(o);
  std::map<std::string, std::pair<Names, Names>> seen;
  for (uint64_t step = 0; step < 2 * b.batcher.steps_per_epoch(); ++step) {
    const auto batch = b.make(step);
    seen[b.user(batch, 0) + " " + b.targets(batch, 0).at(0)] = {read(b, batch, "view"), read(b, batch, "hate")};
  }
  // What it viewed before it bought it, it knows; what it viewed at that moment it does not.
  EXPECT_EQ(seen["u a"], (std::pair<Names, Names>{{"a"}, {"x"}}));
  EXPECT_EQ(seen["u b"], (std::pair<Names, Names>{{"a", "b", "c"}, {"x"}}));
}

TEST_F(EventHistoriesOf, EachEventWeighsTheSameInAllHistories) {
  const auto o = shop(
      "user_id,item_id,event,ts\nu,a,buy,2024-01-01\nu,b,view,2024-01-01\nu,c,view,2024-01-01\nu,d,hate,2024-01-01\n"
      "u,e,buy,2024-01-02\nv,c,buy,2024-01-15\nv,a,buy,2024-01-31\n");
  const Batches b(o);
  for (uint64_t step = 0; step < 2 * b.batcher.steps_per_epoch(); ++step) {
    const auto batch = b.make(step);
    if (b.targets(batch, 0).at(0) != "e") continue;
    for (const auto& bag : batch.encoded.bags)
      for (const float weight : bag.weights) EXPECT_FLOAT_EQ(weight, 0.25f);
  }
}

TEST_F(EventHistoriesOf, NothingIsKnownOfTheTimeAfterTheFirstRowThatIsHeldOut) {
  auto o = shop(
      "user_id,item_id,event,ts\nu,a,buy,2024-01-01\nu,b,view,2024-01-02\nv,a,buy,2024-01-03\nw,c,view,2024-01-02\n"
      "u,c,view,2024-01-14\nu,b,buy,2024-01-15\nu,d,view,2024-01-16\nv,e,buy,2024-01-31\nv,f,view,2024-02-01\n");
  const auto d = load_dataset(o.data);
  const auto train = d.event_histories(false)[0], both = d.event_histories(true)[0];
  EXPECT_EQ(known_of(d, train, "u"), (Names{"b", "c"}));
  EXPECT_EQ(known_of(d, train, "v"), (Names{}));
  EXPECT_EQ(known_of(d, train, "w"), (Names{"c"}));  // of users without a positive, too
  EXPECT_EQ(known_of(d, both, "u"), (Names{"b", "c", "d"}));
  EXPECT_EQ(d.catalogue.find("f"), columns::Interner::kNone);  // viewed after the test part began
  const auto all = with_all_rows(d, Numbers::anew);
  EXPECT_EQ(known_of(all, all.event_histories(true)[0], "v"), (Names{"f"}));
  EXPECT_NE(all.catalogue.find("f"), columns::Interner::kNone);
}

TEST_F(EventHistoriesOf, WhatIsKnownWithoutValidationIsKnownWithIt) {
  // Validation is cut from each list, the test part by a file: the first cut is of each user, the second of all.
  auto o = shop(
      "user_id,item_id,event,ts\nu,a,buy,2024-01-01\nu,b,buy,2024-01-02\nu,c,buy,2024-01-20\nv,a,buy,2024-01-01\n"
      "v,b,buy,2024-01-02\nv,c,buy,2024-01-03\nu,d,view,2024-02-15\nw,e,view,2024-01-05\n");
  o.data.split = {.kind = data::SplitKind::given,
                  .validation = "0.4",
                  .test_files = {file("test.csv",
                                      "user_id,item_id,event,ts\nv,d,buy,2024-02-01\nu,e,buy,2024-03-01\n"
                                      "u,f,view,2024-01-10\n")}};
  const auto d = load_dataset(o.data);
  for (const auto* user : {"u", "w"}) {
    const auto train = known_of(d, d.event_histories(false)[0], user),
               both = known_of(d, d.event_histories(true)[0], user);
    EXPECT_TRUE(std::ranges::includes(both, train)) << user;
    EXPECT_EQ(std::ranges::count(both, "f"), 0) << "it came with the test files";
  }
}

TEST_F(EventHistoriesOf, NegativesOfWhatIsHeldOutAreNotKnown) {
  auto o = shop(
      "user_id,item_id,event\nu,a,buy\nu,d,hate\nu,b,buy\nu,c,buy\nu,d,buy\nu,e,hate\nv,e,buy\nv,a,buy\nv,b,buy\n");
  const auto d = load_dataset(o.data);  // d is held out of u's
  const auto shown = d.impressions_of_users(false);
  ASSERT_TRUE(shown);
  const auto of = (*shown)[d.users.find("u")];
  ASSERT_EQ(of.size(), 1u);
  EXPECT_EQ(d.catalogue[of[0]], "e");
}

TEST_F(EventHistoriesOf, MomentsCutEventsWhateverTheHistoryOfPositives) {
  auto o = shop(
      "user_id,item_id,event,ts\nu,a,view,2024-01-01\nu,a,buy,2024-01-02\nu,b,view,2024-01-03\nu,b,buy,2024-01-04\n"
      "v,a,buy,2024-01-15\nv,b,buy,2024-01-31\n");
  o.train.history = HistoryMode::others;
  const Batches b(o);
  std::map<std::string, Names> seen;
  for (uint64_t step = 0; step < 4; ++step) {
    const auto batch = b.make(step);
    seen[b.targets(batch, 0).at(0)] = read(b, batch, "view");
  }
  EXPECT_EQ(seen["a"], Names{"a"});
  EXPECT_EQ(seen["b"], (Names{"a", "b"}));
}

TEST_F(EventHistoriesOf, LeaveLastCutsForEachUserApart) {
  auto o = shop(
      "user_id,item_id,event,ts\nu,a,buy,2024-01-01\nu,b,view,2024-01-02\nu,b,buy,2024-01-03\nu,c,view,2024-01-04\n"
      "u,c,buy,2024-01-05\nu,d,view,2024-01-06\nv,a,buy,2024-03-01\nv,b,buy,2024-03-02\nv,c,buy,2024-03-03\n");
  o.data.split = {.kind = data::SplitKind::leave_last, .test_files = {}};
  const auto d = load_dataset(o.data);
  EXPECT_EQ(known_of(d, d.event_histories(false)[0], "u"), (Names{"b"}));
  EXPECT_EQ(known_of(d, d.event_histories(true)[0], "u"), (Names{"b", "c"}));
}

TEST_F(EventHistoriesOf, WithoutTimesPairsThatAreHeldOutAreNotKnown) {
  auto o = shop("user_id,item_id,event\nu,a,buy\nu,b,buy\nu,c,view\nu,d,view\nu,a,view\nu,c,buy\nu,d,buy\n");
  const auto d = load_dataset(o.data);  // c and d are held out
  EXPECT_EQ(known_of(d, d.event_histories(false)[0], "u"), (Names{"a"}));
  EXPECT_EQ(known_of(d, d.event_histories(true)[0], "u"), (Names{"c", "a"}));
  const Batches b(o);  // and a target is not among its own events
  for (uint64_t step = 0; step < 4; ++step) {
    const auto batch = b.make(step);
    EXPECT_EQ(read(b, batch, "view"), b.targets(batch, 0).at(0) == "a" ? Names{} : Names{"a"});
  }
}

TEST_F(EventHistoriesOf, ItemsThatWereViewedAloneHaveRowsOfTheirOwn) {
  const Batches b(
      shop("user_id,item_id,event,ts\nu,a,buy,2024-01-01\nu,x,view,2024-01-01\nu,b,buy,2024-01-02\nv,b,buy,2024-01-15\n"
           "v,a,buy,2024-01-31\n"));
  const auto& ids = b.fit.model.item_encoder.id_vocabulary();
  EXPECT_LT(ids.row("x"), ids.words());
  EXPECT_EQ(b.fit.item_counts[b.data.catalogue.find("x")], 0u);
}

}  // namespace
}  // namespace pagoda::dataset
