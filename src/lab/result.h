// What one run of a lab came to, beside its bundle in the lab's folder:
//   NAME-SEED.json             config, evaluation, run log, truth; written last, so that it stands for a finished run
//   NAME-SEED.users.parquet    the metrics of each test user
//   NAME-SEED.truth.parquet    of each user of the truth, where a truth was given
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "evaluate/evaluation.h"
#include "lab/user_table.h"

namespace pagoda::lab {

struct RunResult {
  std::string config;     // result_config() of the options it was trained with
  std::string judged_by;  // what it was judged by: lengths of lists, truth
  std::string fingerprint;
  uint64_t epochs = 0;  // that the bundle was trained for
  double seconds = 0;   // of training
  evaluate::NamedMetrics validation =
      {};                  // of the model that was chosen, on the validation part; empty: none was held out
  std::string evaluation;  // JSON of `evaluate --json`
  std::string run_log;     // the text of metrics.jsonl
  std::string truth = {};  // JSON of truth_json; "" without a truth
  UserTable users = {}, truth_users = {};
};

// The config of a run, as TOML, without what does not change the trained bits (threads, time between checkpoints) or is
// the lab's to say (lengths of lists): runs of equal text are the same run.
std::string result_config(dataset::Options options);
// Whether a run of the config `written`, a result_config() of this version or of an earlier one, is the run of `options`:
// a key that it does not have had its default.
bool is_config_of(const std::string& written, const dataset::Options& options);

// Paths without an extension: "lab/plain-1".
void write_result(const std::string& stem, const RunResult& result);
// Nothing when there is none. Error{failed}: damaged, or a part of it is missing.
std::optional<RunResult> read_result(const std::string& stem);
void remove_result(const std::string& stem);

// The metrics of the best epoch of a run by `choose_by`, and that epoch; empty without validation.
struct ChosenEpoch {
  evaluate::NamedMetrics metrics;
  double value = -1, epoch = 0;
};
ChosenEpoch chosen_epoch(const std::string& run_log, const std::string& choose_by);

}  // namespace pagoda::lab
