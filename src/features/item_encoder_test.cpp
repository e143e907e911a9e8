#include "features/item_encoder.h"

#include <cmath>

#include "features/features_test.h"

namespace pagoda::features {
namespace {

constexpr int64_t kDay = 86'400'000'000;

data::Attributes items() {
  return table_of({"i0", "i1", "i2"},
                  {column_of("genre", {"war", "art", "war"}), column_of("tags", {"a|b", "<null>", "b"}),
                   column_of("price", {"1", "3", "<null>"}), column_of("title", {"Of War", "Art", ""}),
                   column_of("born", {"1970-01-01", "<null>", "1970-01-09"})});
}

ItemOptions all_kinds() {
  ItemOptions o;
  o.id.hash_buckets = 4;
  o.features = {{.column = "genre"},
                {.column = "tags", .kind = FeatureKind::multi, .separator = "|"},
                {.column = "price", .kind = FeatureKind::numeric},
                {.column = "price", .kind = FeatureKind::numeric, .form = NumericForm::bucket},
                {.column = "title", .kind = FeatureKind::text, .hash_buckets = 50},
                {.column = "born", .kind = FeatureKind::time, .part = TimePart::age},
                {.column = "genre", .dim = 3}};
  return o;
}

ItemEncoder fitted(const ItemOptions& options, const data::Attributes& table) {
  return ItemEncoder::fit(options, 8, table.ids, &table, std::vector<uint64_t>{2, 1, 0});
}

TEST(ItemEncoder, LayoutIsTheIdThenTheFeaturesInTheirOrder) {
  const auto table = items();
  const auto layout = fitted(all_kinds(), table).layout();
  std::vector<std::string> names;
  for (const auto& bag : layout.bags) names.push_back(bag.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"item.id", "item.features.genre", "item.features.tags", "item.features.price",
                                      "item.features.title", "item.features.born.age", "item.features.genre#2"}));
  EXPECT_EQ(layout.dense, 1u);
  EXPECT_EQ(layout.bags[0].rows, 2u + 4);  // i2 has no row in training
  EXPECT_EQ(layout.bags[0].buckets, 4u);
  EXPECT_EQ(layout.bags[0].dim, 8u);
  EXPECT_TRUE(layout.bags[0].item_ids);
  EXPECT_FALSE(layout.bags[1].item_ids);
  EXPECT_EQ(layout.bags[6].dim, 3u);
}

TEST(ItemEncoder, ABatchIsGatheredFromTheCellsOfItsItems) {
  const auto table = items();
  const auto encoder = fitted(all_kinds(), table);
  const auto cells = encoder.cells(table.ids, &table);
  ASSERT_EQ(cells.size(), 3u);
  EncodedBatch batch;
  const Rows32 rows{2, 0, 1, 0};
  const std::vector<int64_t> moments{9 * kDay, 0, kDay, 3 * kDay};
  encoder.encode(cells, rows, moments, batch);
  EXPECT_EQ(batch.size, 4u);
  EXPECT_EQ(list(batch, 0, 1), (Rows32{0}));
  EXPECT_EQ(list(batch, 0, 2), (Rows32{1}));
  EXPECT_GE(list(batch, 0, 0)[0], 2u);
  EXPECT_EQ(list(batch, 1, 0), (Rows32{0}));
  EXPECT_EQ(list(batch, 1, 2), (Rows32{1}));
  EXPECT_EQ(list(batch, 2, 0), (Rows32{1}));
  EXPECT_EQ(list(batch, 2, 1), (Rows32{0, 1}));
  EXPECT_EQ(weights(batch, 2, 1), (std::vector<float>{.5f, .5f}));
  EXPECT_TRUE(list(batch, 2, 2).empty());
  EXPECT_EQ(batch.dense[0][0], 0.f);
  EXPECT_EQ(batch.dense[1][0], -1.f);
  EXPECT_EQ(batch.dense[2][0], 1.f);
  EXPECT_EQ(list(batch, 5, 0), (Rows32{4}));  // a day old
  EXPECT_EQ(list(batch, 5, 1), (Rows32{0}));
  EXPECT_EQ(list(batch, 5, 2), (Rows32{64}));  // of no date
  EXPECT_EQ(list(batch, 5, 3), (Rows32{8}));
  // Cell by cell against the features alone, the second time into the same memory.
  encoder.encode(cells, rows, moments, batch);
  const auto title = Feature::fit(all_kinds().features[4], table.find("title"), {});
  for (size_t i = 0; i < rows.size(); ++i) {
    EncodedColumns one;
    title.encode(*table.find("title"), rows[i], one);
    EXPECT_EQ(list(batch, 4, i), one.bag.rows.values);
    EXPECT_EQ(weights(batch, 4, i), one.bag.weights);
  }
}

TEST(ItemEncoder, OneMomentMayServeAll) {
  const auto table = items();
  const auto encoder = fitted(all_kinds(), table);
  EXPECT_TRUE(encoder.depends_on_time());
  const auto cells = encoder.cells(table.ids, &table);
  EncodedBatch one, each;
  const Rows32 rows{0, 1, 2};
  encoder.encode(cells, rows, std::vector<int64_t>{5 * kDay}, one);
  encoder.encode(cells, rows, std::vector<int64_t>(3, 5 * kDay), each);
  expect_same(one, each);
}

TEST(ItemEncoder, NewItemsAreEncodedByTheirAttributes) {
  const auto table = items();
  const auto encoder = fitted(all_kinds(), table);
  const auto fresh = table_of({"n0"}, {column_of("genre", {"art"}), column_of("price", {"3"})});
  const auto cells = encoder.cells(interner({"n0", "n1"}), &fresh);
  EncodedBatch batch;
  encoder.encode(cells, Rows32{0, 1}, std::vector<int64_t>{0}, batch);
  EXPECT_GE(list(batch, 0, 0)[0], 2u);
  EXPECT_EQ(list(batch, 1, 0), (Rows32{1}));
  EXPECT_EQ(batch.dense[0][0], 1.f);
  EXPECT_TRUE(list(batch, 1, 1).empty());
  EXPECT_EQ(batch.dense[1][0], 0.f);
  EXPECT_EQ(encoder.cells(interner({"n1"}), nullptr).size(), 1u);
}

TEST(ItemEncoder, AMissingColumnNamesTheNearest) {
  const auto table = items();
  ItemOptions o;
  o.features = {{.column = "gener"}};
  const auto e = files::error_of([&] { fitted(o, table); });
  EXPECT_EQ(e.kind, ErrorKind::usage);
  EXPECT_TRUE(e.says("[[item.features]] column = \"gener\"") && e.says("did you mean 'genre'?")) << e.message;
  const auto none =
      files::error_of([&] { ItemEncoder::fit(o, 8, table.ids, nullptr, std::vector<uint64_t>{1, 1, 1}); });
  EXPECT_TRUE(none.says("there is no item table; set data.items")) << none.message;
}

TEST(ItemEncoder, OneThatIsSavedAndLoadedGivesTheSameBatches) {
  const auto table = items();
  const auto encoder = fitted(all_kinds(), table);
  ByteWriter out;
  encoder.save(out);
  ByteReader in(std::as_bytes(std::span(out.bytes())), "test");
  const auto loaded = ItemEncoder::load(in);
  EncodedBatch a, b;
  const auto ids = interner({"i2", "i0", "new"});
  encoder.encode(encoder.cells(ids, &table), Rows32{0, 1, 2}, std::vector<int64_t>{kDay}, a);
  loaded.encode(loaded.cells(ids, &table), Rows32{0, 1, 2}, std::vector<int64_t>{kDay}, b);
  expect_same(a, b);
  for (size_t cut = 0; cut < out.bytes().size(); cut += 7)
    EXPECT_EQ(files::error_of([&] {
                ByteReader part(std::as_bytes(std::span(out.bytes())).first(cut), "test");
                ItemEncoder::load(part);
              }).kind,
              ErrorKind::failed);
}

// Vectors of a table, by rows; an empty one is missing.
std::shared_ptr<const columns::VectorColumn> vectors_of(const std::string& name,
                                                        const std::vector<std::vector<float>>& rows) {
  columns::VectorRows column(name);
  for (const auto& row : rows) row.empty() ? column.push_null() : column.push(row);
  return column.finish();
}

ItemOptions with_vectors() {
  ItemOptions o;
  o.features = {{.column = "price", .kind = FeatureKind::numeric}, {.column = "emb", .kind = FeatureKind::vector}};
  return o;
}

TEST(ItemEncoder, VectorsAreCentredAndScaledToUnitLengthAndMissingOnesAreTheMean) {
  auto table = items();
  table.vectors = {vectors_of("emb", {{1, 6}, {}, {5, 2}})};
  const auto encoder = fitted(with_vectors(), table);
  EXPECT_EQ(encoder.layout().dense, 3u);
  EXPECT_EQ(encoder.layout().bags.size(), 1u) << "the id alone";
  EncodedBatch batch;
  encoder.encode(encoder.cells(table.ids, &table), Rows32{0, 1, 2}, {}, batch);
  // Mean (3, 4); both differ from it by (2, 2) in size, whose length is sqrt(8).
  const float unit = 2 / std::sqrt(8.f);
  const auto row = [&](size_t i) { return std::vector<float>(batch.dense[i] + 1, batch.dense[i] + 3); };
  EXPECT_EQ(row(0), (std::vector<float>{-unit, unit}));
  EXPECT_EQ(row(1), (std::vector<float>{0, 0}));
  EXPECT_EQ(row(2), (std::vector<float>{unit, -unit}));
}

TEST(ItemEncoder, VectorsAreEncodedAlikeFromColumnsAndListsAndAfterLoading) {
  auto table = items();
  table.vectors = {vectors_of("emb", {{1, 6}, {}, {5, 2}})};
  const auto encoder = fitted(with_vectors(), table);
  ByteWriter out;
  encoder.save(out);
  ByteReader in(std::as_bytes(std::span(out.bytes())), "encoder");
  const auto loaded = ItemEncoder::load(in);
  auto lists = items();
  lists.columns.push_back(column_of("emb", {"[1, 6]", "[1, 2, 3]", "[5, 2]"}));  // one of another length is missing
  EncodedBatch a, b, none;
  encoder.encode(encoder.cells(table.ids, &table), Rows32{2, 0, 1}, {}, a);
  loaded.encode(loaded.cells(lists.ids, &lists), Rows32{2, 0, 1}, {}, b);
  expect_same(a, b);
  loaded.encode(loaded.cells(table.ids, nullptr), Rows32{0}, {}, none);
  EXPECT_EQ(none.dense[0][1], 0);
  auto wider = items();
  wider.vectors = {vectors_of("emb", {{1, 6, 7}, {}, {5, 2, 1}})};
  EXPECT_THROW(loaded.cells(wider.ids, &wider), Error);
}

TEST(ItemEncoder, AVectorFeatureNeedsVectorsAndNoWidth) {
  auto table = items();
  table.vectors = {vectors_of("emb", {{1, 6}, {}, {5, 2}})};
  auto options = with_vectors();
  options.features[1].column = "amb";
  try {
    fitted(options, table);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("did you mean 'emb'"), std::string::npos) << e.what();
  }
  options = with_vectors();
  options.features[1].dim = 8;
  EXPECT_THROW(validate(UserOptions{}, options), Error);
}

}  // namespace
}  // namespace pagoda::features
