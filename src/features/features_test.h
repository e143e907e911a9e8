// What this room's tests share: a small table of items, and batches taken apart.
#pragma once

#include <gtest/gtest.h>

#include "data/attributes.h"
#include "features/encoded.h"
#include "formats/formats_test.h"

namespace pagoda::features {

inline columns::Interner interner(const std::vector<std::string>& words) {
  columns::Interner strings;
  for (const auto& w : words) strings.add(w);
  return strings;
}

inline columns::Column column_of(const std::string& name, const std::vector<std::string>& cells) {
  columns::Column c;
  c.name = name;
  for (const auto& cell : cells) cell == "<null>" ? c.push_null() : c.push_text(cell);
  return c;
}

inline data::Attributes table_of(const std::vector<std::string>& ids, std::vector<columns::Column> columns) {
  return {interner(ids), std::move(columns)};
}

using Rows32 = std::vector<uint32_t>;

// The list of example i of bag b, and its weights.
inline Rows32 list(const EncodedBatch& batch, size_t b, size_t i) {
  const auto rows = std::as_const(batch.bags[b].rows)[i];
  return {rows.begin(), rows.end()};
}
inline std::vector<float> weights(const EncodedBatch& batch, size_t b, size_t i) {
  const auto& bag = batch.bags[b];
  return {bag.weights.begin() + static_cast<ptrdiff_t>(bag.rows.offsets[i]),
          bag.weights.begin() + static_cast<ptrdiff_t>(bag.rows.offsets[i + 1])};
}

inline void expect_same(const EncodedBatch& a, const EncodedBatch& b) {
  ASSERT_EQ(a.size, b.size);
  ASSERT_EQ(a.bags.size(), b.bags.size());
  for (size_t i = 0; i < a.bags.size(); ++i) {
    EXPECT_EQ(a.bags[i].rows.offsets, b.bags[i].rows.offsets);
    EXPECT_EQ(a.bags[i].rows.values, b.bags[i].rows.values);
    EXPECT_EQ(a.bags[i].weights, b.bags[i].weights);
  }
  ASSERT_EQ(a.dense.cols(), b.dense.cols());
  EXPECT_TRUE(std::equal(a.dense.begin(), a.dense.end(), b.dense.begin()));
}

}  // namespace pagoda::features
