// The whole config: every section that training reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/attributes.h"
#include "data/interactions.h"
#include "data/split.h"
#include "loss/loss.h"
#include "model/bundle.h"
#include "nn/optimizer.h"
#include "sampling/frequency.h"
#include "sampling/mixture.h"
#include "sampling/negatives.h"

namespace pagoda::dataset {

struct DataOptions {
  std::vector<std::string> interactions;  // files, globs
  std::string format = "auto";
  std::string user = "user_id", item = "item_id", time, weight;  // columns; "" where there is none
  std::vector<std::string> context;
  std::string clicked;          // column: whether the row was clicked or only shown; "": all were clicked
  std::string where, positive;  // expressions: which rows are read, which of them are positives; "": all
  std::string event;            // column of the kinds of events; "": there is none
  std::vector<data::EventOptions> events;
  std::vector<std::string> impressions;  // files of what was shown and not clicked
  std::string items, items_id;           // the item table and its id column ("": as in the interactions)
  std::string users, users_id;
  std::vector<std::string> item_vectors, user_vectors;  // files of vectors, each a column of the table
  // Not keys: the columns that features of kind = "vector" read, which describe() finds out.
  std::vector<std::string> item_vector_columns, user_vector_columns;
  columns::TableForm form{.keys = "data."};  // of the log, its test files and impressions
  std::string items_format = "auto", users_format = "auto";
  columns::TableForm items_form{.keys = "data.items_form."}, users_form{.keys = "data.users_form."};
  columns::TimeForm times;   // how the log's are written
  bool trust_clock = false;  // accept any time of a row
  data::SplitOptions split;
  data::BadRowOptions bad_rows;
};

struct SamplingOptions {
  double downsample_positives = 0;  // t of PositiveDownsampling; 0: off
  sampling::CorrectBy correct_by = sampling::CorrectBy::mixture;
  sampling::FrequencyOptions frequency;
  std::vector<sampling::NegativesOptions> negatives{{.source = "in_batch"}, {.source = "uniform", .count = 1024}};
};

enum class TrainingRows {
  interaction,  // a row of the log is an example
  user,         // a user is an example, with all its targets at once
};
enum class HistoryMode {
  before,  // what the user did strictly before the target
  others,  // everything of the user but the target: for data without time
};
enum class Targets {
  half,    // rows = user: a random half of the user's items is history, the other half targets
  window,  // rows = user: a random moment; before it is history, `target_window` from it targets
};
enum class Order {
  shuffled,
  time,
  sequences,  // users shuffled, the rows of each in their order
};
// Whether a row is an example if the user had its item before (rows = "interaction"). Lists that leave out what a user
// had are judged by new items alone.
enum class LearnRepeats : uint8_t {
  automatic,  // as evaluate.repeats: `keep` learns them
  skip,
  learn,
};

// Which model is written after the validation part has chosen the number of epochs.
enum class Refit : uint8_t {
  none,        // the chosen model, which trained on the training part
  all,         // one refit with all rows (RefitBy); the model of `validation` is judged in its place
  validation,  // one refit with train and validation
};

// How a model is refit.
enum class RefitBy : uint8_t {
  automatic,  // going_on where the log is cut by time, anew otherwise
  anew,       // from random weights, with all of its rows
  going_on,   // from the model before it, with the rows that this one did not have
};

struct TrainOptions {
  TrainingRows rows = TrainingRows::interaction;
  HistoryMode history = HistoryMode::before;
  Targets targets = Targets::half;
  std::string target_window = "30d";
  LearnRepeats repeats = LearnRepeats::learn;
  double user_balance = 0.0;        // a user's n examples or targets weigh n^-user_balance each
  double target_recency = 0.0;      // rows = user: the target of age n (0 the user's latest event) weighs (1 + n)^-this
  std::string half_life;            // of a row's weight, by its age (find_half_life): a duration, "auto", or "": none
  bool mask_history_items = false;  // what the user had before is no negative
  Order order = Order::shuffled;
  int64_t batch = 4096;
  int64_t epochs = 20;
  nn::OptimizerOptions optimizer;
  std::string choose_by = "recall@100";  // the validation metric that chooses the model
  int64_t patience = 3;                  // evaluations without a better value before it stops
  int64_t evaluate_every = 1;            // epochs
  Refit refit = Refit::all;
  RefitBy refit_by = RefitBy::anew;
  uint64_t seed = 1;
  int64_t threads = 0;
  int64_t checkpoint_seconds = 60;
  bool keep_state = true;  // beside the bundle, for a training that goes on from it
};

// Items that a user had before: left out of the lists, so that a return to one counts as a miss; or kept in.
enum class Repeats { miss, keep };
std::string_view name_of(Repeats repeats);
// What is known of the user at the moment of judgement. last: the context of the latest row before the judged part, and
// the time at which training ends. request: context and time of the user's first judged row, as a request would bring
// them.
enum class JudgedContext { last, request };
std::string_view name_of(JudgedContext context);

struct EvaluateOptions {
  std::vector<int64_t> k{20, 100, 1000};
  Repeats repeats = Repeats::miss;
  JudgedContext context = JudgedContext::last;
  bool baselines = true;
};

struct Options {
  DataOptions data;
  model::TowerOptions towers;
  loss::LossOptions loss;
  SamplingOptions sampling;
  TrainOptions train;
  model::NeighbourOptions neighbours;
  EvaluateOptions evaluate;
};

// Whether a user's later rows of an item are no examples (rows = "interaction").
bool skips_repeats(const Options& options);
// Whether a model is refit by going on from the one before it (RefitBy).
bool refits_going_on(const Options& options);
// Whether a transformer reads the history of each row anew where one pass could serve a user's rows (Order::sequences).
bool reads_histories_apart(const Options& options);

void describe(OptionVisitor& fields, Options& options);
void name_vector_columns(Options& options);   // sets data.item_vector_columns and data.user_vector_columns
void name_event_histories(Options& options);  // sets towers.user.event_kinds
void validate(const Options& options);        // Error{usage}, with the key
void at_least(const char* key, int64_t value, int64_t least);  // Error{usage}: it is less
std::string to_toml(const Options& options, bool with_comments);

// The options as a run records them to resume by. Keys added after version 0.1.0 appear only if they are not at their
// defaults, so that a run begun by an older version can be resumed.
std::string resume_record(const Options& options);

// The part of the config that the log's loader reads.
data::InteractionOptions interaction_options(const DataOptions& data);

}  // namespace pagoda::dataset
