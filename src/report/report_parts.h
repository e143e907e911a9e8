// The sections of the report's page, each a piece of HTML; "" if no model has anything to show in it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "report/report.h"
#include "report/report_evaluation.h"
#include "report/run_log.h"

namespace pagoda::report {

// A model with its texts parsed. Borrows the ReportModel. Its colour is the same throughout the page.
struct ReadModel {
  const ReportModel* given;
  std::optional<Evaluated> evaluation;
  std::vector<RunRecord> run;
  int color;
};
using ReadModels = std::span<const ReadModel>;

// Why figures of the models cannot be compared: different test rows, catalogues or rules. "": they can.
struct Incomparable {
  std::string words;     // a sentence or two
  bool certain = false;  // false: it is not known whether they can be compared
};
Incomparable find_incomparable(ReadModels models);

std::string accuracy_section(ReadModels models);    // table, recall@k curve
std::string baselines_cards(ReadModels models);     // part of it: a card a model
std::string learning_section(ReadModels models);    // loss, validation metrics
std::string popularity_section(ReadModels models);  // recall by popularity, what is recommended, coverage
std::string frequency_section(ReadModels models);   // estimated against exact
std::string examples_section(ReadModels models);
std::string config_section(ReadModels models);

// A chart in its card; the caption's second line may be empty.
std::string figure(const std::string& caption, const std::string& second_line, const std::string& svg);
// <h2> with its anchor, and a note below it that is HTML already.
std::string heading(const std::string& anchor, const std::string& title, const std::string& note_html);
// The models' cells of a table head, with their colours if there are several.
std::string model_heads(ReadModels models);
// "+63%", "-4.2%"; "" if there is nothing to compare with.
std::string change_text(double from, double to);

}  // namespace pagoda::report
