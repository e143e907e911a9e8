// The log of who clicked what, compact in memory: 20 bytes per row and 4 per context column; ids are numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "columns/interner.h"
#include "columns/time_form.h"
#include "data/bad_rows.h"
#include "data/event_kinds.h"
#include "formats/reader.h"

namespace pagoda::data {

struct InteractionOptions {
  std::vector<std::string> paths;
  files::Format format = files::Format::automatic;
  std::string user = "user_id", item = "item_id";
  std::string time;     // column names; "" if there is none
  std::string weight;   // reward r_i of each row, > 0
  std::string clicked;  // whether the row was clicked, or only shown (0, false, no); "": all were
  // Expressions (predicate/row_predicate.h). where: which rows are read at all; positive: which of them are positives,
  // as "rating >= 4". The others count as shown, like rows that `clicked` says were not clicked. "": all.
  std::string where, positive;
  std::string event;                 // column of the kind of event of a row; "": there is none
  std::vector<EventOptions> events;  // the kinds; a row is of the first that holds for it. Empty: all are positives
  std::vector<std::string> context;  // columns known at the moment of a request: device, format, place
  columns::TimeForm times;           // how times are written, if it is known
  bool trust_clock = false;          // accept every time, however far in the past or future
  std::optional<int64_t> now_us{};   // the present, for checking times; nothing: the system's clock
  columns::TableForm form{};
  BadRowOptions bad_rows;
};

// Rows that are no positives, in the order of the files. Their users and items are not numbered as those of the log.
struct OtherRows {
  columns::Interner users, items;
  std::vector<uint32_t> user, item;  // per row
  std::vector<int64_t> time_us;      // per row; empty when there is no time column
  std::string kind;                  // of event; "": shown
  size_t first_test = SIZE_MAX;      // rows from there on came with test files
  size_t size() const { return user.size(); }
};

// Rows in the order of the files. Users and items are numbered in order of first occurrence.
struct Interactions {
  columns::Interner users, items;
  std::vector<uint32_t> user, item;  // per row
  std::vector<int64_t> time_us;      // per row; empty when there is no time column
  columns::TimeForm times;           // how they were written, as far as it had to be known
  std::string times_said;            // the same in words: "numbers are seconds since 1970"; "" if there was no doubt
  std::vector<float> weight;         // per row; empty: all 1
  std::vector<std::string> context_names;
  std::vector<columns::Interner> context_values;  // per context column; a null cell is ""
  std::vector<std::vector<uint32_t>> context;     // per context column, per row
  // Whether the ids are integers: each is the text of an int64 as Pagoda writes it, and no file that tells texts from
  // numbers (Parquet, Arrow, JSON) held it as a text.
  bool integer_users = false, integer_items = false;
  OtherRows shown;                // what was shown and not clicked: `clicked`, `positive`, events of role negative
  std::vector<OtherRows> events;  // per kind of event that has_own_history()

  size_t size() const { return user.size(); }
  bool has_time() const { return !time_us.empty(); }
  int64_t time_of(size_t row) const { return time_us.empty() ? 0 : time_us[row]; }
  float weight_of(size_t row) const { return weight.empty() ? 1.f : weight[row]; }
};

Interactions log_with_context(const std::vector<std::string>& context_names);  // without a row

// Reads and checks all rows. Bad rows (handled by BadRowOptions): a user or item id that is empty or not UTF-8, a time
// that cannot be parsed or that no correct clock can have given (clock_bounds()), a weight that is not a finite number
// above 0, a context value that is not UTF-8. Nothing of a bad row is kept; rows that `where` leaves out, or that are
// of none of `events`, are not checked. Logs how many rows `where`, `events` and `positive` leave. Error{input}: no row
// is left, or dates do not show whether day or month comes first. Error{usage}: an expression that cannot be read, or
// does not fit a column.
Interactions load_interactions(const InteractionOptions& options);
// Appends the rows of other files (the test files of a `given` split) to `log`; returns the number of the first. Their
// times are read in the form of the log's times, if that is known.
size_t append_interactions(const InteractionOptions& options, Interactions& log);
// How a reader is asked for the columns of a log; some may be missing from `required`, and are null then.
formats::ReaderOptions reading_of(const InteractionOptions& options);
// What became of the records of a reader: those whose rows were appended, parallel to them, and those that are bad.
struct AppendedRows {
  std::vector<uint64_t> records;
  struct Bad {
    uint64_t record;
    std::string why;
  };
  std::vector<Bad> bad;
};
// Appends what `reader` gives, one file with the columns of reading_of(options), as a stream comes: no row may be left,
// and nothing is said but of bad rows, which `bad_rows` counts on.
AppendedRows append_rows(const InteractionOptions& options, std::unique_ptr<formats::Reader> reader, BadRows& bad_rows,
                         Interactions& log);
// Appends files of impressions to log.shown; the options weight, clicked, where, positive, event(s) and context are
// ignored.
void append_impressions(const InteractionOptions& options, Interactions& log);

}  // namespace pagoda::data
