#include "features/user_encoder.h"

#include "features/features_test.h"

namespace pagoda::features {
namespace {

constexpr int64_t kHour = 3'600'000'000;

struct World {
  data::Attributes users =
      table_of({"u0", "u1"}, {column_of("city", {"rome", "oslo"}), column_of("age", {"20", "40"})});
  columns::Interner ids = interner({"u0", "u1", "u2"});  // u2 has no row in the table
  columns::Interner devices = interner({"phone", "desk", ""});
  UserOptions options;

  World() {
    options.id = {.enabled = true, .hash_buckets = 2};
    options.history = {.last = 3, .dim = 5, .recency = 1};
    options.features = {{.column = "city"},
                        {.column = "age", .kind = FeatureKind::numeric},
                        {.column = "age", .kind = FeatureKind::numeric, .form = NumericForm::bucket},
                        {.column = "device"},
                        {.column = "", .kind = FeatureKind::time, .part = TimePart::hour},
                        {.column = "", .kind = FeatureKind::time, .part = TimePart::weekday},
                        {.column = "device", .kind = FeatureKind::text, .hash_buckets = 9}};
  }
  UserEncoder fit() const {
    const std::vector<UserEncoder::Context> contexts{{"device", &devices, {3, 1, 2}}};
    return UserEncoder::fit(options, 8, ids, std::vector<uint64_t>{1, 2, 0}, &users, contexts, 10, 4);
  }
};

EncodedBatch encoded(const UserEncoder& e, const EncodedUsers& cells, const std::vector<UserExample>& examples) {
  EncodedBatch batch;
  e.encode(cells, examples, batch);
  return batch;
}

TEST(UserEncoder, LayoutIsIdHistoryAndFeaturesEachUnderAName) {
  const auto e = World().fit();
  std::vector<std::string> names;
  for (const auto& bag : e.layout().bags) names.push_back(bag.name);
  EXPECT_EQ(names, (std::vector<std::string>{"user.id", "user.history", "user.features.city", "user.features.age",
                                             "user.features.device", "user.features.hour", "user.features.weekday",
                                             "user.features.device#2"}));
  EXPECT_EQ(e.layout().dense, 1u);
  EXPECT_EQ(e.layout().bags[1].rows, 10u);
  EXPECT_EQ(e.layout().bags[1].buckets, 4u);
  EXPECT_EQ(e.layout().bags[1].dim, 5u);
  EXPECT_EQ(e.context_names(), (std::vector<std::string>{"device"}));
  EXPECT_EQ(e.table_columns(), (std::vector<std::string>{"city", "age"}));
  EXPECT_EQ(e.history_length(), 3u);
}

TEST(UserEncoder, TheHistoryIsItsLatestItemsWeighedByRecency) {
  const World w;
  const auto e = w.fit();
  const auto cells = e.cells(w.ids, &w.users);
  const Rows32 longer{9, 4, 5, 6}, two{7, 8}, none;
  const auto batch =
      encoded(e, cells, {{.user = 0, .history = longer}, {.user = 1, .history = two}, {.user = 2, .history = none}});
  EXPECT_EQ(list(batch, 1, 0), (Rows32{6, 5, 4}));  // 1, 1/2, 1/3 of 11/6
  const auto of_three = weights(batch, 1, 0), of_two = weights(batch, 1, 1);
  EXPECT_FLOAT_EQ(of_three[0], 6.f / 11);
  EXPECT_FLOAT_EQ(of_three[1], 3.f / 11);
  EXPECT_FLOAT_EQ(of_three[2], 2.f / 11);
  EXPECT_EQ(list(batch, 1, 1), (Rows32{8, 7}));
  EXPECT_FLOAT_EQ(of_two[0], 2.f / 3);
  EXPECT_FLOAT_EQ(of_two[1], 1.f / 3);
  EXPECT_TRUE(list(batch, 1, 2).empty());
}

TEST(UserEncoder, StandInsShareHalfOfTheWeightOfALearntItem) {
  World w;
  const math::Ragged<uint32_t> stand_ins{{0, 3, 4}, {1, 2, 3, 5}};
  for (const double recency : {0.0, 1.0}) {
    w.options.history.recency = recency;
    const auto e = w.fit();
    const Rows32 both{7, 10}, one{11}, longer{10, 7, 8, 9};  // 10 and 11: the lists; of `longer` the list is too old
    const auto batch = encoded(e, {},
                               {{.history = both, .stand_ins = &stand_ins},
                                {.history = one, .stand_ins = &stand_ins},
                                {.history = longer, .stand_ins = &stand_ins}});
    EXPECT_EQ(list(batch, 1, 0), (Rows32{1, 2, 3, 7}));  // the latest first
    const auto shares = weights(batch, 1, 0);
    const float learnt = recency == 0 ? 2.f / 3 : 1.f / 2;  // 1 against 1/2; 1/2 against 1/2
    for (int i = 0; i < 3; ++i) EXPECT_FLOAT_EQ(shares[static_cast<size_t>(i)], (1 - learnt) / 3);
    EXPECT_FLOAT_EQ(shares[3], learnt);
    EXPECT_EQ(list(batch, 1, 1), (Rows32{5}));
    EXPECT_FLOAT_EQ(weights(batch, 1, 1)[0], 1);
    EXPECT_EQ(list(batch, 1, 2), (Rows32{9, 8, 7}));
  }
}

TEST(UserEncoder, WithoutRecencyTheHistoryIsAMean) {
  World w;
  w.options.history.recency = 0;
  const auto e = w.fit();
  const Rows32 history{1, 2, 3};
  EXPECT_EQ(weights(encoded(e, {}, {{.history = history}}), 1, 0),
            (std::vector<float>(3, static_cast<float>(1.0 / 3))));
}

TEST(UserEncoder, AttributesContextAndMomentAreRead) {
  const World w;
  const auto e = w.fit();
  const auto cells = e.cells(w.ids, &w.users);
  const std::string_view desk[] = {"desk"}, fridge[] = {"fridge"}, empty[] = {""};
  const auto batch = encoded(e, cells,
                             {{.user = 1, .context = desk, .moment_us = 26 * kHour},
                              {.user = 0, .context = fridge, .moment_us = -kHour},
                              {.user = 2, .context = empty}});
  EXPECT_EQ(list(batch, 0, 0), (Rows32{1}));
  EXPECT_GE(list(batch, 0, 2)[0], 2u);  // an id without training rows
  EXPECT_EQ(list(batch, 2, 0), (Rows32{1}));
  EXPECT_TRUE(list(batch, 2, 2).empty());
  EXPECT_EQ(batch.dense[0][0], 1.f);
  EXPECT_EQ(batch.dense[1][0], -1.f);
  EXPECT_EQ(batch.dense[2][0], 0.f);
  EXPECT_EQ(list(batch, 4, 0), (Rows32{1}));
  EXPECT_GE(list(batch, 4, 1)[0], 2u);
  EXPECT_TRUE(list(batch, 4, 2).empty());
  EXPECT_EQ(list(batch, 5, 0), (Rows32{2}));
  EXPECT_EQ(list(batch, 5, 1), (Rows32{23}));
  EXPECT_EQ(list(batch, 6, 0), (Rows32{4}));
  EXPECT_EQ(list(batch, 6, 1), (Rows32{2}));
  EXPECT_FALSE(list(batch, 7, 0).empty());  // the second reading of the one context
}

TEST(UserEncoder, AnUnknownUserReadsWhatAUserWithoutAttributesReads) {
  World w;
  w.options.id.enabled = false;
  const auto e = w.fit();
  const auto cells = e.cells(w.ids, &w.users);
  const Rows32 history{3, 4};
  const auto known = encoded(e, cells, {{.user = 2, .history = history, .moment_us = kHour}});
  const UserExample unknown{.history = history, .moment_us = kHour};
  expect_same(known, encoded(e, cells, {unknown}));
  expect_same(known, encoded(e, {}, {unknown}));  // without any cells at all
}

TEST(UserEncoder, AColumnThatIsNowhereNamesTheNearestOfTableAndContext) {
  World w;
  w.options.features = {{.column = "devise"}};
  auto e = files::error_of([&] { w.fit(); });
  EXPECT_EQ(e.kind, ErrorKind::usage);
  EXPECT_TRUE(e.says("column = \"devise\"") && e.says("did you mean 'device'?")) << e.message;
  w.options.features = {{.column = "citty"}};
  EXPECT_TRUE(files::error_of([&] { w.fit(); }).says("did you mean 'city'?"));
  e = files::error_of([&] { UserEncoder::fit(w.options, 8, w.ids, std::vector<uint64_t>{1, 1, 1}, nullptr, {}, 10); });
  EXPECT_TRUE(e.says("there is no user table (data.users)")) << e.message;
}

TEST(UserEncoder, OneThatIsSavedAndLoadedGivesTheSameBatches) {
  const World w;
  const auto e = w.fit();
  ByteWriter out;
  e.save(out);
  ByteReader in(std::as_bytes(std::span(out.bytes())), "test");
  const auto loaded = UserEncoder::load(in);
  const Rows32 history{1, 2, 3, 4};
  const std::string_view phone[] = {"phone"};
  const std::vector<UserExample> examples{
      {.user = 0, .history = history, .context = phone, .moment_us = 99 * kHour}, {.user = 2}, {.history = history}};
  expect_same(encoded(e, e.cells(w.ids, &w.users), examples), encoded(loaded, loaded.cells(w.ids, &w.users), examples));
  EXPECT_EQ(loaded.history_rows(), 10u);
  for (size_t cut = 0; cut < out.bytes().size(); cut += 7)
    EXPECT_EQ(files::error_of([&] {
                ByteReader part(std::as_bytes(std::span(out.bytes())).first(cut), "test");
                UserEncoder::load(part);
              }).kind,
              ErrorKind::failed);
}

TEST(UserEncoder, CellsThatDoNotFitAreFound) {
  const World w;
  const auto e = w.fit();
  const auto cells = e.cells(w.ids, &w.users);
  EXPECT_EQ(e.find_fault(cells), nullptr);
  const auto faulty = [&](const std::function<void(EncodedUsers&)>& change) {
    auto copy = cells;
    change(copy);
    return e.find_fault(copy) != nullptr;
  };
  EXPECT_TRUE(faulty([](EncodedUsers& c) { c.id_rows[1] = 99; }));
  EXPECT_TRUE(faulty([](EncodedUsers& c) { c.features.pop_back(); }));
  EXPECT_TRUE(faulty([](EncodedUsers& c) { c.features[0].bag.rows.values[0] = 99; }));
  EXPECT_TRUE(faulty([](EncodedUsers& c) { c.features[0].bag.weights.pop_back(); }));
  EXPECT_TRUE(faulty([](EncodedUsers& c) { c.features[1].numbers.pop_back(); }));
  EXPECT_TRUE(faulty([](EncodedUsers& c) { c.features[2].bag.close(); }));
}

TEST(UserEncoder, VectorsOfTheTableAreReadByUserAndKnownOnesAreKept) {
  World w;
  columns::VectorRows rows("face"), newer("face");
  for (const auto& v : {std::vector<float>{1, 0}, std::vector<float>{3, 0}}) rows.push(v);
  w.users.vectors = {rows.finish()};
  w.options.features = {{.column = "age", .kind = FeatureKind::numeric},
                        {.column = "face", .kind = FeatureKind::vector}};
  const auto before = w.fit();
  EXPECT_EQ(before.layout().dense, 3u);
  EXPECT_EQ(before.table_columns(), (std::vector<std::string>{"age", "face"}));
  const auto known = before.cells(w.ids, &w.users);
  EXPECT_EQ(before.find_fault(known), nullptr);
  const std::vector<UserExample> all{{.user = 0, .history = {}, .context = {}},
                                     {.user = 1, .history = {}, .context = {}},
                                     {.user = 2, .history = {}, .context = {}},
                                     {.user = columns::Interner::kNone, .history = {}, .context = {}}};
  const auto firsts = [&](const EncodedBatch& batch) {
    std::vector<float> found;
    for (size_t i = 0; i < batch.size; ++i) found.push_back(batch.dense[i][1]);
    return found;
  };
  EXPECT_EQ(firsts(encoded(before, known, all)), (std::vector<float>{-1, 1, 0, 0}));

  // Only u1 and a new user are in the new table.
  newer.push(std::vector<float>{2, 0});
  newer.push(std::vector<float>{4, 0});
  auto table = table_of({"u1", "u3"}, {column_of("age", {"40", "50"})});
  table.vectors = {newer.finish()};
  const auto ids = interner({"u0", "u1", "u2", "u3"});
  const auto now = before.extended(w.options, ids, std::vector<uint64_t>{1, 2, 0, 1}, &table, {}, Vocabulary());
  const auto cells = now.cells(ids, &table, before, known);
  EXPECT_EQ(now.find_fault(cells), nullptr);
  auto more = all;
  more[3].user = 3;
  EXPECT_EQ(firsts(encoded(now, cells, more)), (std::vector<float>{-1, 0, 0, 2}));
}

TEST(UserEncoder, AContextColumnHoldsNoVectors) {
  World w;
  w.options.features = {{.column = "device", .kind = FeatureKind::vector}};
  EXPECT_THROW(w.fit(), Error);
}

}  // namespace
}  // namespace pagoda::features
