// The requests by which users are judged: what is known at the moment of each user's first judged row.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/interactions.h"
#include "model/bundle.h"

namespace pagoda::evaluate {

class JudgedRequests {
 public:
  JudgedRequests() = default;  // none: users are judged by their latest context before, at the moment of the state
  // Of user i: context and time of row rows[i] of the log.
  JudgedRequests(const data::Interactions& log, std::span<const uint32_t> rows);

  bool none() const { return users_ == 0; }
  bool nothing_known() const { return names_.empty() && moments_us_.empty(); }  // neither context nor time
  // Puts what is known of user i into the request to a model that reads these context columns; a null cell leaves the
  // user's latest value.
  void put(size_t i, const std::vector<std::string>& context_names, model::UserRequest& request) const;

 private:
  size_t users_ = 0;
  std::vector<std::string> names_;   // the log's context columns
  std::vector<std::string> values_;  // [users, names]
  std::vector<int64_t> moments_us_;  // per user; empty: the log has no times
};

// The vectors [users.size(), dim] of users by their rows in the bundle's user_ids(); kNone is an unknown user. User n
// is number rows[n] of `requests`.
math::Matrix<float> judged_user_vectors(ThreadPool& pool, const model::Bundle& bundle, const columns::Interner& ids,
                                        std::span<const uint32_t> users, const JudgedRequests& requests,
                                        std::span<const size_t> rows);

}  // namespace pagoda::evaluate
