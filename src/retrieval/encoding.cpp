#include "retrieval/encoding.h"

#include <algorithm>
#include <numeric>

#include "retrieval/request_table.h"

namespace pagoda::retrieval {

namespace {

// Appends the items to a history of the request, as the member's towers read them.
void append_to_history(const model::Bundle& bundle, const model::Member& member, const StandIns& stand_ins,
                       const std::vector<std::string>& items, model::UserRequest& request,
                       std::vector<uint32_t>& history) {
  const auto& encoder = member.model.user_encoder;
  for (const auto& id : items) {
    if (const auto instead = stand_ins.find(id); instead != stand_ins.end()) {
      const size_t most = member.model.towers.user().attention() || member.model.towers.user().transformer()
                              ? 1
                              : instead->second.size();
      history.push_back(encoder.history_rows() + static_cast<uint32_t>(request.stand_ins.size()));
      for (const uint32_t row : std::span(instead->second).first(most))
        request.stand_ins.values.push_back(member.item_id_rows[row]);
      request.stand_ins.close();
    } else if (const auto row = bundle.item_ids().find(id); row != columns::Interner::kNone) {
      history.push_back(member.item_id_rows[row]);
    }
  }
}

// The requests as one member reads them, without the attributes in them.
std::vector<model::UserRequest> plain_requests(const model::Bundle& bundle, const model::Member& member,
                                               const std::vector<RetrieveRequest>& requests,
                                               const StandIns& stand_ins) {
  const auto& names = member.model.user_encoder.context_names();
  const auto& own_histories = member.model.user_encoder.own_histories();
  const auto reads_as_positive = [&](const std::string& kind) {
    return member.model.user_encoder.history_of(kind) == features::EventHistory::main;
  };
  std::vector<model::UserRequest> plain(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    auto& p = plain[i];
    if (r.user) p.user = p.cell = member.user_ids.find(*r.user);
    p.own_history = r.history.has_value();
    if (r.history) append_to_history(bundle, member, stand_ins, *r.history, p, p.history);
    for (const auto* items : recent_lists(r, reads_as_positive))
      append_to_history(bundle, member, stand_ins, *items, p, p.recent);
    p.events.resize(r.events.empty() ? 0 : own_histories.size());
    for (const auto& [kind, items] : r.events)
      if (const auto own = std::ranges::find(own_histories, kind); own != own_histories.end())
        append_to_history(bundle, member, stand_ins, items, p,
                          p.events[static_cast<size_t>(own - own_histories.begin())]);
    p.context.resize(names.size());
    for (const auto& [name, value] : r.context) {
      const auto at = std::find(names.begin(), names.end(), name);
      if (at != names.end()) p.context[static_cast<size_t>(at - names.begin())] = value;
    }
    p.moment_us = r.time_us.value_or(member.user_states.moment_us);
  }
  return plain;
}

}  // namespace

void for_each_encoding(const model::Bundle& bundle, const model::Member& member,
                       const std::vector<RetrieveRequest>& requests, const StandIns& stand_ins,
                       const std::function<void(const Encoding&)>& encode) {
  const auto plain = plain_requests(bundle, member, requests, stand_ins);
  std::vector<size_t> all(requests.size());
  std::iota(all.begin(), all.end(), size_t{0});
  encode({member.user_cells, plain, all});
  const auto columns = member.model.user_encoder.table_columns();
  std::vector<const std::vector<RequestFeature>*> brought;
  for (const auto& request : requests) brought.push_back(&request.features);
  for (const auto& group : rows_by_shape(columns, brought)) {
    std::vector<std::string> names;
    std::vector<const std::vector<RequestFeature>*> rows;
    for (const size_t i : group) {
      // Each request gets a distinct id, because two may name one user with different attributes.
      names.push_back(fmt::format("{}\x1f{}", i, requests[i].user.value_or("")));
      rows.push_back(brought[i]);
    }
    const auto table = request_table(columns, names, rows);
    auto cells = member.model.user_encoder.cells(table.ids, &table);
    std::vector<model::UserRequest> featured;
    for (size_t f = 0; f < group.size(); ++f) {
      featured.push_back(plain[group[f]]);
      if (const auto cell = featured[f].cell; cell != columns::Interner::kNone)
        cells.id_rows[f] = member.user_cells.id_rows[cell];
      featured[f].cell = static_cast<uint32_t>(f);
    }
    encode({cells, featured, group});
  }
}

}  // namespace pagoda::retrieval
