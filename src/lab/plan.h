// The plan of a lab: a lab.toml, read into variants with their complete options.
//
//   base = "pagoda.toml"              the config that the variants share, or a table [base] with its sections
//   set = { "train.epochs" = 5 }      assignments over it, for all variants
//   seeds = [1, 2, 3]                 each variant is trained with each of them
//   metrics = ["recall@20"]           of the table; k = [20, 100]: lengths of the evaluated lists
//   tune = { "loss.temperature" = [0.05, 0.1] }     each variant takes the value that is best on validation
//
//   [[variant]]
//   name = "corrected"
//   set = { "loss.correction" = "standard" }        keys of the config
//   tune = { ... }                                  in place of the lab's
//   [[variant.sampling.negatives]]                  or whole sections; a list replaces the one of the base
//   source = "in_batch"
//
//   [[sweep]]                                       a variant for each value, for each combination of several keys
//   from = "corrected"                              what it starts from: the base when this is left out
//   over = { "loss.logq_weight" = [0.0, 0.5, 1.0] }
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataset/options.h"
#include "math/bootstrap.h"
#include "lab/differences.h"

namespace pagoda::lab {

struct LabOptions {
  std::string base;  // path as written; "" when the config stands in [base]
  std::vector<int64_t> seeds{1, 2, 3};
  std::vector<int64_t> k;            // lengths of lists; ascending and complete once the plan is read
  std::vector<std::string> metrics;  // of the table; the goals use the first recall
  std::string baseline;              // name of the variant that others are compared with
  double tail_tolerance = 0.05;      // how far below the best overall the best in the tail may be, as a share of it
  bool keep_models = true;           // false: only the results of a run are kept
  std::string truth;                 // the truth file of a world; "": none
  int64_t truth_good = 100;          // how many of a user's first true ranks are good items
  math::BootstrapOptions bootstrap;
};

// One combination of the values to tune.
struct Candidate {
  std::string label;   // "temperature=0.05"
  KeyValues settings;  // keys and values in words
  dataset::Options options;
};

struct Variant {
  std::string name, file_name;  // file_name: without characters that a file system refuses
  std::string family;           // of a sweep: its name and keys, "corrected,logq_weight"; "" for other variants
  std::string value;            // of a sweep: the value of this variant, "0.5"
  dataset::Options options;
  std::vector<Candidate> candidates;  // empty: nothing is tuned
};

struct Plan {
  std::string path;
  LabOptions lab;
  dataset::Options base;
  std::vector<Variant> variants;  // at least one; sweeps come after the others
  size_t baseline = 0;            // index into variants
};

// `set`: assignments over the base, "a.b=v". Error{usage} with file and line, before anything is trained: an unknown
// key with the nearest one, a variant named twice, options that validate() refuses.
Plan read_plan(const std::string& path, const std::vector<std::string>& set);

}  // namespace pagoda::lab
