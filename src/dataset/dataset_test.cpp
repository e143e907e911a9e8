#include "dataset/dataset.h"

#include "dataset/dataset_test.h"

namespace pagoda::dataset {
namespace {

using DatasetOf = TrainTest;
using Names = std::vector<std::string>;

// Days of January: train up to the 11th, validation to the 21st, test to the 31st.
constexpr const char* kLog =
    "user_id,item_id,ts\n"
    "u2,b,2024-01-05\n"
    "u1,c,2024-01-03\n"
    "u1,a,2024-01-01\n"
    "u1,a,2024-01-15\n"
    "u3,d,2024-01-16\n"
    "u1,e,2024-01-31\n"
    "u2,a,2024-01-30\n"
    "u4,a,2024-01-30\n"
    "u1,b,2024-01-31\n"
    "u1,b,2024-01-30\n";

Names all(const columns::Interner& names) {
  Names out;
  for (uint32_t i = 0; i < names.size(); ++i) out.emplace_back(names[i]);
  return out;
}

TEST_F(DatasetOf, TheCatalogueAndTheUsersAreThoseOfTrainAndValidation) {
  const auto data = load_dataset(options_of(kLog).data);
  EXPECT_EQ(all(data.catalogue), (Names{"b", "c", "a", "d"}));
  EXPECT_EQ(all(data.users), (Names{"u2", "u1", "u3"}));
  EXPECT_EQ(data.item_row[data.log.items.find("e")], columns::Interner::kNone);
  EXPECT_EQ(data.user_row[data.log.users.find("u4")], columns::Interner::kNone);
  EXPECT_EQ(data.train_end_us, columns::parse_time_us("2024-01-05"));
  EXPECT_EQ(data.end_us, columns::parse_time_us("2024-01-16"));
}

TEST_F(DatasetOf, WithAllRowsNothingIsHeldOut) {
  const auto data = with_all_rows(load_dataset(options_of(kLog).data), Numbers::anew);
  EXPECT_EQ(all(data.catalogue), (Names{"b", "c", "a", "d", "e"}));
  EXPECT_EQ(all(data.users), (Names{"u2", "u1", "u3", "u4"}));
  EXPECT_EQ(data.train_end_us, columns::parse_time_us("2024-01-31"));
  EXPECT_EQ(data.end_us, data.train_end_us);
  EXPECT_EQ(data.events(false).size(), data.log.size());
  EXPECT_EQ(data.item_counts(false), (std::vector<uint64_t>{3, 1, 4, 1, 1}));
  EXPECT_TRUE(relevant_items(data, data::Part::test).users.empty());
}

TEST_F(DatasetOf, WithAllRowsATrainingThatGoesOnKeepsTheNumbersItHas) {
  // The test row of b comes first in the file, so that numbering anew would begin with it.
  const std::string log = "user_id,item_id,ts\nu1,b,2024-03-01\nu2,a,2024-01-01\nu1,c,2024-01-02\nu1,a,2024-01-03\n";
  auto options = options_of(log);
  options.data.split = {.kind = data::SplitKind::leave_last, .test_files = {}};
  const auto held = load_dataset(options.data);
  const auto whole = with_all_rows(held, Numbers::kept);
  ASSERT_GT(whole.catalogue.size(), held.catalogue.size());
  EXPECT_NE(all(with_all_rows(held, Numbers::anew).catalogue), all(whole.catalogue));
  for (uint32_t item = 0; item < held.catalogue.size(); ++item) EXPECT_EQ(whole.catalogue[item], held.catalogue[item]);
  for (uint32_t user = 0; user < held.users.size(); ++user) EXPECT_EQ(whole.users[user], held.users[user]);
  EXPECT_EQ(whole.events(false).size(), whole.log.size());
  for (uint32_t item = 0; item < whole.log.items.size(); ++item)
    EXPECT_EQ(whole.catalogue[whole.item_row[item]], whole.log.items[item]);
}

TEST_F(DatasetOf, EventsOfAUserAreInOrderOfTime) {
  const auto data = load_dataset(options_of(kLog).data);
  const auto train = data.events(false), both = data.events(true);
  const auto items_of = [&](const Events& events, uint32_t user) {
    Names out;
    for (auto item : events.items[user]) out.emplace_back(data.catalogue[item]);
    return out;
  };
  EXPECT_EQ(items_of(train, 1), (Names{"a", "c"}));
  EXPECT_EQ(items_of(both, 1), (Names{"a", "c", "a"}));
  EXPECT_EQ(items_of(train, 2), Names{});
  EXPECT_EQ(items_of(both, 2), Names{"d"});
  ASSERT_EQ(train.size(), 3u);
  for (size_t e = 0; e < train.size(); ++e) {
    EXPECT_EQ(train.time_us[e], data.log.time_us[train.log_row[e]]);
    EXPECT_EQ(train.user[e], data.user_row[data.log.user[train.log_row[e]]]);
    EXPECT_EQ(data.parts[train.log_row[e]], data::Part::train);
  }
}

TEST_F(DatasetOf, EventsOfTheSameMomentKeepTheOrderOfTheFile) {
  const auto data = load_dataset(options_of("user_id,item_id,ts\nu,x,2024-01-02\nu,b,2024-01-01\nu,a,2024-01-01\n"
                                            "u,c,2024-01-01\nu,a,2024-01-15\nu,a,2024-01-31\n")
                                     .data);
  Names order;
  const auto events = data.events(false);
  for (auto item : events.items[0]) order.emplace_back(data.catalogue[item]);
  EXPECT_EQ(order, (Names{"b", "a", "c", "x"}));
}

TEST_F(DatasetOf, CountsAreOfTheAskedPartsAlone) {
  const auto data = load_dataset(options_of(kLog).data);
  EXPECT_EQ(data.item_counts(false), (std::vector<uint64_t>{1, 1, 1, 0}));
  EXPECT_EQ(data.item_counts(true), (std::vector<uint64_t>{1, 1, 2, 1}));
  EXPECT_EQ(data.user_counts(false), (std::vector<uint64_t>{1, 2, 0}));
  EXPECT_EQ(data.user_counts(true), (std::vector<uint64_t>{1, 3, 1}));
}

TEST_F(DatasetOf, RelevantItemsAreEachOnceAndThoseOutsideTheCatalogueAreCounted) {
  const auto data = load_dataset(options_of(kLog).data);
  const auto test = relevant_items(data, data::Part::test);
  Names said;
  for (size_t i = 0; i < test.users.size(); ++i) {
    std::string line(data.log.users[test.users[i]]);
    for (auto item : test.items[i]) line += " " + std::string(data.catalogue[item]);
    said.push_back(line + " +" + std::to_string(test.outside[i]));
  }
  EXPECT_EQ(said, (Names{"u2 a +0", "u1 b +1", "u4 a +0"}));  // u1 has b twice, and e that nobody had before
  for (size_t i = 0; i < test.users.size(); ++i) {
    const auto first = test.first_row[i];
    EXPECT_TRUE(data.parts[first] == data::Part::test && data.log.user[first] == test.users[i]);
    for (size_t row = 0; row < data.log.size(); ++row)
      if (data.parts[row] == data::Part::test && data.log.user[row] == test.users[i]) {
        EXPECT_LE(std::pair(data.log.time_of(first), size_t{first}), std::pair(data.log.time_of(row), row));
      }
  }
}

TEST_F(DatasetOf, ItemsOfTheItemTableAreServedEvenWhenNobodyHadThem) {
  auto options = options_of(kLog);
  options.data.items = file("items.csv", "item_id,title\nz,Never\na,Often\n");
  const auto data = load_dataset(options.data);
  EXPECT_EQ(all(data.catalogue), (Names{"z", "a", "b", "c", "d"}));
  EXPECT_EQ(data.item_counts(true)[0], 0u);
}

TEST_F(DatasetOf, ContextCountsAreThoseOfTheTrainingRows) {
  auto options = options_of(
      "user_id,item_id,ts,device\nu,a,2024-01-01,tv\nu,b,2024-01-02,phone\nu,c,2024-01-02,tv\n"
      "u,a,2024-01-15,tv\nu,a,2024-01-31,radio\n");
  const auto data = load_dataset(options.data);
  const auto train = data.contexts(false), both = data.contexts(true);
  ASSERT_EQ(train.size(), 1u);
  EXPECT_EQ(train[0].name, "device");
  EXPECT_EQ(train[0].counts, (std::vector<uint64_t>{2, 1, 0}));
  EXPECT_EQ(both[0].counts, (std::vector<uint64_t>{3, 1, 0}));
}

TEST_F(DatasetOf, OneItemInAllIsNothingToChooseFrom) {
  try {
    load_dataset(options_of("user_id,item_id,ts\nu,a,2024-01-01\nu,a,2024-01-15\nu,a,2024-01-31\n").data);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    EXPECT_NE(std::string(e.what()).find("one item ('a')"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace pagoda::dataset
