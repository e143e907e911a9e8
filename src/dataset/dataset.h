// The data of a run: the log, its parts, the catalogue, the users, and each user's events in order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataset/earlier.h"
#include "dataset/options.h"
#include "features/item_encoder.h"
#include "features/user_encoder.h"

namespace pagoda::dataset {

// Each user's rows of some parts, in order of time (ties and data without time: in the order of the file).
struct Events {
  math::Ragged<uint32_t> items;   // per user: catalogue rows
  std::vector<int64_t> time_us;   // parallel to items.values
  std::vector<uint32_t> log_row;  // parallel
  std::vector<uint32_t> user;     // parallel: whose event it is
  size_t size() const { return items.values.size(); }
};

// Each user's events of one kind with a history of its own, in order of time as Events.
struct EventHistory {
  std::string kind;
  math::Ragged<uint32_t> items;  // per user: catalogue rows
  std::vector<int64_t> time_us;  // parallel to items.values; 0 without times
};

// Marks the events that are no examples: those that were learnt from before (by their log rows; `learnt` may be empty),
// and, if options skip repeats (skips_repeats()), those whose user has an earlier event of the same item. Empty if
// there is none of either kind.
std::vector<bool> skipped_events(const Options& options, const Events& events, const std::vector<bool>& learnt);
// How many of the events of each of `items` items are examples.
std::vector<uint64_t> example_counts(const std::vector<bool>& skipped, const Events& events, size_t items);
// The latest `count` events of each user.
Events latest_of(const Events& events, size_t count);
std::vector<EventHistory> latest_of(const std::vector<EventHistory>& histories, size_t count);

// Immutable after load.
struct Dataset {
  data::Interactions log;
  std::vector<data::Part> parts;  // per log row
  // What a training goes on from; nullptr: nothing. Its events are the first rows of the log, of the training part.
  std::shared_ptr<const Earlier> earlier;
  size_t earlier_rows = 0;
  std::string split_said;  // how the split was chosen, for people; may be empty
  std::optional<data::Attributes> item_table;
  std::shared_ptr<const data::Attributes> user_table;  // nullptr: there is none
  // The served items: the earlier model's, the item table's, then those of train and validation.
  columns::Interner catalogue;
  columns::Interner users;               // the earlier model's, then the users of train and validation
  uint32_t first_items = 0;              // how many of its items are known before any row: all but those of the log
  std::vector<uint32_t> item_row;        // per item of the log: its catalogue row, Interner::kNone outside of it
  std::vector<uint32_t> user_row;        // per user of the log, likewise
  int64_t train_end_us = 0, end_us = 0;  // latest time of train, and of train and validation

  bool trains(size_t row, bool with_validation) const {
    return parts[row] == data::Part::train || (with_validation && parts[row] == data::Part::validation);
  }
  std::vector<bool> rows_that_train(bool with_validation) const;  // marks them, per log row
  std::vector<bool> rows_of_earlier() const;                      // marks them, per log row; empty: there is none
  Events events(bool with_validation) const;                      // train, or train and validation
  // Per kind of event with a history of its own, what was known of each user (known_events.h).
  std::vector<EventHistory> event_histories(bool with_validation) const;
  std::vector<uint64_t> item_counts(bool with_validation) const;  // rows on each catalogue item, ever
  // Per user of `users`: the catalogue's items of its training rows, rising, each once.
  math::Ragged<uint32_t> items_of_users(bool with_validation) const;
  // Per user, likewise: what it was shown, as far as that is known (known_events.h), and never clicked in the parts.
  // Nothing if the data has no impressions.
  std::optional<math::Ragged<uint32_t>> impressions_of_users(bool with_validation) const;
  std::vector<uint64_t> user_counts(bool with_validation) const;
  std::vector<features::UserEncoder::Context> contexts(bool with_validation) const;  // borrows the log
};

// Reads the files, splits, builds catalogue and users. Error{usage} or Error{input} with the file or key at fault.
Dataset load_dataset(const DataOptions& options, std::shared_ptr<const Earlier> earlier = nullptr);
// The same data with nothing held out: every row belongs to the training part, and catalogue and users cover the whole
// log. Consumes `data`. They are numbered anew; or, as a training that goes on needs them, new ones follow those of
// `data`.
enum class Numbers : uint8_t { anew, kept };
Dataset with_all_rows(Dataset data, Numbers numbers);
// load_dataset() in two steps: the log, then everything else.
data::Interactions load_log(const DataOptions& options);
// user_table: the table that options.users names, if it is loaded already.
Dataset make_dataset(const DataOptions& options, data::Interactions log,
                     std::shared_ptr<const Earlier> earlier = nullptr,
                     std::shared_ptr<const data::Attributes> user_table = nullptr);
// Nothing if options.users names none. `times`: how those of the log are written.
std::shared_ptr<const data::Attributes> load_user_table(const DataOptions& options, columns::TimeForm times);

// The users' true items in one part, to judge lists by.
struct Relevant {
  std::vector<uint32_t> users;      // log users with at least one row in the part
  math::Ragged<uint32_t> items;     // per such user: catalogue rows, rising, each once
  std::vector<uint32_t> outside;    // per such user: how many of its items are not in the catalogue
  std::vector<uint32_t> first_row;  // per such user: the log's row of its earliest one in the part
};
Relevant relevant_items(const Dataset& data, data::Part part);
// The same for the rows of any log for which judged(row). item_row: per item of the log, its catalogue row or kNone.
Relevant relevant_items(const data::Interactions& log, std::span<const uint32_t> item_row,
                        const std::function<bool(size_t)>& judged);

// Identifies the distinct (user, item) pairs of the rows for which judged(row), in any order: the figures of two models
// are comparable if it is the same. "" without a row.
std::string fingerprint_of_rows(const data::Interactions& log, const std::function<bool(size_t)>& judged);

// How much of a part can be judged. A user without history before the part can be judged only as an unknown user; a
// pair that the user had before cannot be hit if lists leave repeats out.
struct EvaluationCoverage {
  uint64_t users = 0;               // with a row in the part
  uint64_t with_history = 0;        // of them: known from the rows before
  uint64_t reachable = 0;           // of these: with an item in the part that a list may hold
  uint64_t pairs = 0, repeats = 0;  // (user, item), of users with a history; those had before
};
EvaluationCoverage evaluation_coverage(const Dataset& data, const Relevant& validation, Repeats repeats);

}  // namespace pagoda::dataset
