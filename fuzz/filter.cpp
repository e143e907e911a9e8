// Compiles arbitrary text as a filter: it must give the same items by rows and by bitmaps, or be refused with
// Error{usage}.
#include <optional>

#include "core/error.h"
#include "filter/filter_index.h"
#include "fuzz/entry.h"

namespace pagoda {
namespace {

constexpr size_t kItems = 40;

// One column of each type, with null cells.
data::Attributes some_attributes() {
  data::Attributes table;
  const auto add = [&](const char* name, columns::ColumnType type) -> columns::Column& {
    auto& column = table.columns.emplace_back();
    column.name = name;
    column.type = type;
    return column;
  };
  for (size_t i = 0; i < kItems; ++i) table.ids.add("i" + std::to_string(i));
  table.columns.reserve(8);
  auto& year = add("year", columns::ColumnType::integer);
  auto& price = add("price", columns::ColumnType::real);
  auto& title = add("title", columns::ColumnType::text);
  auto& tags = add("tags", columns::ColumnType::texts);
  auto& sold = add("sold", columns::ColumnType::boolean);
  auto& released = add("released", columns::ColumnType::time);
  auto& digits = add("digits", columns::ColumnType::text);
  auto& exact = add("exact", columns::ColumnType::decimal);
  for (size_t i = 0; i < kItems; ++i) {
    const auto n = static_cast<int64_t>(i);
    i % 7 == 3 ? year.push_null() : year.push_integer(1980 + n);
    i % 5 == 2 ? price.push_null() : price.push_real(0.25 * static_cast<double>(n) - 3);
    i % 6 == 1 ? title.push_null() : title.push_text(i % 2 ? "A Bee" : "the \"sea\"");
    for (size_t t = 0; t < i % 3; ++t) tags.push_element(t ? "jam" : "tea");
    tags.end_list();
    i % 4 == 0 ? sold.push_null() : sold.push_integer(i % 2);
    i % 9 == 8 ? released.push_null() : released.push_integer(1'700'000'000'000'000 + n * 86'400'000'000);
    digits.push_text(std::to_string(n % 10));
    i % 8 == 2 ? exact.push_null() : exact.push_text("1844674407370955161" + std::to_string(n % 10) + ".5");
  }
  return table;
}

struct World {
  data::Attributes attributes = some_attributes();
  std::vector<uint32_t> rows = [] {
    std::vector<uint32_t> all;
    for (uint32_t i = 0; i < kItems; ++i) all.push_back(i);
    return all;
  }();
  filter::FilterIndex index{attributes, rows, kItems};
};

}  // namespace

void try_input(std::string_view text) {
  static World world;
  std::optional<filter::Filter> slow, quick;
  try {
    slow = filter::evaluate_filter_rowwise(text, world.attributes, world.rows, kItems);
  } catch (const Error& e) {
    check(e.kind() == ErrorKind::usage, "a wrong filter is the user's mistake");
  }
  try {
    quick = world.index.compile(text);
  } catch (const Error& e) {
    check(e.kind() == ErrorKind::usage, "a wrong filter is the user's mistake");
  }
  check(slow.has_value() == quick.has_value(), "rows and bitmaps take the same filters");
  if (!slow) return;
  check(slow->not_seen == quick->not_seen, "rows and bitmaps agree on what is seen");
  for (uint32_t i = 0; i < kItems; ++i)
    check(slow->items.has(i) == quick->items.has(i), "rows and bitmaps find the same items");
}

std::vector<std::string> seeds() {
  return {"year >= 1990 and price < 2.5 and not seen",
          "title = \"A Bee\" or tags in ('tea', \"jam\")",
          "released >= \"2023-11-20T10:00:00Z\" and not (sold or year not in (1981, 1e3))",
          "`digits` != 3 or digits <= '7'",
          "year is null or not digits is not null and exact <= 18446744073709551615.5",
          "price == -0.5 and sold = true and title != 'the \\\"sea\\\"'"};
}

}  // namespace pagoda
