// The log of a training run: metrics.jsonl for programs, TensorBoard events for people, in one folder.
//
//   {"phase":"choose","step":1200,"epoch":3.0,"seconds":41.2,"loss":4.31,"examples_per_second":31200.0,
//    "validation":{"recall@20":0.171},"health":{"mean_cosine":0.08}}                        one object a line
//
// "validation" and "health" are left out if empty; a number that is not finite is null.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/tensorboard.h"

namespace pagoda::report {

struct RunRecord {
  std::string phase = {};  // "choose", "judge", "ship": which of the run's trainings; "": not said, as in version 0.1
  uint64_t step = 0;       // optimizer steps taken, by all of them
  double epoch = 0;        // epochs taken; a fraction within one
  double seconds = 0;      // of training, over all the resumes of the run
  double loss = 0;         // mean over the examples since the previous record
  double examples_per_second = 0;
  std::vector<NamedValue> validation = {};  // metrics on the validation part: {"recall@20", 0.171}
  std::vector<std::string> warnings = {};   // first record only: the warnings before it
  std::vector<NamedValue> health = {};  // of the training itself: temperature, mean pairwise cosine, accidental hits
};

std::string to_json_line(const RunRecord& record);  // without the newline

// The records of a metrics.jsonl. A last line without its newline (the process was killed while writing it) is left
// out. Error{failed} that names `what` and the line if any other line is not a record. null reads as NaN.
std::vector<RunRecord> parse_run_log(std::string_view jsonl, std::string_view what);

// Not thread-safe. Error{failed} names the file that cannot be written.
class RunLog {
 public:
  using Clock = std::function<double()>;  // seconds since 1970, for TensorBoard's time axis

  // Begins the log of a run: an earlier run's log in that folder is removed. With `resume_step` the run goes on from a
  // checkpoint that followed the record of that step: later lines, and a last line cut short, are removed.
  explicit RunLog(const std::string& folder, std::optional<uint64_t> resume_step = {}, Clock clock = system_seconds);

  void write(const RunRecord& record);  // handed to the system when it returns: a kill after it loses nothing
  const std::string& path() const { return path_; }
  static std::string file_name() { return "metrics.jsonl"; }
  static double system_seconds();

 private:
  std::string path_;
  Clock clock_;
  std::ofstream file_;
  std::optional<EventWriter> events_;
};

}  // namespace pagoda::report
