#include "model/user_states.h"

#include <algorithm>

#include "features/saved.h"
#include "model/request_examples.h"

namespace pagoda::model {

void UserStates::save(ByteWriter& out) const {
  features::save_ragged(out, histories);
  out.value<uint64_t>(context_names.size());
  for (size_t c = 0; c < context_names.size(); ++c) {
    out.text(context_names[c]);
    features::save_strings(out, context_values[c]);
    out.array(context[c]);
  }
  out.value(moment_us);
}

UserStates UserStates::load(ByteReader& in, size_t items) {
  UserStates s;
  s.histories = features::load_ragged<uint32_t>(in);
  for (auto item : s.histories.values)
    if (item >= items) in.damaged("a history points past the catalogue");
  const auto columns = in.value<uint64_t>();
  for (uint64_t c = 0; c < columns; ++c) {
    s.context_names.push_back(in.text());
    s.context_values.push_back(features::load_strings(in));
    s.context.push_back(in.array<uint32_t>());
    if (s.context.back().size() != s.size()) in.damaged("a context does not have a value for each user");
    for (auto value : s.context.back())
      if (value >= s.context_values.back().size() && value != columns::Interner::kNone)
        in.damaged("a context points past its values");
  }
  s.moment_us = in.value<int64_t>();
  return s;
}

RequestExamples::RequestExamples(const Model& model, const UserStates& states, std::span<const uint32_t> id_row_of_item,
                                 std::span<const UserRequest> requests)
    : context_(requests.size() * model.user_encoder.context_names().size()), examples_(requests.size()) {
  const auto& names = model.user_encoder.context_names();
  const size_t k = model.user_encoder.history_length();
  std::vector<size_t> column(names.size());
  for (size_t c = 0; c < names.size(); ++c)
    column[c] = static_cast<size_t>(std::find(states.context_names.begin(), states.context_names.end(), names[c]) -
                                    states.context_names.begin());
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    const bool known = r.user != columns::Interner::kNone;
    if (r.own_history) {
      histories_.values.insert(histories_.values.end(), r.history.begin(), r.history.end());
    } else {
      const auto items = known ? states.histories[r.user] : std::span<const uint32_t>();
      for (auto item : items.subspan(items.size() - std::min(items.size(), k)))
        histories_.values.push_back(id_row_of_item[item]);
    }
    histories_.values.insert(histories_.values.end(), r.recent.begin(), r.recent.end());
    histories_.close();
    for (size_t c = 0; c < names.size(); ++c) {
      auto& value = context_[i * names.size() + c];
      if (c < r.context.size() && !r.context[c].empty())
        value = r.context[c];
      else if (known && column[c] < states.context.size() &&
               states.context[column[c]][r.user] != columns::Interner::kNone)
        value = states.context_values[column[c]][states.context[column[c]][r.user]];
    }
  }
  for (size_t i = 0; i < requests.size(); ++i)
    examples_[i] = {.user = requests[i].cell,
                    .history = std::as_const(histories_)[i],
                    .stand_ins = requests[i].stand_ins.size() > 0 ? &requests[i].stand_ins : nullptr,
                    .context = std::span(context_).subspan(i * names.size(), names.size()),
                    .moment_us = requests[i].moment_us};
}

math::Matrix<float> request_vectors(ThreadPool& pool, const Model& model, const features::EncodedUsers& cells,
                                    const UserStates& states, std::span<const uint32_t> id_row_of_item,
                                    std::span<const UserRequest> requests) {
  const RequestExamples asked(model, states, id_row_of_item, requests);
  return user_vectors(pool, model, cells, asked.examples());
}

math::Matrix<float> known_user_vectors(ThreadPool& pool, const Model& model, const features::EncodedUsers& cells,
                                       const UserStates& states, std::span<const uint32_t> id_row_of_item,
                                       std::span<const uint32_t> users) {
  std::vector<UserRequest> requests(users.size());
  for (size_t i = 0; i < users.size(); ++i) {
    requests[i].user = requests[i].cell = users[i];
    requests[i].moment_us = states.moment_us;
  }
  return request_vectors(pool, model, cells, states, id_row_of_item, requests);
}

}  // namespace pagoda::model
