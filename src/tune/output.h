// The output of a tuning: best.toml, trials.tsv and space.tsv for programs, tune.html and a table for people.
#pragma once

#include <string>

#include "train/whole_config.h"
#include "tune/tuning.h"

namespace pagoda::tune {

// Writes them to the folder. `config`: as it stands, with its paths as they were read. `path`: its file, to be named.
// Returns the table, for stdout.
std::string write_outcome(const Outcome& outcome, const train::WholeConfig& config, const std::string& path,
                          const std::string& folder);

// tune.html (page.cpp).
std::string tune_page(const Outcome& outcome, const dataset::Options& base, const std::string& path);

// "recall@20 of 250 users rises from 0.1234 to 0.1301 (+5.4%), 95% interval of the difference +0.0012 to +0.0110" and
// what that means; what stdout, best.toml and the page say.
std::vector<std::string> verdict(const Outcome& outcome);
// "+0.012", a difference in the unit of the metric.
std::string signed_text(double difference);

}  // namespace pagoda::tune
