// The log of who clicked what, compact and in memory: 20 bytes a row and 4 a context column, ids as numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "columns/interner.h"
#include "columns/time_form.h"
#include "data/bad_rows.h"
#include "formats/reader.h"

namespace pagoda::data {

struct InteractionOptions {
  std::vector<std::string> paths;
  files::Format format = files::Format::automatic;
  std::string user = "user_id", item = "item_id";
  std::string time;                  // column names; "" where there is none
  std::string weight;                // reward r_i of each row, > 0
  std::string clicked;               // whether the row was clicked, or shown alone (0, false, no); "": all were
  std::vector<std::string> context;  // columns known at the moment of a request: device, format, place
  columns::TimeForm times;           // how they are written, where it is known
  bool trust_clock = false;          // every time is taken as it stands, whenever that is
  std::optional<int64_t> now_us;     // the clock that times are checked by; nothing: the system's
  columns::TableForm form{};
  BadRowOptions bad_rows;
};

// What was shown and not clicked, in the order of the files; users and items of it are not part of the log.
struct Impressions {
  columns::Interner users, items;
  std::vector<uint32_t> user, item;  // per row
  std::vector<int64_t> time_us;      // per row; empty when there is no time column
  size_t size() const { return user.size(); }
};

// Rows in the order of the files. Users and items are numbered in order of first sight.
struct Interactions {
  columns::Interner users, items;
  std::vector<uint32_t> user, item;  // per row
  std::vector<int64_t> time_us;      // per row; empty when there is no time column
  columns::TimeForm times;           // how they were written, as far as it had to be known
  std::string times_said;            // the same in words: "numbers are seconds since 1970"; "" where there was no doubt
  std::vector<float> weight;         // per row; empty: all 1
  std::vector<std::string> context_names;
  std::vector<columns::Interner> context_values;      // per context column; a null cell is the value ""
  std::vector<std::vector<uint32_t>> context;         // per context column, per row
  bool integer_users = false, integer_items = false;  // whether the columns of ids held integers
  Impressions shown;                                  // the rows that InteractionOptions::clicked says were not clicked

  size_t size() const { return user.size(); }
  bool has_time() const { return !time_us.empty(); }
  int64_t time_of(size_t row) const { return time_us.empty() ? 0 : time_us[row]; }
  float weight_of(size_t row) const { return weight.empty() ? 1.f : weight[row]; }
};

// Reads and checks all rows. Bad rows (each by BadRowOptions): a user or item id that is empty or not UTF-8, a time
// that is none or that no clock that goes right can have said (clock_bounds()), a weight that is no finite number above
// 0, a context value that is not UTF-8. Nothing of a bad row is kept. Error{input} when no row is left, or when dates do
// not tell whether day or month comes first.
Interactions load_interactions(const InteractionOptions& options);
// Appends the rows of other files (the test file of a `given` split) to `log`; returns the number of the first. Their times
// are read in the form of the log's, where that is known.
size_t append_interactions(const InteractionOptions& options, Interactions& log);
// Appends files of impressions to log.shown; of the options it reads all but weight, clicked and context.
void append_impressions(const InteractionOptions& options, Interactions& log);

}  // namespace pagoda::data
