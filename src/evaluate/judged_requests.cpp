#include "evaluate/judged_requests.h"

#include <algorithm>

#include "model/ensemble.h"

namespace pagoda::evaluate {

JudgedRequests::JudgedRequests(const data::Interactions& log, std::span<const uint32_t> rows)
    : users_(rows.size()), names_(log.context_names) {
  values_.reserve(rows.size() * names_.size());
  for (const uint32_t row : rows) {
    for (size_t c = 0; c < names_.size(); ++c) values_.emplace_back(log.context_values[c][log.context[c][row]]);
    if (log.has_time()) moments_us_.push_back(log.time_us[row]);
  }
}

void JudgedRequests::put(size_t i, const std::vector<std::string>& context_names, model::UserRequest& request) const {
  if (none()) return;
  request.context.resize(context_names.size());
  for (size_t c = 0; c < context_names.size(); ++c) {
    const auto at = std::ranges::find(names_, context_names[c]);
    if (at == names_.end()) continue;
    request.context[c] = values_[i * names_.size() + static_cast<size_t>(at - names_.begin())];
  }
  if (!moments_us_.empty()) request.moment_us = moments_us_[i];
}

math::Matrix<float> judged_user_vectors(ThreadPool& pool, const model::Bundle& bundle, const columns::Interner& ids,
                                        std::span<const uint32_t> users, const JudgedRequests& requests,
                                        std::span<const size_t> rows) {
  if (requests.none()) return model::known_user_vectors(pool, bundle, ids, users);
  return model::joined_user_vectors(pool, bundle, [&](const model::Member& member) {
    const auto& names = member.model.user_encoder.context_names();
    std::vector<model::UserRequest> asked(users.size());
    for (size_t n = 0; n < users.size(); ++n) {
      auto& request = asked[n];
      if (users[n] != columns::Interner::kNone)
        request.user = request.cell = &ids == &member.user_ids ? users[n] : member.user_ids.find(ids[users[n]]);
      request.moment_us = member.user_states.moment_us;
      requests.put(rows[n], names, request);
    }
    return model::request_vectors(pool, member.model, member.user_cells, member.user_states, member.item_id_rows,
                                  asked);
  });
}

}  // namespace pagoda::evaluate
