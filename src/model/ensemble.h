// An ensemble: several models over one catalogue in one bundle, with one index.
//
// With unit vectors of user and item from models i = 1 .. n and weights a_i >= 0 ("Embedding-based retrieval in
// Facebook Search", KDD 2020, section 6.2):
//   E_Q = [a_1 V_1/|V_1| ... a_n V_n/|V_n|],   E_D = [U_1/|U_1| ... U_n/|U_n|],   <E_Q, E_D> = sum_i a_i cos(V_i, U_i)
// A zero vector has cosine 0 with everything. Temperatures and biases of training have no effect.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/bundle.h"

namespace pagoda::model {

struct EnsemblePart {
  std::shared_ptr<const Bundle> bundle;  // not of bare vectors; of an ensemble, all members take part
  double weight;                         // of a member of an ensemble: times its weight there
};

// Error{usage}: no parts, bare vectors, a weight that is negative or not finite, or only zero weights. Error{input}: a
// catalogue that lacks an item of another; names the item and the bundles.
void check_ensemble(const std::vector<EnsemblePart>& parts);

// Catalogue (whose order breaks ties), item counts, attributes, frequency state and config are the first bundle's. The
// others have the same items, in any order. `version`: of the program. The same parts give the same bytes. Errors of
// check_ensemble().
void write_ensemble(const std::string& path, const std::vector<EnsemblePart>& parts, const std::string& version);

// The bundle's vectors [n, dim] from those of its members; vectors_of(member) returns [n, member.dim()].
using MemberVectors = std::function<math::Matrix<float>(const Member&)>;
math::Matrix<float> joined_user_vectors(ThreadPool& pool, const Bundle& bundle, const MemberVectors& vectors_of);
math::Matrix<float> joined_item_vectors(ThreadPool& pool, const Bundle& bundle, const MemberVectors& vectors_of);

// The vectors of users by their rows in `ids`; Interner::kNone is an unknown user. A member encodes a user that it does
// not know as an unknown user.
math::Matrix<float> known_user_vectors(ThreadPool& pool, const Bundle& bundle, const columns::Interner& ids,
                                       std::span<const uint32_t> users);

}  // namespace pagoda::model
