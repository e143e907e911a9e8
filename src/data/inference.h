// Guesses what the columns of a table are: for `pagoda init`, which proposes roles that a person may correct.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "columns/column.h"
#include "formats/reader.h"

namespace pagoda::data {

struct ColumnGuess {
  std::string name;
  columns::ColumnType type;  // of the values, in text formats, too: "12" is an integer
  uint64_t distinct = 0;     // in the sample
  double null_share = 0;
  double mean_length = 0;  // characters of its text
  char separator = '\0';   // of a multi-valued text column ('|', ';', ','): most cells have it, with short parts
  bool listed = false;     // most text cells are lists, such as [6285, 194]
  bool vectors = false;    // the cells are lists of numbers with fractions: quantities, and no words that recur
  double least = 0, most = 0, mean = 0;  // of its numbers
  double coincidence = 0;                // the chance that two of its cells hold the same value
  static constexpr size_t kMostCounted = 40;
  std::map<std::string, uint64_t> counts;   // the cells of each value, where there are no more than kMostCounted
  std::map<std::string, uint64_t> missing;  // words that usually mean missing, and the number of their cells
  std::string example;
  std::string role;      // interactions: "user", "item", "time", "weight", "context", ""
                         // tables: "id", "title", "text", "categorical", "multi", "numeric", "time", ""
  std::string reason;    // one phrase: why that role
  bool by_name = false;  // the role is told by the name, and not by place or values alone
};

struct TableGuess {
  std::vector<ColumnGuess> columns;
  uint64_t sampled_rows = 0;
  columns::Notices notices;                                 // from reading the sample
  const ColumnGuess* by_role(std::string_view role) const;  // the first of that role, or nullptr
};

// Both look at the first `sample_rows` rows.
TableGuess guess_interactions(const formats::ReaderOptions& options, size_t sample_rows = 200000);
TableGuess guess_table(const formats::ReaderOptions& options, size_t sample_rows = 200000);

}  // namespace pagoda::data
