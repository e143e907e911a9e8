// A bundle judged by interactions it has not seen.
#pragma once

#include <string>
#include <vector>

#include "train/evaluation.h"

namespace pagoda {

// Users with their true items, as the bundle numbers them.
struct TestUsers {
  std::vector<std::string> ids;
  std::vector<uint32_t> users;    // row in the bundle, kNone: the bundle does not know the user
  Ragged<uint32_t> items;         // catalogue rows, rising, each once
  std::vector<uint32_t> outside;  // items that the catalogue does not have
};

// The test part of the data the bundle was trained on (read again, split again), or all rows of `files`.
TestUsers test_users(const Bundle& bundle, const Options& options, const std::vector<std::string>& files);

struct Judgement {
  RankingReport known;      // users the bundle has a history of
  RankingReport strangers;  // the others: answered as anyone unknown is
  double seconds = 0;       // user vectors, search and metrics; without reading files
  std::string json;         // INTERFACE: `evaluate --json`
};
// With `second`, the cascade of the two is judged: the second puts the best rescore_from in order. Error{usage}: one of ks
// is greater than that.
Judgement judge(ThreadPool& pool, const Bundle& bundle, const TestUsers& test, const std::vector<int64_t>& ks,
                const Bundle* second = nullptr, size_t rescore_from = 0);

// The options a bundle was trained with, `set` assignments laid over.
Options bundle_options(const Bundle& bundle, const std::vector<std::string>& set);

}  // namespace pagoda
