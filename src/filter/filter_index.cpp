#include "filter/filter_index.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <optional>
#include <roaring/roaring.hh>

#include "core/suggest.h"
#include "predicate/column_tests.h"
#include "predicate/syntax.h"

namespace pagoda::filter {
namespace {

constexpr size_t kMaxValues = 1024;  // distinct values of a column of numbers; with more it gets zones
constexpr size_t kZoneItems = 4096;
constexpr size_t kFrequent = 256;  // a value with so many items has a bitmap

// The items for which a test holds, and those for which it does not; for the others it is unknown.
struct Truths {
  Roaring yes, no;
};

}  // namespace

class FilterIndex::ColumnSets {
 public:
  explicit ColumnSets(const columns::Column& column) : column_(column) {}

  // Builds the sets once, on the first thread that needs them. With a throttle it builds them aside and then installs
  // them, so that no thread waits for them while it yields.
  void arrange(std::span<const uint32_t> attribute_of, BackgroundThrottle* throttle) {
    if (throttle && !arranged_) {
      ColumnSets apart(column_);
      apart.make(attribute_of, throttle);
      std::call_once(once_, [&] { take(std::move(apart)); });
      return;
    }
    std::call_once(once_, [&] { make(attribute_of, nullptr); });
  }
  bool arranged() const { return arranged_; }

  Truths test(std::string_view expression, const predicate::FilterNode& node, std::span<const uint32_t> attribute_of,
              const ColumnSets* judge) const {
    if (node.test == predicate::FilterTest::is_null || node.test == predicate::FilterTest::is_not_null)
      return test_null(node);
    if (zones_.rows() > 0) return test_zones(expression, node, attribute_of);
    return test_values(expression, node, judge ? &*judge->tests_ : nullptr);
  }

  std::vector<uint32_t> groups(size_t items) const {
    std::vector<uint32_t> group_of(items, columns::Interner::kNone);
    columns::Interner groups;
    std::string scratch, key;
    for (uint32_t value = 0; value < lists_.size(); ++value) {
      const auto text = values_.as_text(value, scratch);
      if (text.empty()) continue;
      const uint32_t group = groups.add(columns::canonical_text(text, key));
      for (const uint32_t item : lists_[value]) group_of[item] = group;
    }
    return group_of;
  }
  bool has_values() const { return zones_.rows() == 0; }
  const columns::Column& column() const { return column_; }

 private:
  void make(std::span<const uint32_t> attribute_of, BackgroundThrottle* throttle) {
    // An earlier attempt may have run out of memory.
    all_ = {};
    known_ = {};
    values_ = {};
    lists_ = {};
    bitmap_of_ = {};
    bitmaps_ = {};
    zones_ = {};
    for (uint32_t item = 0; item < attribute_of.size(); ++item) {
      yield_every_64(throttle, item);
      if (is_known(attribute_of[item])) known_.add(item);
    }
    known_.runOptimize();
    all_.addRange(0, attribute_of.size());
    if (!arrange_values(attribute_of, throttle)) arrange_zones(attribute_of);
    tests_.emplace(zones_.rows() > 0 ? zones_ : values_);
    arranged_ = true;
  }
  void take(ColumnSets&& made) {
    all_ = std::move(made.all_);
    known_ = std::move(made.known_);
    values_ = std::move(made.values_);
    lists_ = std::move(made.lists_);
    bitmap_of_ = std::move(made.bitmap_of_);
    bitmaps_ = std::move(made.bitmaps_);
    zones_ = std::move(made.zones_);
    tests_.emplace(zones_.rows() > 0 ? zones_ : values_);  // borrows them at their final place
    arranged_ = true;
  }

  bool is_number() const {
    return column_.type == columns::ColumnType::integer || column_.type == columns::ColumnType::real ||
           column_.type == columns::ColumnType::time;
  }
  bool is_known(uint32_t row) const {
    return row != columns::Interner::kNone && !column_.is_null(row) &&
           (column_.type != columns::ColumnType::real || !std::isnan(column_.reals[row]));
  }

  // Returns false when there are too many distinct values.
  bool arrange_values(std::span<const uint32_t> attribute_of, BackgroundThrottle* throttle) {
    columns::Interner seen;
    std::vector<std::vector<uint32_t>> items_of;
    const auto note = [&](std::string_view key, uint32_t item) {
      const uint32_t value = seen.add(key);
      if (value == items_of.size()) items_of.emplace_back();
      if (items_of[value].empty() || items_of[value].back() != item) items_of[value].push_back(item);
      return value;
    };
    std::string scratch;
    values_ = column_.without_rows();
    for (uint32_t item = 0; item < attribute_of.size(); ++item) {
      yield_every_64(throttle, item);
      const uint32_t row = attribute_of[item];
      if (!is_known(row)) continue;
      const size_t before = items_of.size();
      switch (column_.type) {
        case columns::ColumnType::texts:
          column_.for_each_element(row, '\0', [&](std::string_view element) {
            const size_t known = items_of.size();
            note(element, item);
            if (items_of.size() > known) {
              values_.push_element(element);
              values_.end_list();
            }
          });
          continue;
        case columns::ColumnType::text:
        case columns::ColumnType::decimal: note(column_.text_of(row), item); break;
        case columns::ColumnType::real: {
          const double x = column_.reals[row] + 0.0;  // -0 and 0 are the same value
          note({reinterpret_cast<const char*>(&x), sizeof x}, item);
          break;
        }
        default: note({reinterpret_cast<const char*>(&column_.integers[row]), sizeof(int64_t)}, item); break;
      }
      if (items_of.size() > before) values_.push_cell(column_, row);
      if (is_number() && items_of.size() > kMaxValues) {
        values_ = {};
        return false;
      }
    }
    for (uint32_t value = 0; value < items_of.size(); ++value) {
      lists_.push(std::span<const uint32_t>(items_of[value]));
      if (items_of[value].size() < kFrequent) {
        bitmap_of_.push_back(kNone);
        continue;
      }
      bitmap_of_.push_back(static_cast<uint32_t>(bitmaps_.size()));
      bitmaps_.emplace_back(items_of[value].size(), items_of[value].data());
      bitmaps_.back().runOptimize();
    }
    return true;
  }

  // Two rows per zone: its minimum and its maximum; both null in a zone of nulls.
  void arrange_zones(std::span<const uint32_t> attribute_of) {
    zones_ = column_.without_rows();
    const auto less = [&](uint32_t a, uint32_t b) {
      return column_.type == columns::ColumnType::real ? column_.reals[a] < column_.reals[b]
                                                       : column_.integers[a] < column_.integers[b];
    };
    for (size_t begin = 0; begin < attribute_of.size(); begin += kZoneItems) {
      std::optional<uint32_t> least, largest;
      for (size_t item = begin; item < std::min(attribute_of.size(), begin + kZoneItems); ++item) {
        const uint32_t row = attribute_of[item];
        if (!is_known(row)) continue;
        if (!least || less(row, *least)) least = row;
        if (!largest || less(*largest, row)) largest = row;
      }
      for (const auto& end : {least, largest}) end ? zones_.push_cell(column_, *end) : zones_.push_null();
    }
  }

  Truths test_values(std::string_view expression, const predicate::FilterNode& node,
                     const predicate::ColumnTests* judge) const {
    // On a list, `!=` and `not in` mean that no element matches, the opposite of what one element's test says.
    auto plain = node;
    const bool opposite = column_.type == columns::ColumnType::texts &&
                          (node.test == predicate::FilterTest::not_equal || node.test == predicate::FilterTest::not_in);
    if (opposite)
      plain.test =
          node.test == predicate::FilterTest::not_equal ? predicate::FilterTest::equal : predicate::FilterTest::in;
    const auto truths = tests_->test(expression, plain, judge);
    Truths result;
    Roaring unknown;
    for (uint32_t value = 0; value < truths.size(); ++value) {
      if (truths[value] == predicate::kNo) continue;
      Roaring& into = truths[value] == predicate::kYes ? result.yes : unknown;
      if (bitmap_of_[value] != kNone)
        into |= bitmaps_[bitmap_of_[value]];
      else
        into.addMany(lists_[value].size(), lists_[value].data());
    }
    result.no = known_ - result.yes;
    result.no -= unknown;
    if (opposite) std::swap(result.yes, result.no);
    return result;
  }

  Truths test_zones(std::string_view expression, const predicate::FilterNode& node,
                    std::span<const uint32_t> attribute_of) const {
    // A zone is decided by an order if both ends agree. Equality is not, as a value in between may differ from both.
    const auto ends = tests_->test(expression, node);
    const bool order = node.test >= predicate::FilterTest::less && node.test <= predicate::FilterTest::greater_equal;
    std::vector<predicate::Truth> below, above;
    if (!order) {
      below = within(expression, node, predicate::FilterTest::less_equal);
      above = within(expression, node, predicate::FilterTest::greater_equal);
    }
    Truths result;
    columns::Column rows = column_.without_rows();  // of undecided zones
    std::vector<uint32_t> items;
    for (size_t zone = 0; 2 * zone < zones_.rows(); ++zone) {
      const size_t begin = zone * kZoneItems, end = std::min(attribute_of.size(), begin + kZoneItems);
      if (zones_.is_null(2 * zone)) continue;
      if (order && ends[2 * zone] == ends[2 * zone + 1]) {
        if (ends[2 * zone] == predicate::kYes) result.yes.addRange(begin, end);
        continue;
      }
      if (!order && !(below[zone] && above[zone])) {
        const bool negated =
            node.test == predicate::FilterTest::not_equal || node.test == predicate::FilterTest::not_in;
        if (negated) result.yes.addRange(begin, end);
        continue;
      }
      for (size_t item = begin; item < end; ++item)
        if (const uint32_t row = attribute_of[item]; is_known(row)) {
          items.push_back(static_cast<uint32_t>(item));
          rows.push_cell(column_, row);
        }
    }
    const auto truths = predicate::ColumnTests(rows).test(expression, node);
    for (size_t i = 0; i < items.size(); ++i)
      if (truths[i] == predicate::kYes) result.yes.add(items[i]);
    result.yes &= known_;
    result.no = known_ - result.yes;
    return result;
  }

  Truths test_null(const predicate::FilterNode& node) const {
    Truths result{.yes = all_ - known_, .no = known_};
    for (uint32_t value = 0; value < lists_.size(); ++value) {
      if (column_.type != columns::ColumnType::text || !values_.text_of(value).empty()) continue;
      result.yes.addMany(lists_[value].size(), lists_[value].data());
      result.no -= result.yes;
    }
    if (node.test == predicate::FilterTest::is_not_null) std::swap(result.yes, result.no);
    return result;
  }

  // For each zone, whether one of the values may lie on that side of one of its ends.
  std::vector<predicate::Truth> within(std::string_view expression, const predicate::FilterNode& node,
                                       predicate::FilterTest test) const {
    std::vector<predicate::Truth> may(zones_.rows() / 2, 0);
    for (const auto& value : node.values) {
      predicate::FilterNode one = node;
      one.test = test;
      one.values = {value};
      const auto truths = tests_->test(expression, one);
      for (size_t zone = 0; zone < may.size(); ++zone)
        may[zone] |= truths[2 * zone + (test == predicate::FilterTest::greater_equal)] == predicate::kYes;
    }
    return may;
  }

  static constexpr uint32_t kNone = UINT32_MAX;
  const columns::Column& column_;
  std::once_flag once_;
  std::atomic<bool> arranged_ = false;
  Roaring all_, known_;
  columns::Column values_;        // each distinct value (for lists: each element, as a list of one)
  math::Ragged<uint32_t> lists_;  // items of each value, ascending
  std::vector<uint32_t> bitmap_of_;
  std::vector<Roaring> bitmaps_;
  columns::Column zones_;
  std::optional<predicate::ColumnTests> tests_;  // over the zones, or over the values
};

class FilterIndex::Evaluator {
 public:
  Evaluator(const FilterIndex& index, std::string_view expression, const FilterIndex* judge)
      : index_(index), expression_(expression), judge_(judge) {}

  Truths evaluate(const predicate::FilterNode& node) const {
    switch (node.kind) {
      case predicate::FilterNode::Kind::seen: predicate::fail_seen(expression_, node.at);
      case predicate::FilterNode::Kind::test: {
        const auto& column = filter_column(expression_, node, index_.attributes_);
        const columns::Column* other = judge_ ? judge_->attributes_.find(node.field) : nullptr;
        return index_.sets(column).test(expression_, node, index_.attribute_of_,
                                        other ? &judge_->sets(*other) : nullptr);
      }
      case predicate::FilterNode::Kind::negation: {
        auto truths = evaluate(node.children[0]);
        std::swap(truths.yes, truths.no);
        return truths;
      }
      case predicate::FilterNode::Kind::all_of:
      case predicate::FilterNode::Kind::any_of: break;
    }
    auto truths = evaluate(node.children[0]);
    for (size_t c = 1; c < node.children.size(); ++c) {
      const auto more = evaluate(node.children[c]);
      if (node.kind == predicate::FilterNode::Kind::all_of) {
        truths.yes &= more.yes;
        truths.no |= more.no;
      } else {
        truths.yes |= more.yes;
        truths.no &= more.no;
      }
    }
    return truths;
  }

 private:
  const FilterIndex& index_;
  std::string_view expression_;
  const FilterIndex* judge_;
};

FilterIndex::FilterIndex(const data::Attributes& attributes, std::span<const uint32_t> row_of, size_t items)
    : attributes_(attributes), items_(items), attribute_of_(items, columns::Interner::kNone) {
  check(row_of.size() == attributes.rows(), "each attribute row has its item row");
  for (uint32_t row = 0; row < row_of.size(); ++row) {
    if (row_of[row] == columns::Interner::kNone) continue;
    check(row_of[row] < items, "row_of holds item rows of the catalogue");
    attribute_of_[row_of[row]] = row;
  }
  for (const auto& column : attributes.columns) columns_.push_back(std::make_unique<ColumnSets>(column));
}

FilterIndex::~FilterIndex() = default;

const FilterIndex::ColumnSets& FilterIndex::sets(const columns::Column& column, BackgroundThrottle* throttle) const {
  auto& sets = *columns_[static_cast<size_t>(&column - attributes_.columns.data())];
  sets.arrange(attribute_of_, throttle);
  return sets;
}

std::vector<std::string> FilterIndex::arranged() const {
  std::vector<std::string> names;
  for (const auto& sets : columns_)
    if (sets->arranged()) names.push_back(sets->column().name);
  return names;
}

void FilterIndex::arrange(std::span<const std::string> columns, BackgroundThrottle* throttle) const {
  for (const auto& name : columns)
    if (const auto* column = attributes_.find(name)) sets(*column, throttle);
}

Filter FilterIndex::compile(std::string_view expression, const FilterIndex* judge) const {
  predicate::FilterNode root = predicate::parse_filter(expression);
  Filter filter;
  if (!predicate::take_not_seen(root, filter.not_seen)) {
    filter.items = math::ItemSet(items_, true);
    return filter;
  }
  filter.items = math::ItemSet(items_);
  const auto yes = Evaluator(*this, expression, judge).evaluate(root).yes;
  std::vector<uint32_t> rows(yes.cardinality());
  yes.toUint32Array(rows.data());
  for (const uint32_t row : rows) filter.items.add(row);
  return filter;
}

std::vector<uint32_t> FilterIndex::groups(std::string_view name) const {
  const columns::Column* column = attributes_.find(name);
  if (!column)
    fail(ErrorKind::usage, "unknown field '{}' in quota{}", name, suggestion(std::string(name), attributes_.names()));
  if (column->type == columns::ColumnType::texts)
    fail(ErrorKind::usage, "field '{}' is a list: a quota needs a column with one value per item", name);
  const auto& arranged = sets(*column);
  if (arranged.has_values()) return arranged.groups(items_);
  std::vector<uint32_t> group_of(items_, columns::Interner::kNone);
  columns::Interner values;
  std::string scratch;
  for (size_t item = 0; item < items_; ++item)
    if (const uint32_t row = attribute_of_[item]; row != columns::Interner::kNone && !column->is_null(row))
      group_of[item] = values.add(column->as_text(row, scratch));
  return group_of;
}

}  // namespace pagoda::filter
