// Evaluates a model by what its users would truly like, which only a simulated world knows (`pagoda simulate world`).
//
// Evaluated are the users of the truth with a history that the model knows. For each, the candidates are the catalogue
// without that history. Good items: the first `good` of the user's true ranks, without the history. Then
//   recall@K             good items among the first K candidates / good items: a test part cannot tell this, since it
//                        holds only what the logging recommender showed
//   never_shown_recall@K the same for the good items that no one was ever shown
//   never_shown_rank     the rank of these among the candidates: 0 first, 1 last, 0.5 by chance. With b candidates of
//                        higher and e others of equal score, (b + e / 2) / (candidates - 1). Mean per user, then over
//                        users; never_shown_rank_median: over all pairs of user and item
//   intrusion@K          share of the first K candidates that have no training row and that the truth does not list for
//                        the user: items that no negative pushed away, and that do not belong there
//   intrusion_by_chance  the share in a random order
// Sample-selection bias shows as a never_shown_rank far from 0 and an intrusion above chance.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "evaluate/bundle_evaluation.h"
#include "evaluate/user_table.h"

namespace pagoda::lab {

struct TrueItem {
  uint32_t item;  // of Truth::items
  bool shown;     // to anyone
};

struct Truth {
  columns::Interner items, users;
  math::Ragged<TrueItem> liked;  // per user, the most relevant first
};

// Reads the columns user_id, item_id, rank, shown, in any order of rows; other columns are ignored. Error{input}: no
// such file, a missing column or value, a rank twice.
Truth read_truth(const std::string& path);

// The truth with a bundle's numbers of users and items.
struct TruthUsers {
  std::vector<std::string> ids;
  std::vector<uint32_t> users;                         // rows of the bundle
  math::Ragged<uint32_t> listed;                       // the part of a user's truth in the catalogue, ascending
  math::Ragged<uint32_t> good, never_shown;            // ascending; not in the user's history
  std::vector<uint32_t> good_outside, unseen_outside;  // how many more are outside the catalogue
};
TruthUsers truth_users(const model::Bundle& bundle, const Truth& truth, int64_t good);

struct TruthReport {
  std::vector<size_t> ks;
  uint64_t users = 0, good = 0, never_shown = 0, outside_catalogue = 0;  // good and never_shown: pairs
  evaluate::AtK recall, never_shown_recall, intrusion;
  double never_shown_rank = 0, never_shown_rank_median = 0;  // NaN: there is no such pair
  double intrusion_by_chance = 0;
  evaluate::UserTable of_users;  // recall@K, never_shown_recall@K, intrusion@K, never_shown_rank
};

// `counts`: training rows of each item.
TruthReport evaluate_truth(ThreadPool& pool, math::MatrixView<const float> item_vectors,
                           math::MatrixView<const float> user_vectors, const model::UserStates& states,
                           const TruthUsers& truth, std::span<const uint64_t> counts, const std::vector<int64_t>& ks);
TruthReport evaluate_truth(ThreadPool& pool, const model::Bundle& bundle, const TruthUsers& truth,
                           const std::vector<int64_t>& ks);

std::string truth_json(const TruthReport& report);

}  // namespace pagoda::lab
