// The result of one run of a lab, stored beside its bundle in the lab's folder:
//   NAME-SEED.json             config, evaluation, run log, truth; written last, so that it marks a finished run
//   NAME-SEED.users.parquet    the metrics of each test user
//   NAME-SEED.truth.parquet    the metrics of each user of the truth, if a truth was given
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "evaluate/evaluation.h"
#include "evaluate/user_table.h"

namespace pagoda::lab {

struct RunResult {
  std::string config;     // result_config() of the options it was trained with
  std::string judged_by;  // how it was evaluated: lengths of lists, truth
  std::string fingerprint;
  uint64_t epochs = 0;                     // for which the bundle was trained
  double seconds = 0;                      // of training
  evaluate::NamedMetrics validation = {};  // of the chosen model, on the validation part; empty: none was held out
  std::string evaluation;                  // JSON of `evaluate --json`
  std::string run_log;                     // the text of metrics.jsonl
  std::string truth = {};                  // JSON of truth_json; "" without a truth
  evaluate::UserTable users = {}, truth_users = {};
};

// The config of a run, as TOML, without what does not change the trained bits (threads, time between checkpoints) and
// without what the lab sets (lengths of lists): runs with equal texts are the same run.
std::string result_config(dataset::Options options);
// Whether a run of the config `written`, a result_config() of this version or an earlier one, is the run of `options`.
// A key that is missing in `written` had its default.
bool is_config_of(const std::string& written, const dataset::Options& options);

// Paths without an extension: "lab/plain-1".
void write_result(const std::string& stem, const RunResult& result);
// Nothing if there is none. Error{failed}: damaged, or a part of it is missing.
std::optional<RunResult> read_result(const std::string& stem);
void remove_result(const std::string& stem);

// The best epoch of a run by `choose_by`, with its metrics; empty without validation.
struct ChosenEpoch {
  evaluate::NamedMetrics metrics;
  double value = -1, epoch = 0;
};
ChosenEpoch chosen_epoch(const std::string& run_log, const std::string& choose_by);

}  // namespace pagoda::lab
