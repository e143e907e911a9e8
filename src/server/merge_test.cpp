// Layers over a bundle, merged and fresh: whatever has been merged, answers are those of a bundle that was made with
// the items.
#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "index/partitioned_index.h"
#include "retrieval/retrieval_test.h"
#include "server/snapshot_updater.h"

namespace pagoda::server {
namespace {

constexpr int kItems = 60, kInBundle = 40;

// The row of item i as write_small_bundle makes it, as a change.
retrieval::ItemChange whole(int i, int year_more = 0) {
  const auto text = [](const std::string& name, const std::string& value) {
    return retrieval::RequestFeature{name, {value}, false};
  };
  return {
      .item = "i" + std::to_string(i),
      .attributes = {text("year", std::to_string(1990 + i + year_more)), text("author", i % 3 ? "kim" : "lee \"x\"")}};
}
retrieval::ItemChange gone(int i) { return {.item = "i" + std::to_string(i), .attributes = {}, .deleted = true}; }

class Merge : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "pagoda_merge_" + std::to_string(getpid()) + ".pagoda";
    retrieval::write_small_bundle(pool_, path_, {.items = kInBundle});
    open();
  }
  void TearDown() override {
    snapshots_.reset();
    for (const auto& file : {path_, path_ + ".items"}) std::filesystem::remove(file);
  }
  void open(const retrieval::MergeOptions& options = {.merge_at = 8}) {
    snapshots_.reset();
    snapshots_ = std::make_unique<retrieval::Snapshots>(path_, options);
  }
  const retrieval::Retrieval& retrieval() {
    held_ = snapshots_->current();
    return held_->retrieval;
  }

  // Lists under filters, quotas and exclusions, neighbours, and attributes, with ids in place of rows.
  std::string answers() {
    const auto& r = retrieval();
    std::string out;
    const auto add = [&](const index::SearchResult& found) {
      for (size_t i = 0; i < found.scores.size(); ++i)
        out += fmt::format("{} {} ", r.item_id(found.items.values[i]), found.scores[i]);
      out += "\n";
    };
    const std::vector<retrieval::RetrieveOptions> cases{
        {.k = 100},
        {.k = 7},
        {.k = 100, .exclude_seen = false},
        {.k = 20, .filter = "year >= 2010 and author = 'kim'"},
        {.k = 20, .exclude = {"i3", "i45", "i50"}},
        {.k = 9, .quota = retrieval::QuotaOptions{"author", 4}},
        {.k = 9, .filter = "year < 2040", .quota = retrieval::QuotaOptions{"author", 1}}};
    std::vector<retrieval::RetrieveRequest> requests;
    for (const char* line : {"ann", "bob", "nobody", R"({"history": ["i2", "i44", "i51"]})"})
      requests.push_back(retrieval::parse_request(line, ""));
    for (const auto& options : cases)
      for (const auto& request : requests) add(r.retrieve(pool_, {request}, options).found);
    for (const char* id : {"i1", "i44", "i55"}) {
      const auto row = r.find_item(id);
      out += fmt::format("{}: {}\n", id, row == columns::Interner::kNone ? "none" : r.item_id(row));
      if (row == columns::Interner::kNone) continue;
      const std::vector<uint32_t> rows{row};
      add(r.similar(pool_, rows, 12));
      const auto [column, at] = r.attribute(0, row);
      std::string scratch;
      out += column->as_text(at, scratch);
    }
    return out;
  }

  // All that there is to do, as the updater does it; false: nothing.
  bool upkeep() {
    auto work = snapshots_->maintenance();
    if (!work) return false;
    work(nullptr)();
    return true;
  }

  ThreadPool pool_{2};
  std::string path_;
  std::unique_ptr<retrieval::Snapshots> snapshots_;
  std::shared_ptr<const retrieval::Snapshot> held_;
};

TEST_F(Merge, ChangesNoAnswerAndSeesWhatIsAddedReplacedAndDeleted) {
  std::vector<retrieval::ItemChange> changes;
  for (int i = kInBundle; i < kItems; ++i) changes.push_back(whole(i));
  changes.push_back(whole(3, 100));
  changes.push_back(gone(5));
  changes.push_back(gone(45));
  snapshots_->change(changes);
  const auto before = answers();
  ASSERT_TRUE(upkeep());
  EXPECT_FALSE(upkeep()) << "there is nothing left to merge";
  EXPECT_EQ(retrieval().fresh(), nullptr);
  EXPECT_EQ(retrieval().merged()->items().rows(), 20u);
  EXPECT_EQ(answers(), before);
  EXPECT_EQ(retrieval().added_items(), 20u);
  EXPECT_EQ(retrieval().hidden_items(), 2u);

  // Over what was merged: another state of a merged item, a merged one deleted, a bundle's one that comes back.
  const std::vector<retrieval::ItemChange> more{whole(44, 7), gone(50), whole(5), gone(3), whole(45)};
  snapshots_->change(more);
  const auto laid_over = answers();
  EXPECT_EQ(retrieval().find_item("i50"), columns::Interner::kNone);
  EXPECT_EQ(retrieval().find_item("i3"), columns::Interner::kNone);
  EXPECT_EQ(retrieval().added_items(), 20u) << "i3 and i50 went, i5 and i45 came";
  EXPECT_EQ(retrieval().hidden_items(), 2u);
  open({.merge_at = 3});
  EXPECT_EQ(retrieval().fresh(), nullptr) << "a server that starts merges at once";
  EXPECT_EQ(answers(), laid_over);
  open({.merge_at = 1000});
  EXPECT_EQ(retrieval().merged(), nullptr);
  EXPECT_EQ(answers(), laid_over);
}

TEST_F(Merge, AnswersAsABundleThatWasMadeWithTheItems) {
  std::vector<retrieval::ItemChange> changes;
  for (int i = kInBundle - 10; i < kItems; ++i) changes.push_back(whole(i));  // some of them as they are
  for (size_t c = 0; c < changes.size(); c += 10) {
    snapshots_->change({changes.begin() + static_cast<ptrdiff_t>(c), changes.begin() + static_cast<ptrdiff_t>(c + 10)});
    upkeep();
  }
  ASSERT_NE(retrieval().merged(), nullptr);
  // The same towers do not come of another catalogue, so its bundle is one of vectors: those that the tower gives.
  const auto& r = retrieval();
  math::Matrix<float> vectors(kItems, 8);
  for (int i = 0; i < kItems; ++i) r.item_vector(r.find_item("i" + std::to_string(i)), vectors[static_cast<size_t>(i)]);
  const auto exact = index::make_exact_index(vectors);
  const auto queries = r.user_vectors(pool_, {retrieval::parse_request("bob", ""), retrieval::RetrieveRequest{}});
  const auto expected = exact->search(pool_, queries, {.k = 50});
  const auto found = r.retrieve(pool_, queries, {.k = 50}).found;
  EXPECT_EQ(found.scores, expected.scores);
  ASSERT_EQ(found.items.values.size(), expected.items.values.size());
  for (size_t i = 0; i < found.items.values.size(); ++i)
    EXPECT_EQ(r.item_id(found.items.values[i]), "i" + std::to_string(expected.items.values[i]));
}

TEST_F(Merge, KeepsWhatChangesWhileItGoesOn) {
  std::vector<retrieval::ItemChange> changes;
  for (int i = kInBundle; i < kItems; ++i) changes.push_back(whole(i));
  snapshots_->change(changes);
  auto work = snapshots_->maintenance();
  snapshots_->change({gone(41), whole(42, 30), gone(2), whole(3, 30)});
  snapshots_->change({whole(70), gone(71), whole(42, 31)});
  auto finish = work(nullptr);
  snapshots_->change({gone(43), whole(70, 5)});
  const auto before = answers();
  finish();
  EXPECT_EQ(answers(), before);
  EXPECT_EQ(retrieval().merged()->items().rows(), 20u);
  EXPECT_EQ(retrieval().fresh()->items().rows(), 3u) << "i42, i3 and i70";
  const auto row = retrieval().find_item("i42");
  EXPECT_EQ(retrieval().attribute(0, row).first->integers[retrieval().attribute(0, row).second], 1990 + 42 + 31);
  open();
  EXPECT_EQ(answers(), before) << "and the journal has it all";
}

TEST_F(Merge, ALayerMayDeleteAlone) {
  snapshots_->change({gone(1), gone(99)});
  EXPECT_EQ(retrieval().find_item("i1"), columns::Interner::kNone);
  EXPECT_EQ(retrieval().added_items(), 0u);
  EXPECT_EQ(retrieval().hidden_items(), 1u);
  const auto before = answers();
  std::vector<retrieval::ItemChange> changes;
  for (int i = kInBundle; i < kItems; ++i) changes.push_back(whole(i));
  snapshots_->change(changes);
  auto work = snapshots_->maintenance();
  std::vector<retrieval::ItemChange> all_gone;
  for (int i = kInBundle; i < kItems; ++i) all_gone.push_back(gone(i));
  snapshots_->change(all_gone);
  work(nullptr)();
  EXPECT_EQ(retrieval().fresh()->items().rows(), 0u);
  EXPECT_EQ(answers(), before);
  open();
  EXPECT_EQ(answers(), before);
}

TEST_F(Merge, OfAnotherBundleIsDropped) {
  std::vector<retrieval::ItemChange> changes;
  for (int i = kInBundle; i < kItems; ++i) changes.push_back(whole(i));
  snapshots_->change(changes);
  auto work = snapshots_->maintenance();
  retrieval::write_small_bundle(pool_, path_, {.seed = 6, .items = kInBundle});
  ASSERT_TRUE(snapshots_->reload());
  const auto before = answers();
  work(nullptr)();
  EXPECT_EQ(answers(), before);
}

TEST_F(Merge, HasListsWhereTheBundleHasThem) {
  const auto bundle = model::Bundle::open(path_);
  const auto partitions =
      index::build_partitions(pool_, bundle->item_vectors(), {.lists = 4, .recall = 1, .k = 10}, {});
  std::vector<retrieval::ItemChange> changes;
  for (int i = kInBundle; i < kItems; ++i) changes.push_back(whole(i));
  changes.push_back(gone(7));
  snapshots_->change(changes);
  const auto before = answers();
  model::rewrite_index(path_, path_, bundle->item_vectors(), &partitions);
  open({.merge_at = 8, .lists_from = 10});
  EXPECT_EQ(retrieval().bundle().index().kind(), "partitioned");
  EXPECT_EQ(retrieval().merged()->index().kind(), "partitioned");
  EXPECT_EQ(answers(), before) << "with a recall of 1 it is exact";
}

TEST_F(Merge, GoesOnInTheBackgroundWhileItIsSearched) {
  ServeMetrics metrics;
  SnapshotUpdater updater({.watch = {}}, *snapshots_, metrics);
  std::atomic<bool> stop = false;
  std::atomic<int> searches = 0;
  std::thread searching([&] {
    ThreadPool pool(1);
    while (!stop) {
      const auto now = snapshots_->current();
      const auto answer = now->retrieval.retrieve(pool, {retrieval::RetrieveRequest{}}, {.k = 1000});
      std::set<std::string> ids;
      for (const auto row : answer.found.items.values) ids.emplace(now->retrieval.item_id(row));
      EXPECT_EQ(ids.size(), answer.found.items.values.size()) << "no item twice";
      for (int i = 0; i < kInBundle; ++i) EXPECT_TRUE(ids.contains("i" + std::to_string(i))) << "none is missing";
      ++searches;
    }
  });
  for (int i = 0; i < 200; ++i) {
    std::promise<SnapshotUpdater::ChangeResult> made;
    ASSERT_TRUE(updater.change({whole(100 + i % 150), whole(i % kInBundle, i)}, [&](auto m) { made.set_value(m); }));
    ASSERT_EQ(made.get_future().get(), SnapshotUpdater::ChangeResult::applied);
    EXPECT_NE(retrieval().find_item("i" + std::to_string(100 + i % 150)), columns::Interner::kNone);
  }
  while (searches < 50) std::this_thread::yield();
  stop = true;
  searching.join();
  EXPECT_NE(retrieval().merged(), nullptr);
  EXPECT_EQ(retrieval().added_items(), 150u + kInBundle);
}

TEST_F(Merge, WhatFiltersAndQuotasNeedIsThereBeforeItIsAskedFor) {
  const std::vector<std::string> year{"year"}, none;
  const auto ask = [&] {
    retrieval().retrieve(pool_, {retrieval::RetrieveRequest{}},
                         {.filter = "year > 2000", .quota = retrieval::QuotaOptions{"author", 1}});
  };
  snapshots_->change({whole(50)});
  EXPECT_EQ(retrieval().fresh()->filters().arranged(), none);
  ask();
  snapshots_->change({whole(51)});
  EXPECT_EQ(retrieval().fresh()->filters().arranged(), year);
  for (int i = 52; i < kItems; ++i) snapshots_->change({whole(i)});
  auto work = snapshots_->maintenance();
  ASSERT_TRUE(work);
  const auto finish = work(nullptr);
  snapshots_->change({whole(50, 1)});
  finish();
  EXPECT_EQ(retrieval().merged()->filters().arranged(), year);
  EXPECT_EQ(retrieval().fresh()->filters().arranged(), year);
  EXPECT_EQ(retrieval().known_quotas(), std::vector<std::string>{"author"});
  snapshots_->reload();
  EXPECT_EQ(retrieval().known_quotas(), std::vector<std::string>{"author"});
  const auto& layer = retrieval().merged() ? retrieval().merged() : retrieval().fresh();
  EXPECT_EQ(std::ranges::count(layer->filters().arranged(), "year"), 1);
}

TEST_F(Merge, YieldsToSearchesButIsDone) {
  ServeMetrics metrics;
  ForegroundLoad foreground;
  SnapshotUpdater updater({.watch = {}}, *snapshots_, metrics, &foreground);
  foreground.add(1);
  for (int i = 0; i < 20; ++i) {
    std::promise<SnapshotUpdater::ChangeResult> made;
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(updater.change({whole(100 + i)}, [&](auto m) { made.set_value(m); }));
    ASSERT_EQ(made.get_future().get(), SnapshotUpdater::ChangeResult::applied);
    EXPECT_GE(std::chrono::steady_clock::now() - began, BackgroundThrottle::kCredit);
  }
}

// Whatever yields is what a search may come to need. Here the search comes on the very thread that yields: if that held
// a lock which the search needs, it would wait for ever.
TEST_F(Merge, YieldsWithNoLockHeld) {
  for (int i = kInBundle; i < kItems; ++i) snapshots_->change({whole(i)});
  const auto& options = retrieval::RetrieveOptions{.filter = "year > 2000 and author = \"kim\"",
                                                   .quota = retrieval::QuotaOptions{"author", 1}};
  retrieval().retrieve(pool_, {retrieval::RetrieveRequest{}}, options);
  const retrieval::Retrieval other(retrieval().shared_bundle());
  ForegroundLoad foreground;
  foreground.add(1);
  int searches = 0;
  std::chrono::nanoseconds now{0};
  BackgroundThrottle throttle(foreground, {.cpu = [&] { return now; },
                                           .now = [&] { return now; },
                                           .sleep =
                                               [&](std::chrono::nanoseconds) {
                                                 now += BackgroundThrottle::kCredit;  // so that it yields every time
                                                 other.retrieve(pool_, {retrieval::RetrieveRequest{}}, options);
                                                 ++searches;
                                               }});
  other.arrange_as(retrieval(), &throttle);
  EXPECT_GT(searches, 2) << "in two columns and in the groups of a quota";
  EXPECT_EQ(other.known_quotas(), std::vector<std::string>{"author"});
}

TEST_F(Merge, TheJournalIsKeptShort) {
  const auto lines = [&] {
    const auto text = read_file(path_ + ".items");
    return std::ranges::count(text, '\n');
  };
  for (int i = 0; i < 1400; ++i) snapshots_->change({whole(50 + i % 5, i)});
  EXPECT_EQ(lines(), 1400);
  const auto before = answers();
  auto work = snapshots_->maintenance();
  ASSERT_TRUE(work);
  snapshots_->change({whole(52, 2000), gone(9)});
  auto finish = work(nullptr);
  snapshots_->change({gone(53)});
  finish();
  EXPECT_EQ(lines(), 5 + 3) << "five items, and three changes that came meanwhile";
  EXPECT_FALSE(snapshots_->maintenance());
  const auto after = answers();
  EXPECT_NE(after, before);
  open({.merge_at = 1000});
  EXPECT_EQ(answers(), after);
  EXPECT_EQ(lines(), 6) << "a start leaves one line an item";

  // A journal that was taken away, or is another, is left alone.
  for (int i = 0; i < 1400; ++i) snapshots_->change({whole(50 + i % 5, i)});
  work = snapshots_->maintenance();
  ASSERT_TRUE(work);
  finish = work(nullptr);
  std::filesystem::remove(path_ + ".items");
  finish();
  EXPECT_FALSE(std::filesystem::exists(path_ + ".items"));
}

}  // namespace
}  // namespace pagoda::server
