#include "model/bundle.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "features/saved.h"
#include "index/partitioned_index.h"
#include "model/model_test.h"
#include "model/without_index.h"

namespace pagoda::model {
namespace {

// Without the flush to disk of write_file: a test writes many.
void write_quickly(const std::string& path, std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }

class BundleTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "pagoda_bundle_" + std::to_string(getpid());
    make_folder(folder_);
    world_.all_features();
    world_.user.hidden = world_.item.hidden = {6};
    model_ = world_.make();
    cells_ = model_.user_encoder.cells(world_.user_ids, &world_.users);
    for (uint32_t u = 0; u < SmallWorld::kUsers; ++u) states_.histories.push(std::vector<uint32_t>{u, u + 3, u + 6});
    states_.context_names = {"device"};
    states_.context_values = {world_.devices};
    states_.context = {{0, 1, columns::Interner::kNone, 1, 0, 1}};
    states_.moment_us = 9 * SmallWorld::kDay;
    ThreadPool pool(1);
    vectors_ = item_vectors(pool, model_, model_.item_encoder.cells(world_.item_ids, &world_.items), states_.moment_us);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  BundleContent content() {
    BundleContent c;
    c.info = {.version = "9.8.7",
              .towers = true,
              .dim = 4,
              .items = SmallWorld::kItems,
              .users = SmallWorld::kUsers,
              .training_rows = 77,
              .moment_us = states_.moment_us,
              .chosen_on = "validation",
              .refit = true,
              .uses_order = true,
              .epochs = 3};
    c.options = {world_.model, world_.user, world_.item};
    c.config = "a = 1\n";
    c.metrics = "{}";
    c.run_log = "{\"step\":1}\n";
    c.frequency = "state";
    c.model = &model_;
    c.user_ids = &world_.user_ids;
    c.user_cells = &cells_;
    c.user_states = &states_;
    c.item_ids = &world_.item_ids;
    c.item_counts = world_.item_counts;
    c.item_vectors = vectors_;
    c.item_attributes = &world_.items;
    return c;
  }
  std::string written(const std::string& name = "m.pagoda") {
    write_bundle(path(name), content());
    return path(name);
  }

  // The bundle with other bytes in one section (nullopt: without it), and right checksums.
  std::string forged(const std::string& section, const std::optional<std::string>& bytes,
                     uint32_t version = kBundleVersion) {
    if (!file_exists(path("m.pagoda"))) written();
    const SectionFile in(path("m.pagoda"), "bundle", kBundleVersion);
    SectionWriter out(path("forged"), "bundle", version);
    bool found = section.empty();
    for (const auto& s : in.sections()) {
      if (s.name != section)
        out.section(s.name, in.bytes(s.name));
      else if (bytes)
        out.section(s.name, *bytes);
      found |= s.name == section;
    }
    EXPECT_TRUE(found) << section;
    out.commit();
    return path("forged");
  }
  template <class Save>
  files::Caught refused(const std::string& section, const Save& save) {
    ByteWriter bytes;
    save(bytes);
    const auto file = forged(section, bytes.bytes());
    const auto e = files::error_of([&] { Bundle::open(file); });
    EXPECT_EQ(e.kind, ErrorKind::failed) << e.message;
    EXPECT_TRUE(e.says(file)) << e.message;
    return e;
  }

  std::string folder_;
  SmallWorld world_;
  Model model_;
  features::EncodedUsers cells_;
  UserStates states_;
  math::Matrix<float> vectors_;
};

TEST_F(BundleTest, GivesBackEverythingItWasWrittenFrom) {
  const auto bundle = Bundle::open(written());
  const auto& i = bundle->info();
  EXPECT_EQ(i.version, "9.8.7");
  EXPECT_TRUE(i.towers && i.refit && i.uses_order);
  EXPECT_EQ(i.dim, 4u);
  EXPECT_EQ(i.items, 12u);
  EXPECT_EQ(i.users, 6u);
  EXPECT_EQ(i.training_rows, 77u);
  EXPECT_EQ(i.moment_us, states_.moment_us);
  EXPECT_EQ(i.chosen_on, "validation");
  EXPECT_EQ(i.epochs, 3u);
  EXPECT_EQ(bundle->config(), "a = 1\n");
  EXPECT_EQ(bundle->metrics(), "{}");
  EXPECT_EQ(bundle->run_log(), "{\"step\":1}\n");
  EXPECT_EQ(bundle->file().text("frequency"), "state");
  EXPECT_EQ(bundle->fingerprint().size(), 16u);
  EXPECT_EQ(bundle->item_ids().find("i7"), 7u);
  EXPECT_EQ(bundle->user_ids().find("u4"), 4u);
  EXPECT_EQ(bundle->item_counts(), world_.item_counts);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bundle->item_vectors().f32().data()) % 4096, 0u);
  for (uint32_t item = 0; item < 12; ++item)
    EXPECT_TRUE(std::ranges::equal(bundle->item_vectors().row(item), vectors_.row(item)));
  EXPECT_EQ(bundle->user_states().histories.values, states_.histories.values);
  std::string scratch;
  EXPECT_EQ(bundle->item_attributes().find("title")->as_text(bundle->attribute_row(1), scratch), "of war");
  EXPECT_EQ(bundle->index().items(), 12u);
  EXPECT_EQ(bundle->members()[0].item_id_rows[3], model_.item_encoder.id_vocabulary().row("i3"));
}

TEST_F(BundleTest, AttributesKeepTheirDigitsAndTheirPrecision) {
  auto table = world_.items;
  columns::Column price, weight, half;
  price.name = "cost";
  price.type = columns::ColumnType::decimal;
  weight.name = "weight";
  weight.type = columns::ColumnType::real;
  weight.precision = columns::RealPrecision::f32;
  half.name = "half";
  half.type = columns::ColumnType::real;
  half.precision = columns::RealPrecision::f16;
  for (size_t row = 0; row < table.rows(); ++row) {
    row == 1 ? price.push_null() : price.push_text(row == 0 ? "18446744073709551615" : "0.35");
    weight.push_real(0.1);
    half.push_real(9.99);
  }
  table.columns.insert(table.columns.end(), {price, weight, half});
  auto c = content();
  c.item_attributes = &table;
  write_bundle(path("exact"), c);
  const auto bundle = Bundle::open(path("exact"));
  const auto& read = bundle->item_attributes();
  EXPECT_EQ(read.find("cost")->type, columns::ColumnType::decimal);
  EXPECT_EQ(read.find("cost")->text_of(0), "18446744073709551615");
  EXPECT_TRUE(read.find("cost")->is_null(1));
  EXPECT_EQ(read.find("weight")->precision, columns::RealPrecision::f32);
  EXPECT_EQ(read.find("half")->precision, columns::RealPrecision::f16);
  EXPECT_EQ(read.find("half")->reals[2], 9.99);
  EXPECT_TRUE(refused("item_attributes", [&](ByteWriter& b) {
                save_attributes(b, table);
                b.value<uint64_t>(1);
              }).says("precisions"));
}

TEST_F(BundleTest, ItsTowersGiveTheSameBits) {
  const auto bundle = Bundle::open(written());
  ThreadPool pool(2);
  const SmallRequests requests(100, model_.item_encoder.id_vocabulary().rows());
  EXPECT_TRUE(
      same_bits(user_vectors(pool, model_, cells_, requests.examples),
                user_vectors(pool, bundle->members()[0].model, bundle->members()[0].user_cells, requests.examples)));
  const auto cells = bundle->members()[0].model.item_encoder.cells(bundle->item_ids(), &bundle->item_attributes());
  EXPECT_TRUE(same_bits(vectors_, item_vectors(pool, bundle->members()[0].model, cells, bundle->info().moment_us)));
}

TEST_F(BundleTest, GivenVectorsOfUsersComeBackAndMakeItANewerVersion) {
  columns::VectorRows rows("face");
  for (uint32_t u = 0; u < world_.users.rows(); ++u)
    u == 1 ? rows.push_null() : rows.push(std::vector<float>{static_cast<float>(u), 1, 2});
  world_.users.vectors = {rows.finish()};
  world_.user.features.push_back({.column = "face", .kind = features::FeatureKind::vector});
  model_ = world_.make();
  cells_ = model_.user_encoder.cells(world_.user_ids, &world_.users);
  auto c = content();
  c.info.given_vectors = true;
  write_bundle(path("given"), c);
  const auto bundle = Bundle::open(path("given"));
  EXPECT_TRUE(bundle->info().given_vectors);
  const auto error = files::error_of([&] { SectionFile(path("given"), kBundleKind, kNeighboursVersion); });
  EXPECT_TRUE(error.says("version 5")) << error.message;
  copy_without_index(path("given"), path("copy"));
  EXPECT_TRUE(files::error_of([&] { SectionFile(path("copy"), kBundleKind, kNeighboursVersion); }).says("version 5"));
  std::vector<features::UserExample> users;
  for (uint32_t u = 0; u < world_.user_ids.size(); ++u)
    users.push_back({.user = u, .history = {}, .context = {}, .moment_us = states_.moment_us});
  ThreadPool pool(1);
  const auto& member = bundle->members()[0];
  EXPECT_TRUE(
      same_bits(user_vectors(pool, member.model, member.user_cells, users), user_vectors(pool, model_, cells_, users)));
}

TEST_F(BundleTest, VectorsOfATableAreSavedInSectionsAndMappedBack) {
  columns::VectorRows a("a"), b("b/at");
  for (const float x : {1.f, 2.f}) a.push(std::vector<float>{x, -x});
  a.push_null();
  for (int i = 0; i < 3; ++i) b.push(std::vector<float>{0.5f});
  {
    SectionWriter out(path("s"), "state", 1);
    save_vectors(out, {a.finish(), b.finish()});
    out.commit();
  }
  VectorColumns columns;
  {
    const auto file = std::make_shared<const SectionFile>(path("s"), "state", 1);
    columns = load_vectors(file);
  }
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0]->name(), "a");
  EXPECT_EQ(columns[0]->missing(), 1u);
  float row[2];
  columns[0]->read(1, row);
  EXPECT_EQ(row[1], -2.f);
  EXPECT_EQ(columns[1]->name(), "b/at");
  EXPECT_EQ(columns[1]->rows(), 3u);
}

TEST_F(BundleTest, TablesInBf16ComeBackAsTheyWereInHalfTheBytes) {
  const auto bytes_of_ids = [](const std::string& path) {
    return SectionFile(path, "bundle", kBundleVersion).bytes("weights/item.id").size() - 2 * sizeof(uint64_t);
  };
  const size_t in_f32 = bytes_of_ids(written());
  world_.model.table_precision = math::Precision::bf16;
  model_ = world_.make();
  const auto bundle = Bundle::open(written());
  EXPECT_EQ(bytes_of_ids(path("m.pagoda")), in_f32 / 2);
  ThreadPool pool(2);
  const SmallRequests requests(100, model_.item_encoder.id_vocabulary().rows());
  EXPECT_TRUE(
      same_bits(user_vectors(pool, model_, cells_, requests.examples),
                user_vectors(pool, bundle->members()[0].model, bundle->members()[0].user_cells, requests.examples)));
}

TEST_F(BundleTest, OfBareVectorsKnowsNoUsers) {
  auto c = content();
  c.info.towers = false;
  c.info.users = 0;
  c.model = nullptr;
  c.user_ids = nullptr;
  c.user_cells = nullptr;
  c.user_states = nullptr;
  c.item_attributes = nullptr;
  write_bundle(path("bare"), c);
  const auto bundle = Bundle::open(path("bare"));
  EXPECT_FALSE(bundle->file().has("user_encoder"));
  EXPECT_EQ(bundle->item_vectors().rows(), 12u);
  const auto e = files::error_of([&] { bundle->members(); });
  EXPECT_EQ(e.kind, ErrorKind::usage);
  EXPECT_TRUE(e.says("holds bare vectors") && e.says("--vectors")) << e.message;
}

TEST_F(BundleTest, TheSameContentIsTheSameBytes) {
  const auto first = read_file(written());
  EXPECT_EQ(read_file(written("again")), first);
}

TEST_F(BundleTest, FiguresLieBesideTheBundleWhichStaysAsItIs) {
  const auto file = written();
  const auto bytes = read_file(file);
  const auto before = Bundle::open(file);
  EXPECT_EQ(before->metrics(), "{}") << "as a program of version 0.1 left them in the bundle";
  const auto figures = [](const std::string& fingerprint) {
    return "{\"metrics\":{\"recall@20\":0.5},\"model\":{\"fingerprint\":\"" + fingerprint + "\"}}";
  };
  write_metrics(file, figures(before->fingerprint()));
  EXPECT_EQ(read_file(file), bytes);
  EXPECT_EQ(Bundle::open(file)->metrics(), figures(before->fingerprint()));
  EXPECT_EQ(Bundle::open(file)->fingerprint(), before->fingerprint());
  EXPECT_EQ(fingerprint_of_bundle(file), before->fingerprint());
}

TEST_F(BundleTest, FiguresOfAnotherBundleAreNotShown) {
  const auto file = written();
  write_metrics(file, "{\"metrics\":{\"recall@20\":0.5},\"model\":{\"fingerprint\":\"0123456789abcdef\"}}");
  EXPECT_EQ(Bundle::open(file)->metrics(), "");
  for (const char* damaged : {"{\"metrics\":", "[]", "{\"metrics\":{}}", ""}) {
    write_metrics(file, damaged);
    EXPECT_EQ(Bundle::open(file)->metrics(), "") << damaged;
  }
}

TEST_F(BundleTest, ABundleOfAllRowsHasTheFiguresOfTheModelThatWasJudged) {
  const auto figures = [](const std::string& fingerprint, const char* recall) {
    return fmt::format("{{\"metrics\":{{\"recall@20\":{}}},\"model\":{{\"fingerprint\":\"{}\"}}}}", recall,
                       fingerprint);
  };
  auto c = content();
  c.info.all_rows = true;
  c.judged = {.fingerprint = "00000000000000ab", .training_rows = 55};
  c.metrics = figures("00000000000000ab", "0.5");
  write_bundle(path("all"), c);
  EXPECT_FALSE(Bundle::open(written())->info().all_rows);
  EXPECT_FALSE(Bundle::open(path("m.pagoda"))->judged());
  const auto bundle = Bundle::open(path("all"));
  EXPECT_TRUE(bundle->info().all_rows);
  ASSERT_TRUE(bundle->judged());
  EXPECT_EQ(bundle->judged()->fingerprint, "00000000000000ab");
  EXPECT_EQ(bundle->judged()->training_rows, 55u);
  EXPECT_EQ(bundle->metrics(), c.metrics);
  write_metrics(path("all"), figures("00000000000000ab", "0.25"));  // judged again
  EXPECT_EQ(Bundle::open(path("all"))->metrics(), figures("00000000000000ab", "0.25"));
  write_metrics(path("all"), figures("00000000000000cd", "0.75"));  // of another training
  EXPECT_EQ(Bundle::open(path("all"))->metrics(), c.metrics);
  rewrite_index(path("all"), path("all"), vectors_, nullptr);
  EXPECT_EQ(Bundle::open(path("all"))->judged()->training_rows, 55u) << "it stays with another index";
}

TEST_F(BundleTest, AnotherIndexAnswersAndTheRestStays) {
  const auto file = written();
  const auto exact = Bundle::open(file);
  ThreadPool pool(1);
  const auto partitions = index::build_partitions(pool, vectors_, {.lists = 3}, {});
  rewrite_index(file, path("partitioned"), vectors_, &partitions);
  const auto bundle = Bundle::open(path("partitioned"));
  EXPECT_EQ(bundle->index().kind(), "partitioned");
  EXPECT_NE(bundle->fingerprint(), exact->fingerprint());
  for (const auto& s : exact->file().sections())
    if (s.name != "index") {
      EXPECT_EQ(bundle->file().text(s.name), exact->file().text(s.name)) << s.name;
    }
  const index::SearchOptions options{.k = 5, .recall = 1};
  const auto found = bundle->index().search(pool, vectors_, options),
             wanted = exact->index().search(pool, vectors_, options);
  EXPECT_EQ(found.items.values, wanted.items.values);
  EXPECT_EQ(found.scores, wanted.scores);
  auto c = content();
  c.partitions = &partitions;
  write_bundle(path("at_once"), c);
  EXPECT_EQ(read_file(path("at_once")), read_file(path("partitioned")));
  rewrite_index(path("partitioned"), path("partitioned"), vectors_, nullptr);
  EXPECT_EQ(read_file(path("partitioned")), read_file(file));
}

TEST_F(BundleTest, APartitionedIndexThatIsDamagedIsRefusedNamingItsSection) {
  ThreadPool pool(1);
  const auto partitions = index::build_partitions(pool, vectors_, {.lists = 3}, {});
  rewrite_index(written(), path("m.pagoda"), vectors_, &partitions);
  const auto bytes = read_file(path("m.pagoda"));
  size_t of_the_index = 0;
  const auto sections = SectionFile(path("m.pagoda"), "bundle", kBundleVersion).sections();
  for (const auto& s : sections) {
    if (!s.name.starts_with("index/")) continue;
    ++of_the_index;
    auto flipped = bytes;
    flipped[s.offset + s.size / 2] ^= 0x10;
    write_quickly(path("flipped"), flipped);
    EXPECT_TRUE(files::error_of([&] { Bundle::open(path("flipped")); }).says("section '" + s.name + "'")) << s.name;
    const auto file = forged(s.name, std::nullopt);
    EXPECT_TRUE(files::error_of([&] { Bundle::open(file); }).says(fmt::format("has no section '{}'", s.name)))
        << s.name;
  }
  EXPECT_EQ(of_the_index, 6u);
  EXPECT_TRUE(refused("index/rows", [](ByteWriter& b) { b.value(7u); }).says("section 'index/rows' has 4 bytes"));
  EXPECT_TRUE(refused("index/parameters", [](ByteWriter& b) { b.value(9u); }).says("version 9"));
}

TEST_F(BundleTest, AFlippedByteIsRefusedNamingItsSection) {
  const auto file = written();
  const auto bytes = read_file(file);
  const auto sections = SectionFile(file, "bundle", kBundleVersion).sections();
  EXPECT_GT(sections.size(), 25u);
  for (const auto& s : sections)
    for (uint64_t at : {uint64_t{0}, s.size / 2, s.size - 1}) {
      if (at >= s.size) continue;
      auto flipped = bytes;
      flipped[s.offset + at] ^= 0x10;
      write_quickly(path("flipped"), flipped);
      const auto e = files::error_of([&] { Bundle::open(path("flipped")); });
      EXPECT_EQ(e.kind, ErrorKind::failed);
      EXPECT_TRUE(e.says(path("flipped")) && e.says("section '" + s.name + "'")) << e.message;
    }
  for (size_t at : {size_t{0}, size_t{9}, size_t{40}, size_t{4090}, bytes.size() - 1}) {
    auto flipped = bytes;
    flipped[at] ^= 1;
    write_quickly(path("flipped"), flipped);
    EXPECT_EQ(files::error_of([&] { Bundle::open(path("flipped")); }).kind, ErrorKind::failed) << at;
  }
}

TEST_F(BundleTest, OneThatIsCutIsRefused) {
  const auto bytes = read_file(written());
  std::vector<size_t> lengths{0, 1, 7, 8, 100, 4095, 4096, bytes.size() - 1};
  for (size_t n = 4096; n < bytes.size(); n += 2048) lengths.push_back(n);
  for (size_t n : lengths) {
    write_quickly(path("cut"), bytes.substr(0, n));
    EXPECT_EQ(files::error_of([&] { Bundle::open(path("cut")); }).kind, ErrorKind::failed) << n;
  }
}

TEST_F(BundleTest, ANewerVersionIsRefusedNamingBoth) {
  const auto file = forged("", std::nullopt, 8);
  const auto e = files::error_of([&] { Bundle::open(file); });
  EXPECT_EQ(e.kind, ErrorKind::failed);
  EXPECT_TRUE(e.says("version 8") && e.says("up to 7")) << e.message;
}

TEST_F(BundleTest, AMissingSectionIsNamed) {
  for (const char* section : {"info", "item_ids", "item_vectors", "index", "tower_options", "user_encoder",
                              "user_states", "weights/item.id", "weights/user.layer1.biases"}) {
    const auto file = forged(section, std::nullopt);
    EXPECT_TRUE(files::error_of([&] { Bundle::open(file); }).says(fmt::format("has no section '{}'", section)))
        << section;
  }
}

TEST_F(BundleTest, SectionsThatDisagreeAreRefusedThoughTheirChecksumsHold) {
  EXPECT_TRUE(
      refused("item_counts", [](ByteWriter& b) { b.array(std::vector<uint64_t>{1, 2}); }).says("number of items"));
  EXPECT_TRUE(refused("item_ids", [](ByteWriter& b) {
                b.array(std::vector<uint64_t>{0, 9, 3});
                b.array(std::vector<char>{'a', 'b', 'c'});
              }).says("section 'item_ids'"));
  EXPECT_TRUE(refused("item_vectors", [](ByteWriter& b) { b.value(1.f); }).says("section 'item_vectors'"));
  EXPECT_TRUE(refused("user_states", [&](ByteWriter& b) {
                auto s = states_;
                s.histories.values[4] = 12;
                s.save(b);
              }).says("section 'user_states': a history points past"));
  EXPECT_TRUE(refused("user_states", [&](ByteWriter& b) {
                auto s = states_;
                s.histories.offsets[2] = 1;
                s.save(b);
              }).says("section 'user_states'"));
  EXPECT_TRUE(refused("user_states", [&](ByteWriter& b) {
                auto s = states_;
                s.histories.push(std::vector<uint32_t>{1});
                s.context[0].push_back(0);
                s.save(b);
              }).says("number of users"));
  EXPECT_TRUE(refused("user_cells", [&](ByteWriter& b) {
                auto c = cells_;
                c.id_rows[0] = 1000;
                save_cells(b, c);
              }).says("section 'user_cells'"));
  EXPECT_TRUE(refused("user_cells", [&](ByteWriter& b) {
                b.array(cells_.id_rows);
                b.value(UINT64_MAX);
              }).says("section 'user_cells': ends before"));
  EXPECT_TRUE(refused("item_attributes", [&](ByteWriter& b) {
                auto a = world_.items;
                a.columns[1].text.offsets.pop_back();
                a.columns[1].text.values.resize(a.columns[1].text.offsets.back());
                save_attributes(b, a);
              }).says("section 'item_attributes': a column does not fit"));
  EXPECT_TRUE(refused("weights/item.id", [](ByteWriter& b) { b.value<uint64_t>(1); }).says("weights/item.id"));
  EXPECT_TRUE(
      refused("weights/item.layer1.weights", [](ByteWriter& b) { b.value<uint64_t>(1); }).says("item.layer1.weights"));
}

TEST_F(BundleTest, EncodersOfAnotherModelAreRefused) {
  SmallWorld other = world_;
  for (int i = 0; i < 5; ++i) {
    other.item_ids.add("more" + std::to_string(i));
    other.item_counts.push_back(9);
  }
  auto model = other.make();
  EXPECT_TRUE(
      refused("user_encoder", [&](ByteWriter& b) { model.user_encoder.save(b); }).says("section 'user_encoder'"));
  EXPECT_TRUE(
      refused("item_encoder", [&](ByteWriter& b) { model.item_encoder.save(b); }).says("section 'item_encoder'"));
}

TEST_F(BundleTest, InfoThatLiesAboutTheVectorsWidthIsRefused) {
  auto info = std::string(SectionFile(written(), "bundle", kBundleVersion).text("info"));
  const auto at = info.find("\"dim\": 4");
  ASSERT_NE(at, info.npos);
  for (const char* dim : {"0", "3", "4611686018427387908", "-1"}) {
    auto lie = info;
    lie.replace(at, 8, fmt::format("\"dim\": {}", dim));
    const auto file = forged("info", lie);
    EXPECT_TRUE(files::error_of([&] { Bundle::open(file); }).says("item_vectors")) << dim;
  }
  const auto file = forged("info", "{");
  EXPECT_TRUE(files::error_of([&] { Bundle::open(file); }).says("section 'info' cannot be read"));
}

TEST_F(BundleTest, AnIndexOfAnUnknownKindSaysHowToRebuildIt) {
  const auto file = forged("index", "quantum");
  EXPECT_TRUE(files::error_of([&] { Bundle::open(file); }).says("pagoda index"));
  EXPECT_EQ(files::error_of([&] { Bundle::open(path("nowhere")); }).kind, ErrorKind::input);
}

}  // namespace
}  // namespace pagoda::model
