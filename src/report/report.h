// One self-contained HTML page about one model, or several side by side: their metrics, how they learned, whom they
// serve, and what they recommend. No script, no network; light or dark as the reader's system.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pagoda::report {

struct ReportItem {
  std::string id;
  std::string title = {};   // empty: the id is shown
  std::string detail = {};  // a quieter second part: a category, a year; may be empty
};

struct ReportCandidate {
  ReportItem item;
  double score = 0;
};

// One user with one model's answer. A candidate whose id is among the held-out ones is marked as a hit.
struct ReportExample {
  std::string user;
  std::vector<ReportItem> history = {};          // newest first
  std::vector<ReportItem> held_out = {};         // the user's test items
  std::vector<ReportCandidate> candidates = {};  // best first; the page shows the first twenty
};

// An item's click probability: counted exactly, and by the streaming estimator.
struct ReportFrequency {
  double exact = 0, estimated = 0;
};

struct ReportModel {
  std::string name;
  std::string fingerprint = {};
  std::string evaluation = {};                  // the text of `evaluate --json`; empty: not evaluated
  std::string run_log = {};                     // the text of metrics.jsonl; empty: none kept
  std::string config = {};                      // TOML
  std::optional<bool> uses_order = {};          // does the model look at the order of a user's list?
  std::vector<ReportFrequency> frequency = {};  // empty: no estimator
  std::vector<ReportExample> examples = {};     // users that several models share (by id) are shown together
};

struct ReportInput {
  std::string title = {};                                      // empty: the models' names
  std::string introduction = {};                               // a sentence or two; may be empty
  std::vector<std::pair<std::string, std::string>> data = {};  // facts: {"interactions", "1,027,370"}
  std::vector<ReportModel> models;  // at least one; the first is what others are compared with
};

// At most `most` of the items with a count above 0, evenly spread in the ascending order of their counts (equal ones by
// row). The lowest and the highest count are among them if `most` is 2 or more.
std::vector<uint32_t> spread_by_count(std::span<const uint64_t> counts, size_t most);

// The page. Text may hold anything (it is escaped). Error{failed} that names the model and the part if an evaluation or
// a run log cannot be parsed.
std::string render_report(const ReportInput& input);
// What the page says above the figures if they cannot be compared, or perhaps cannot; "" if they can.
std::string comparison_warning(const ReportInput& input);

}  // namespace pagoda::report
