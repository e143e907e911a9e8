#include "filter/filter_index.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::filter {
namespace {

// 30,000 items in another order than their attributes; a tenth of the cells null, a tenth of the items without
// attributes, some attributes of items that are none of the catalogue.
class ManyItems : public testing::Test {
 protected:
  static constexpr size_t kItems = 30000;
  ManyItems() {
    Rng rng(1, Stream::test);
    const auto null = [&] { return rng.below(10) == 0; };
    columns::Column price, rank, released, year, author, tags, flag, label;
    price.name = "price";
    price.type = columns::ColumnType::real;
    rank.name = "rank";
    rank.type = columns::ColumnType::integer;
    released.name = "released";
    released.type = columns::ColumnType::time;
    year.name = "year";
    year.type = columns::ColumnType::integer;
    author.name = "author";
    tags.name = "tags";
    tags.type = columns::ColumnType::texts;
    flag.name = "flag";
    flag.type = columns::ColumnType::boolean;
    label.name = "label";  // different for each, a number in a text
    const size_t n = kItems * 9 / 10;
    for (size_t row = 0; row < n; ++row) {
      attributes_.ids.add("a" + std::to_string(row));
      null() ? price.push_null() : price.push_real(rng.below(50) == 0 ? std::nan("") : rng.normal());
      null() ? rank.push_null() : rank.push_integer(static_cast<int64_t>(row * 7 % n));
      null() ? released.push_null() : released.push_integer(static_cast<int64_t>(row) * 3600 * 1000000);
      null() ? year.push_null() : year.push_integer(1950 + static_cast<int64_t>(rng.below(70)));
      null() ? author.push_null() : author.push_text("author" + std::to_string(rng.below(1 + rng.below(3000))));
      if (null()) {
        tags.push_null();
      } else {
        for (size_t i = rng.below(4); i > 0; --i) tags.push_element("t" + std::to_string(rng.below(20)));
        tags.end_list();
      }
      null() ? flag.push_null() : flag.push_integer(static_cast<int64_t>(rng.below(2)));
      null() ? label.push_null() : label.push_text(std::to_string(row));
    }
    attributes_.columns = {price, rank, released, year, author, tags, flag, label};
    for (uint32_t row = 0; row < n; ++row) row_of_.push_back(row);
    rng.shuffle(std::span(row_of_));
    for (size_t row = 0; row < 100; ++row) row_of_[row] = columns::Interner::kNone;
    for (size_t row = 100; row < 5000; ++row)
      if (row_of_[row] < 2000) row_of_[row] += static_cast<uint32_t>(n);  // the far end of the catalogue
    index_ = std::make_unique<FilterIndex>(attributes_, row_of_, kItems);
  }

  size_t expect_as_row_by_row(const std::string& expression) {
    const auto wanted = evaluate_filter_rowwise(expression, attributes_, row_of_, kItems),
               found = index_->compile(expression);
    EXPECT_EQ(found.items.rows(), wanted.items.rows()) << expression;
    EXPECT_EQ(found.not_seen, wanted.not_seen) << expression;
    return wanted.items.count();
  }

  data::Attributes attributes_;
  std::vector<uint32_t> row_of_;
  std::unique_ptr<FilterIndex> index_;
};

TEST_F(ManyItems, EveryTestGivesTheSameItemsAsRowByRow) {
  const std::vector<std::string> tests{"price < 0",
                                       "price >= 1.5",
                                       "price = 0.25",
                                       "price != 0.25",
                                       "price <= -10",
                                       "price > -10",
                                       "rank < 3",
                                       "rank >= 13000",
                                       "rank = 777",
                                       "rank != 777",
                                       "rank in (1, 5, 20000, 99999999)",
                                       "rank not in (1, 5)",
                                       "rank > 100.5",
                                       "released >= '1971-01-01'",
                                       "released < '1970-02-01'",
                                       "released = '1970-01-02'",
                                       "released != '1970-01-02'",
                                       "year = 1999",
                                       "year >= 1990",
                                       "year in (1960, 1970)",
                                       "year not in (1960, 1970)",
                                       "year != 1980",
                                       "author = 'author1'",
                                       "author != 'author1'",
                                       "author > 'author5'",
                                       "author in ('author0', 'nobody')",
                                       "tags = 't3'",
                                       "tags != 't3'",
                                       "tags in ('t3', 't4')",
                                       "tags not in ('t3', 't4')",
                                       "flag",
                                       "flag = false",
                                       "flag != true",
                                       "label = 500",
                                       "label < 100",
                                       "label = '77'"};
  size_t matching = 0;
  for (const auto& test : tests) {
    matching += expect_as_row_by_row(test) > 0;
    expect_as_row_by_row("not " + test);
  }
  EXPECT_GT(matching, tests.size() * 3 / 4);
}

TEST_F(ManyItems, CombinationsToo) {
  Rng rng(2, Stream::test);
  const std::vector<std::string> tests{"price < 0",    "rank >= 13000",      "released < '1971-06-01'",
                                       "year >= 1990", "author > 'author2'", "tags in ('t3', 't4')",
                                       "flag",         "label < 9000"};
  const std::function<std::string(int)> make = [&](int depth) -> std::string {
    const auto kind = depth == 0 ? 0 : rng.below(4);
    if (kind == 0) return tests[rng.below(tests.size())];
    if (kind == 1) return "not (" + make(depth - 1) + ")";
    return "(" + make(depth - 1) + (kind == 2 ? " and " : " or ") + make(depth - 1) + ")";
  };
  for (int i = 0; i < 60; ++i) expect_as_row_by_row(make(4));
  expect_as_row_by_row("not seen and year >= 1990");
  expect_as_row_by_row("not seen");
}

TEST_F(ManyItems, GroupsAreTheDifferentValues) {
  for (const char* name : {"author", "year", "rank"}) {
    const auto groups = index_->groups(name);
    std::map<std::string, uint32_t> group_of_value;
    std::string scratch;
    const columns::Column& column = *attributes_.find(name);
    size_t none = 0;
    for (const uint32_t g : groups) none += g == columns::Interner::kNone;
    for (uint32_t row = 0; row < row_of_.size(); ++row) {
      if (row_of_[row] == columns::Interner::kNone || column.is_null(row)) continue;
      const uint32_t group = groups[row_of_[row]];
      ASSERT_NE(group, columns::Interner::kNone);
      ASSERT_EQ(group_of_value.try_emplace(std::string(column.as_text(row, scratch)), group).first->second, group);
    }
    std::set<uint32_t> different;
    for (const auto& [value, group] : group_of_value) different.insert(group);
    EXPECT_EQ(different.size(), group_of_value.size()) << name;
    EXPECT_GT(none, kItems / 10);
  }
}

TEST_F(ManyItems, AQuotaOverWhatCanNotBeCountedIsRefused) {
  const auto message = [&](const char* name) -> std::string {
    try {
      index_->groups(name);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(message("autor"), "unknown field 'autor' in quota; did you mean 'author'?");
  EXPECT_EQ(message("tags"), "field 'tags' is a list: a quota needs a column with one value per item");
}

}  // namespace
}  // namespace pagoda::filter
