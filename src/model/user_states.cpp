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
  if (event_names.empty()) return;
  out.value(events_until_us);
  out.value<uint64_t>(event_names.size());
  for (size_t kind = 0; kind < event_names.size(); ++kind) {
    out.text(event_names[kind]);
    features::save_ragged(out, event_histories[kind]);
  }
}

UserStates UserStates::load(ByteReader& in, size_t items) {
  UserStates s;
  const auto load_histories = [&] {
    auto histories = features::load_ragged<uint32_t>(in);
    for (auto item : histories.values)
      if (item >= items) in.damaged("a history points past the catalogue");
    return histories;
  };
  s.histories = load_histories();
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
  if (in.at_end()) return s;
  s.events_until_us = in.value<int64_t>();
  const auto kinds = in.value<uint64_t>();
  for (uint64_t kind = 0; kind < kinds; ++kind) {
    s.event_names.push_back(in.text());
    s.event_histories.push_back(load_histories());
    if (s.event_histories.back().size() != s.size()) in.damaged("a kind of event has no history for each user");
  }
  return s;
}

namespace {

void append(math::Ragged<uint32_t>& lists, const std::vector<uint32_t>& values) {
  lists.values.insert(lists.values.end(), values.begin(), values.end());
}

}  // namespace

RequestExamples::RequestExamples(const Model& model, const UserStates& states, std::span<const uint32_t> id_row_of_item,
                                 std::span<const UserRequest> requests)
    : context_(requests.size() * model.user_encoder.context_names().size()), examples_(requests.size()) {
  const auto& names = model.user_encoder.context_names();
  const auto& own = model.user_encoder.own_histories();
  const size_t k = model.user_encoder.history_length(), kinds = own.size();
  std::vector<size_t> event_history(kinds);  // of the states, by name
  for (size_t kind = 0; kind < kinds; ++kind)
    event_history[kind] =
        static_cast<size_t>(std::ranges::find(states.event_names, own[kind]) - states.event_names.begin());
  std::vector<size_t> column(names.size());
  for (size_t c = 0; c < names.size(); ++c)
    column[c] = static_cast<size_t>(std::find(states.context_names.begin(), states.context_names.end(), names[c]) -
                                    states.context_names.begin());
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    const bool known = r.user != columns::Interner::kNone;
    const auto add_known = [&](const math::Ragged<uint32_t>& of_users, math::Ragged<uint32_t>& to) {
      if (!known || r.own_history) return;
      const auto items = of_users[r.user];
      for (auto item : items.subspan(items.size() - std::min(items.size(), k)))
        to.values.push_back(id_row_of_item[item]);
    };
    if (r.own_history) append(histories_, r.history);
    add_known(states.histories, histories_);
    append(histories_, r.recent);
    histories_.close();
    for (size_t kind = 0; kind < kinds; ++kind) {
      if (const size_t of = event_history[kind]; of < states.event_histories.size())
        add_known(states.event_histories[of], event_histories_);
      if (kind < r.events.size()) append(event_histories_, r.events[kind]);
      event_histories_.close();
    }
    for (size_t c = 0; c < names.size(); ++c) {
      auto& value = context_[i * names.size() + c];
      if (c < r.context.size() && !r.context[c].empty())
        value = r.context[c];
      else if (known && column[c] < states.context.size() &&
               states.context[column[c]][r.user] != columns::Interner::kNone)
        value = states.context_values[column[c]][states.context[column[c]][r.user]];
    }
  }
  for (size_t list = 0; list < event_histories_.size(); ++list)
    events_.push_back(std::as_const(event_histories_)[list]);
  for (size_t i = 0; i < requests.size(); ++i)
    examples_[i] = {.user = requests[i].cell,
                    .history = std::as_const(histories_)[i],
                    .event_histories = std::span(events_).subspan(i * kinds, kinds),
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
