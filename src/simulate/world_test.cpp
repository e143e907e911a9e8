#include "simulate/world.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/file.h"
#include "formats/reader.h"
#include "simulate/world_population.h"

namespace pagoda::simulate {
namespace {

std::string folder(const std::string& name) {
  return (std::filesystem::temp_directory_path() / fmt::format("pagoda-world-{}-{}", getpid(), name)).string();
}

WorldOptions small() {
  WorldOptions options;
  options.interactions = 60000;
  options.users = 2000;
  options.items = 3000;
  options.seed = 7;
  options.truth_users = 150;
  options.truth_items = 40;
  return options;
}

// Whole columns of a file, as texts and as numbers (0 where there is none).
struct File {
  std::map<std::string, std::vector<std::string>> text;
  std::map<std::string, std::vector<double>> number;
  std::map<std::string, std::vector<int64_t>> time;
  size_t rows = 0;

  explicit File(const std::string& path) {
    formats::ReaderOptions options;
    options.paths = {path};
    const auto reader = formats::open_reader(options);
    columns::RawBatch batch;
    std::string scratch;
    while (reader->next(batch)) {
      for (size_t c = 0; c < batch.columns.size(); ++c)
        for (size_t row = 0; row < batch.rows; ++row) {
          const auto& name = reader->columns()[c];
          const columns::Column& column = batch.columns[c];
          text[name].emplace_back(column.as_text(row, scratch));
          if (column.type == columns::ColumnType::time) time[name].push_back(column.integers[row]);
          const bool a_number = column.type == columns::ColumnType::integer || column.type == columns::ColumnType::real;
          if (column.type == columns::ColumnType::boolean)
            number[name].push_back(static_cast<double>(column.integers[row]));
          if (a_number) number[name].push_back(column.as_number(row).value_or(0));
        }
      rows += batch.rows;
    }
  }
};

uint32_t row_of(const std::string& id) { return static_cast<uint32_t>(std::stoul(id.substr(1))); }

// One world for all tests that only look at it.
class World : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ThreadPool pool(2);
    summary_ = new WorldSummary(simulate_world(pool, small(), folder("shared")));
    log_ = new File(summary_->interactions);
    items_ = new File(summary_->items);
    users_ = new File(summary_->users);
    truth_ = new File(summary_->truth);
    exposure_ = new File(summary_->exposure);
  }
  static void TearDownTestSuite() {
    delete log_;
    delete items_;
    delete users_;
    delete truth_;
    delete exposure_;
    delete summary_;
    std::filesystem::remove_all(folder("shared"));
  }
  static inline WorldSummary* summary_;
  static inline File *log_, *items_, *users_, *truth_, *exposure_;
};

TEST_F(World, HasTheSizesAskedFor) {
  EXPECT_EQ(log_->rows, 60000u);
  EXPECT_EQ(users_->rows, 2000u);
  EXPECT_EQ(items_->rows, 3000u);
  EXPECT_EQ(exposure_->rows, 3000u);
  EXPECT_EQ(truth_->rows, 150u * 40u);
}

TEST_F(World, AFifthOfTheItemsTakesAboutFourFifthsOfTheClicks) {
  std::vector<int> clicks(3000);
  for (const auto& item : log_->text["item_id"]) ++clicks[row_of(item)];
  std::sort(clicks.begin(), clicks.end(), std::greater<>());
  int top = 0;
  for (size_t i = 0; i < 600; ++i) top += clicks[i];
  const double share = top / 60000.0;
  EXPECT_GT(share, 0.68);
  EXPECT_LT(share, 0.9);
  EXPECT_DOUBLE_EQ(summary_->top_fifth_share, share);
}

TEST_F(World, TheLogIsInOrderOfTimeAndFillsItsDays) {
  const auto& ts = log_->time["ts"];
  EXPECT_TRUE(std::is_sorted(ts.begin(), ts.end()));
  EXPECT_GE(ts.front(), kWorldStartUs);
  EXPECT_LT(ts.back(), kWorldStartUs + 90 * kDayUs);
  std::vector<int> per_day(90);
  for (int64_t t : ts) ++per_day[static_cast<size_t>((t - kWorldStartUs) / kDayUs)];
  EXPECT_GT(*std::min_element(per_day.begin(), per_day.end()), 60000 / 90 / 2);
}

TEST_F(World, NobodyClicksBeforeTheItemIsReleasedOrTheUserHasJoined) {
  size_t late_items = 0;
  for (size_t i = 0; i < log_->rows; ++i) {
    const uint32_t item = row_of(log_->text["item_id"][i]), user = row_of(log_->text["user_id"][i]);
    ASSERT_GE(log_->time["ts"][i], items_->time["released"][item]) << i;
    ASSERT_GE(log_->time["ts"][i], users_->time["joined"][user]) << i;
    late_items += items_->time["released"][item] > kWorldStartUs;
  }
  EXPECT_GT(late_items, log_->rows / 50);  // items born during the log are clicked too
  const auto& released = items_->time["released"];
  EXPECT_TRUE(std::is_sorted(released.begin(), released.end()));
  EXPECT_EQ(std::count_if(released.begin(), released.end(), [](int64_t t) { return t >= kWorldStartUs; }), 900);
}

TEST_F(World, AUserClicksAnItemOnceAndManyItemsInAll) {
  std::map<uint32_t, std::set<uint32_t>> clicked;
  for (size_t i = 0; i < log_->rows; ++i)
    ASSERT_TRUE(clicked[row_of(log_->text["user_id"][i])].insert(row_of(log_->text["item_id"][i])).second) << i;
  std::vector<size_t> sizes;
  for (const auto& [user, items] : clicked) sizes.push_back(items.size());
  std::sort(sizes.begin(), sizes.end());
  EXPECT_GT(sizes.size(), 1950u);
  EXPECT_GE(sizes[sizes.size() / 10], 6u);
  EXPECT_GE(sizes[sizes.size() * 9 / 10], 3 * sizes[sizes.size() / 10]);  // some are far more active than others
}

TEST_F(World, ImpressionsAndClicksOfTheExposureFileAddUp) {
  std::vector<double> clicks(3000);
  for (const auto& item : log_->text["item_id"]) ++clicks[row_of(item)];
  EXPECT_EQ(exposure_->number["clicks"], clicks);
  double impressions = 0;
  for (size_t row = 0; row < 3000; ++row) {
    EXPECT_GE(exposure_->number["impressions"][row], clicks[row]);
    impressions += exposure_->number["impressions"][row];
  }
  EXPECT_EQ(impressions, static_cast<double>(summary_->impressions));
}

TEST_F(World, WhatIsWithheldIsNeverShownAndSomeOfItIsAmongTheBestForAUser) {
  int withheld = 0;
  for (size_t row = 0; row < 3000; ++row) {
    if (exposure_->number["withheld"][row] > 0) {
      ++withheld;
      EXPECT_EQ(exposure_->number["impressions"][row], 0) << row;
    }
  }
  EXPECT_NEAR(withheld, 300, 60);
  int good_and_never_shown = 0;
  for (size_t i = 0; i < truth_->rows; ++i)
    good_and_never_shown += truth_->number["rank"][i] <= 10 && truth_->number["shown"][i] == 0;
  EXPECT_GT(good_and_never_shown, 75);  // of 1500: withholding does not look at quality
  EXPECT_LT(good_and_never_shown, 300);
}

TEST_F(World, TheTruthIsEachUsersMostRelevantItemsOfTheWholeCatalogue) {
  const Population population(resolved(small()));
  std::vector<WorldItem> items;
  ItemDetails item_details;
  for (size_t row = 0; row < 3000; ++row) items.push_back(population.item(row, item_details));
  UserDetails user_details;
  for (size_t begin = 0; begin < truth_->rows; begin += 40 * 30) {  // five users
    const WorldUser user = population.user(row_of(truth_->text["user_id"][begin]), user_details);
    std::vector<double> all;
    for (const auto& item : items) all.push_back(probability(logit(user, item, user.device)));
    std::sort(all.begin(), all.end(), std::greater<>());
    for (size_t i = 0; i < 40; ++i) {
      EXPECT_EQ(truth_->text["user_id"][begin + i], truth_->text["user_id"][begin]);
      EXPECT_EQ(truth_->number["rank"][begin + i], static_cast<double>(i + 1));
      EXPECT_DOUBLE_EQ(truth_->number["probability"][begin + i], all[i]);
      const auto& item = items[row_of(truth_->text["item_id"][begin + i])];
      EXPECT_DOUBLE_EQ(probability(logit(user, item, user.device)), all[i]);
    }
  }
}

TEST_F(World, TheTruthMarksWhatWasShownAndClickedAsTheExposureFileDoes) {
  std::set<std::string> users;
  for (size_t i = 0; i < truth_->rows; ++i) {
    const uint32_t item = row_of(truth_->text["item_id"][i]);
    ASSERT_EQ(truth_->number["shown"][i], exposure_->number["impressions"][item] > 0);
    ASSERT_EQ(truth_->number["clicked"][i], exposure_->number["clicks"][item] > 0);
    users.insert(truth_->text["user_id"][i]);
  }
  EXPECT_EQ(users.size(), 150u);
}

TEST_F(World, ATitlesWordsTellItsGenre) {
  const auto words_of = [&](size_t row) {
    std::istringstream words(items_->text["title"][row]);
    return std::vector<std::string>(std::istream_iterator<std::string>(words), {});
  };
  const auto genre_of = [&](size_t row) {
    return items_->text["genres"][row].substr(0, items_->text["genres"][row].find('|'));
  };
  std::map<std::string, std::map<std::string, int>> seen;  // word -> genre -> items of even row
  for (size_t row = 0; row < 3000; row += 2)
    for (const auto& word : words_of(row)) ++seen[word][genre_of(row)];
  int right = 0;
  for (size_t row = 1; row < 3000; row += 2) {
    std::map<std::string, double> votes;
    for (const auto& word : words_of(row)) {
      double total = 0;
      for (const auto& [genre, n] : seen[word]) total += n;
      for (const auto& [genre, n] : seen[word]) votes[genre] += n / (total + 1);
    }
    const auto most =
        std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    right += most != votes.end() && most->first == genre_of(row);
  }
  EXPECT_GT(right, 1500 * 0.9);  // chance: one in twelve
}

TEST_F(World, OnATelevisionPeopleWatchLongerThingsThanOnAPhone) {
  double minutes[2] = {}, n[2] = {};
  for (size_t i = 0; i < log_->rows; ++i) {
    const auto& device = log_->text["device"][i];
    if (device != "phone" && device != "tv") continue;
    minutes[device == "tv"] += items_->number["minutes"][row_of(log_->text["item_id"][i])];
    ++n[device == "tv"];
  }
  EXPECT_GT(minutes[1] / n[1], minutes[0] / n[0] + 5);
}

TEST_F(World, ItemsThatUsersWouldLikeBestAreRatedAboveTheAverage) {
  const auto mean_rating = [&](const std::vector<std::string>& ids) {
    double sum = 0, n = 0;
    for (const auto& id : ids)
      if (!items_->text["rating"][row_of(id)].empty()) {
        sum += items_->number["rating"][row_of(id)];
        ++n;
      }
    return sum / n;
  };
  EXPECT_GT(mean_rating(truth_->text["item_id"]), mean_rating(items_->text["item_id"]) + 0.15);
  EXPECT_NEAR(static_cast<double>(std::count(items_->text["rating"].begin(), items_->text["rating"].end(), "")), 240,
              60);
}

TEST(WorldFiles, AreTheSameBytesForTheSameSeedOnAnyNumberOfThreadsAndOthersForAnother) {
  WorldOptions options = small();
  options.interactions = 3000;
  options.users = 150;
  options.items = 400;
  options.format = "csv";
  ThreadPool one(1), three(3);
  const auto a = simulate_world(one, options, folder("a")), b = simulate_world(three, options, folder("b"));
  options.seed = 8;
  const auto c = simulate_world(one, options, folder("c"));
  for (auto file : {&WorldSummary::interactions, &WorldSummary::items, &WorldSummary::users, &WorldSummary::truth,
                    &WorldSummary::exposure}) {
    EXPECT_EQ(read_file(a.*file), read_file(b.*file)) << a.*file;
    EXPECT_NE(read_file(a.*file), read_file(c.*file)) << a.*file;
  }
  EXPECT_TRUE(read_file(a.interactions).starts_with("user_id,item_id,ts,device,watched\n"));
  for (const char* name : {"a", "b", "c"}) std::filesystem::remove_all(folder(name));
}

TEST(WorldFiles, HaveWhatWasShownAndNotClickedWhenAskedFor) {
  WorldOptions options = small();
  options.interactions = 3000;
  options.users = 150;
  options.items = 400;
  ThreadPool pool(1);
  const auto without = simulate_world(pool, options, folder("without"));
  options.impressions = 1;
  const auto all = simulate_world(pool, options, folder("all"));
  options.impressions = 0.25;
  const auto some = simulate_world(pool, options, folder("some"));
  EXPECT_EQ(without.shown, "");
  EXPECT_EQ(read_file(without.interactions), read_file(all.interactions));
  File shown(all.shown), exposure(all.exposure);
  std::vector<double> of_item(400);
  for (const auto& id : shown.text["item_id"]) ++of_item[row_of(id)];
  for (size_t i = 0; i < 400; ++i)
    EXPECT_EQ(of_item[i], exposure.number["impressions"][i] - exposure.number["clicks"][i]) << i;
  EXPECT_TRUE(std::is_sorted(shown.time["ts"].begin(), shown.time["ts"].end()));
  EXPECT_NEAR(static_cast<double>(File(some.shown).rows) / static_cast<double>(shown.rows), 0.25, 0.03);
  for (const char* name : {"without", "all", "some"}) std::filesystem::remove_all(folder(name));
}

TEST(WorldOptions, FillInUsersAndItemsByTheNumberOfInteractions) {
  WorldOptions options;
  options.interactions = 90000;
  EXPECT_EQ(resolved(options).users, 3000);
  EXPECT_EQ(resolved(options).items, 6000);
}

TEST(WorldOptions, ThatCannotBeMetAreUsageErrorsThatSayWhatToDo) {
  const auto message = [](auto change) {
    WorldOptions options = small();
    change(options);
    try {
      resolved(options);
    } catch (const Error& error) {
      return fmt::format("{}: {}", exit_code(error.kind()), error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message([](auto& o) { o.interactions = 0; }), "2: interactions = 0 must lie between 1 and 100000000000");
  EXPECT_EQ(message([](auto& o) { o.withheld = 1.5; }), "2: withheld = 1.5 must lie between 0 and 0.9");
  EXPECT_EQ(message([](auto& o) { o.users = 100; }),
            "2: 60000 interactions of 100 users are 600 each, but with 3000 items a user clicks at most about 150; ask "
            "for fewer interactions, more users or more items");
  EXPECT_TRUE(message([](auto& o) { o.format = "xls"; }).starts_with("2: "));
  EXPECT_EQ(message([](auto&) {}), "no error");
}

TEST(WorldTitles, NeverJoinAWordWithItself) {
  Rng rng(1, Stream::test);
  int joined = 0;
  for (size_t i = 0; i < 20000; ++i) {
    const std::string title = make_title(i % kWorldTopics, rng);
    const size_t middle = title.find(" and the ");
    if (middle == std::string::npos) continue;
    ++joined;
    EXPECT_NE(title.substr(4, middle - 4), title.substr(middle + 9)) << title;
  }
  EXPECT_GT(joined, 2000);
}

}  // namespace
}  // namespace pagoda::simulate
