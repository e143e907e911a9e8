#include "dataset/dataset.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "core/bytes.h"
#include "core/error.h"
#include "core/log.h"
#include "data/id_overlap.h"
#include "data/table_vectors.h"
#include "dataset/known_events.h"

namespace pagoda::dataset {

namespace {

// Nothing if the options name neither the file of a table nor files of vectors.
std::optional<data::Attributes> load_table(const DataOptions& options, bool of_items, columns::TimeForm times) {
  const auto& path = of_items ? options.items : options.users;
  const auto& vectors = of_items ? options.item_vectors : options.user_vectors;
  if (path.empty() && vectors.empty()) return std::nullopt;
  const auto& named = of_items ? options.items_id : options.users_id;
  const auto& id = !named.empty() ? named : of_items ? options.item : options.user;
  data::Attributes table;
  if (!path.empty())
    table = data::load_attributes(
        {.paths = {path},
         .format = files::format_or_automatic(of_items ? options.items_format : options.users_format),
         .id = id,
         .vectors = of_items ? options.item_vector_columns : options.user_vector_columns,
         .times = times,
         .form = of_items ? options.items_form : options.users_form,
         .bad_rows = options.bad_rows});
  for (const auto& file : vectors) data::add_vectors(table, file, id);
  return table;
}

// A table that has none of the log's ids would leave every item without its attributes, and bring phantoms of its own.
void meet_table(const std::string& path, const data::Attributes& table, const columns::Interner& log_ids,
                const std::string& what, const std::string& key) {
  const auto meeting = data::count_overlap({&log_ids}, {&table.ids});
  std::string remedy;
  if (meeting.met == 0) {
    const auto [column, ids] = data::column_with_most_ids({&log_ids}, table);
    remedy = ids > 0 ? fmt::format("its column '{}' has {} of them: set {}_id = \"{}\"", column, ids, key, column)
                     : fmt::format("write the ids of both files alike, or leave {} out", key);
  }
  data::report_overlap(meeting, {path, what + " of the log", remedy});
}

// Test files and impressions against what is trained on and served. Unknown users of a test part are judged apart.
void meet_rows(const std::vector<std::string>& paths, const data::IdSet& users, const data::IdSet& items,
               const Dataset& d, const std::string& key, bool users_may_be_unknown) {
  const auto remedy = fmt::format("write the ids of both alike, or leave {} out", key);
  const auto from = paths.size() == 1 ? paths[0] : fmt::format("{} and {} more", paths[0], paths.size() - 1);
  data::report_overlap(data::count_overlap(items, {&d.catalogue}), {"the catalogue", "items of " + from, remedy});
  data::report_overlap(data::count_overlap(users, {&d.users}), {"the training part", "users of " + from, remedy},
                       users_may_be_unknown);
}

// All but those of the model that training goes on from.
void forget_numbers(Dataset& d) {
  d.catalogue = d.earlier ? d.earlier->bundle->item_ids() : columns::Interner();
  d.users = d.earlier ? d.earlier->member().user_ids : columns::Interner();
}

// Fills in catalogue, users, their rows and the ends of the parts, from the log, the parts and the item table. Those
// that catalogue and users hold already keep their numbers.
void number_ids(Dataset& d) {
  if (d.item_table)
    for (uint32_t i = 0; i < d.item_table->ids.size(); ++i) d.catalogue.add(d.item_table->ids[i]);
  d.first_items = d.catalogue.size();
  d.item_row.assign(d.log.items.size(), columns::Interner::kNone);
  d.user_row.assign(d.log.users.size(), columns::Interner::kNone);
  int64_t train_end = INT64_MIN, end = INT64_MIN;
  for (size_t row = 0; row < d.log.size(); ++row) {
    const auto part = d.parts[row];
    if (part == data::Part::test) continue;
    const int64_t time = d.log.time_of(row);
    end = std::max(end, time);
    train_end = std::max(train_end, part == data::Part::train ? time : INT64_MIN);
    uint32_t &item = d.item_row[d.log.item[row]], &user = d.user_row[d.log.user[row]];
    if (item == columns::Interner::kNone) item = d.catalogue.add(d.log.items[d.log.item[row]]);
    if (user == columns::Interner::kNone) user = d.users.add(d.log.users[d.log.user[row]]);
  }
  d.train_end_us = train_end;
  d.end_us = end;
  for (const auto& rows : d.log.events) {
    const KnownEvents known(d, rows, true);
    for (size_t row = 0; row < rows.size(); ++row) {
      if (!known(row)) continue;
      d.catalogue.add(rows.items[rows.item[row]]);
      d.users.add(rows.users[rows.user[row]]);
    }
  }
  const bool any_train = std::ranges::find(d.parts, data::Part::train) != d.parts.end();
  if (!any_train) fail(ErrorKind::input, "the split leaves no row to train on; make data.split's parts smaller");
  if (d.catalogue.size() < 2)
    fail(ErrorKind::input, "the catalogue holds one item ('{}'): there is nothing to choose between", d.catalogue[0]);
  for (uint32_t i = 0; i < d.log.items.size(); ++i)  // of the test part alone, but in the item table
    if (d.item_row[i] == columns::Interner::kNone) d.item_row[i] = d.catalogue.find(d.log.items[i]);
}

}  // namespace

Dataset load_dataset(const DataOptions& options, std::shared_ptr<const Earlier> earlier) {
  return make_dataset(options, load_log(options), std::move(earlier));
}

data::Interactions load_log(const DataOptions& options) {
  return data::load_interactions(interaction_options(options));
}

std::shared_ptr<const data::Attributes> load_user_table(const DataOptions& options, columns::TimeForm times) {
  auto table = load_table(options, false, times);
  return table ? std::make_shared<const data::Attributes>(*std::move(table)) : nullptr;
}

Dataset make_dataset(const DataOptions& options, data::Interactions log, std::shared_ptr<const Earlier> earlier,
                     std::shared_ptr<const data::Attributes> user_table) {
  Dataset d;
  auto interactions = interaction_options(options);
  d.log = std::move(log);
  size_t first_test = d.log.size();
  if (!options.impressions.empty()) {  // before the test files: what these showed is held out
    interactions.paths = options.impressions;
    data::append_impressions(interactions, d.log);
  }
  if (options.split.kind == data::SplitKind::given) {
    if (options.split.test_files.empty())
      fail(ErrorKind::usage, "data.split.kind = \"given\" needs data.split.test_files");
    interactions.paths = options.split.test_files;
    for (auto& rows : d.log.events) rows.first_test = rows.size();
    d.log.shown.first_test = d.log.shown.size();
    first_test = data::append_interactions(interactions, d.log);
  }
  d.parts = data::split(d.log, options.split, first_test, &d.split_said);
  d.item_table = load_table(options, true, d.log.times);
  d.user_table = user_table ? std::move(user_table) : load_user_table(options, d.log.times);

  if (earlier) {
    d.earlier_rows = put_before(*earlier, d.log);
    d.parts.insert(d.parts.begin(), d.earlier_rows, data::Part::train);
    first_test += d.earlier_rows;
    auto known = earlier->bundle->item_attributes();
    known.vectors = earlier->item_vectors;
    if (!known.columns.empty() || !known.vectors.empty())
      d.item_table = d.item_table ? data::with_newer(known, *d.item_table) : std::move(known);
    d.earlier = std::move(earlier);
  }
  const auto from = [](const std::string& table, const std::vector<std::string>& vectors) {
    return table.empty() && !vectors.empty() ? vectors[0] : table;
  };
  if (d.item_table)
    meet_table(from(options.items, options.item_vectors), *d.item_table, d.log.items, "items", "data.items");
  if (d.user_table)
    meet_table(from(options.users, options.user_vectors), *d.user_table, d.log.users, "users", "data.users");
  forget_numbers(d);
  number_ids(d);
  if (options.split.kind == data::SplitKind::given) {
    std::vector<uint8_t> users(d.log.users.size()), items(d.log.items.size());  // of the test files
    for (size_t row = first_test; row < d.log.size(); ++row) users[d.log.user[row]] = items[d.log.item[row]] = 1;
    meet_rows(options.split.test_files, {&d.log.users, [&](uint32_t user) { return users[user] != 0; }},
              {&d.log.items, [&](uint32_t item) { return items[item] != 0; }}, d, "data.split.test_files", true);
  }
  if (!options.impressions.empty())
    meet_rows(options.impressions, {&d.log.shown.users}, {&d.log.shown.items}, d, "data.impressions", false);
  return d;
}

Dataset with_all_rows(Dataset data, Numbers numbers) {
  std::ranges::fill(data.parts, data::Part::train);
  data.log.shown.first_test = SIZE_MAX;
  for (auto& rows : data.log.events) rows.first_test = SIZE_MAX;
  if (numbers == Numbers::anew) forget_numbers(data);
  number_ids(data);
  return data;
}

Events Dataset::events(bool with_validation) const {
  Events e;
  std::vector<uint64_t> offsets(users.size() + 1, 0);
  for (size_t row = 0; row < log.size(); ++row)
    if (trains(row, with_validation)) ++offsets[user_row[log.user[row]] + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  e.log_row.resize(offsets.back());
  e.user.resize(offsets.back());
  auto next = offsets;
  for (size_t row = 0; row < log.size(); ++row) {
    if (!trains(row, with_validation)) continue;
    const auto at = next[user_row[log.user[row]]]++;
    e.log_row[at] = static_cast<uint32_t>(row);
    e.user[at] = user_row[log.user[row]];
  }
  if (log.has_time())
    for (size_t u = 0; u < users.size(); ++u)
      std::stable_sort(e.log_row.begin() + static_cast<ptrdiff_t>(offsets[u]),
                       e.log_row.begin() + static_cast<ptrdiff_t>(offsets[u + 1]),
                       [&](uint32_t a, uint32_t b) { return log.time_us[a] < log.time_us[b]; });
  e.items.offsets = std::move(offsets);
  e.items.values.reserve(e.log_row.size());
  e.time_us.reserve(e.log_row.size());
  for (auto row : e.log_row) {
    e.items.values.push_back(item_row[log.item[row]]);
    e.time_us.push_back(log.time_of(row));
  }
  return e;
}

std::vector<EventHistory> Dataset::event_histories(bool with_validation) const {
  struct OneEvent {
    uint32_t user, item;
    int64_t time_us;
  };
  std::vector<EventHistory> histories;
  for (size_t kind = 0; kind < log.events.size(); ++kind) {
    std::vector<OneEvent> events;
    if (earlier && kind < earlier->member().user_states.event_histories.size()) {
      const auto& before = earlier->member().user_states.event_histories[kind];
      const bool timed = kind < earlier->event_time_us.size();
      for (uint32_t user = 0; user < before.size(); ++user)
        for (auto at = before.offsets[user]; at < before.offsets[user + 1]; ++at)
          events.push_back(
              {user, before.values[at], timed ? earlier->event_time_us[kind][at] : earlier->bundle->info().moment_us});
    }
    const auto& rows = log.events[kind];
    const KnownEvents known(*this, rows, with_validation);
    for (size_t row = 0; row < rows.size(); ++row) {
      if (!known(row)) continue;
      const auto user = users.find(rows.users[rows.user[row]]), item = catalogue.find(rows.items[rows.item[row]]);
      check(user != columns::Interner::kNone && item != columns::Interner::kNone, "what is known has a number");
      events.push_back({user, item, rows.time_us.empty() ? 0 : rows.time_us[row]});
    }
    std::ranges::stable_sort(events, [](const OneEvent& a, const OneEvent& b) {
      return std::tie(a.user, a.time_us) < std::tie(b.user, b.time_us);
    });
    auto& history = histories.emplace_back();
    history.kind = rows.kind;
    auto event = events.begin();
    for (uint32_t user = 0; user < users.size(); ++user) {
      for (; event != events.end() && event->user == user; ++event) {
        history.items.values.push_back(event->item);
        history.time_us.push_back(event->time_us);
      }
      history.items.close();
    }
  }
  return histories;
}

std::vector<bool> Dataset::rows_that_train(bool with_validation) const {
  std::vector<bool> rows(log.size());
  for (size_t row = 0; row < rows.size(); ++row) rows[row] = trains(row, with_validation);
  return rows;
}

std::vector<bool> Dataset::rows_of_earlier() const {
  if (earlier_rows == 0) return {};
  std::vector<bool> rows(log.size());
  std::fill_n(rows.begin(), earlier_rows, true);
  return rows;
}

std::vector<bool> skipped_events(const Options& options, const Events& events, const std::vector<bool>& learnt) {
  if (!skips_repeats(options) && learnt.empty()) return {};
  std::vector<bool> skipped(events.size());
  for (size_t e = 0; e < events.size() && !learnt.empty(); ++e) skipped[e] = learnt[events.log_row[e]];
  if (!skips_repeats(options)) return skipped;
  std::vector<std::pair<uint32_t, size_t>> own;  // of a user: item and event
  for (size_t user = 0; user < events.items.size(); ++user) {
    own.clear();
    for (size_t e = events.items.offsets[user]; e < events.items.offsets[user + 1]; ++e)
      own.emplace_back(events.items.values[e], e);
    std::sort(own.begin(), own.end());
    for (size_t i = 1; i < own.size(); ++i)
      if (own[i].first == own[i - 1].first) skipped[own[i].second] = true;
  }
  return skipped;
}

std::vector<uint64_t> example_counts(const std::vector<bool>& skipped, const Events& events, size_t items) {
  std::vector<uint64_t> counts(items);
  for (size_t e = 0; e < events.size(); ++e) counts[events.items.values[e]] += skipped.empty() || !skipped[e];
  return counts;
}

Events latest_of(const Events& events, size_t count) {
  Events out;
  size_t rows = 0;
  for (size_t user = 0; user < events.items.size(); ++user) rows += std::min(events.items[user].size(), count);
  out.items.offsets.reserve(events.items.offsets.size());
  out.items.values.reserve(rows);
  out.time_us.reserve(rows);
  out.log_row.reserve(rows);
  out.user.reserve(rows);
  for (size_t user = 0; user < events.items.size(); ++user) {
    const size_t end = events.items.offsets[user + 1];
    for (size_t e = std::max(events.items.offsets[user], end - std::min(end, count)); e < end; ++e) {
      out.items.values.push_back(events.items.values[e]);
      out.time_us.push_back(events.time_us[e]);
      out.log_row.push_back(events.log_row[e]);
      out.user.push_back(events.user[e]);
    }
    out.items.close();
  }
  return out;
}

std::vector<EventHistory> latest_of(const std::vector<EventHistory>& histories, size_t count) {
  std::vector<EventHistory> latest;
  for (const auto& history : histories) {
    auto& out = latest.emplace_back();
    out.kind = history.kind;
    for (size_t user = 0; user < history.items.size(); ++user) {
      const auto items = history.items[user];
      const auto end = static_cast<ptrdiff_t>(history.items.offsets[user + 1]);
      const size_t kept = std::min(items.size(), count);
      out.items.push(items.last(kept));
      out.time_us.insert(out.time_us.end(), history.time_us.begin() + end - static_cast<ptrdiff_t>(kept),
                         history.time_us.begin() + end);
    }
  }
  return latest;
}

std::vector<uint64_t> Dataset::item_counts(bool with_validation) const {
  std::vector<uint64_t> counts(catalogue.size());
  if (earlier) std::ranges::copy(earlier->counts_let_go, counts.begin());
  for (size_t row = 0; row < log.size(); ++row)
    if (trains(row, with_validation)) ++counts[item_row[log.item[row]]];
  return counts;
}

namespace {

// Lists of (user, item) pairs, each list rising and without repeats.
math::Ragged<uint32_t> lists_of(std::vector<std::pair<uint32_t, uint32_t>> pairs, size_t users) {
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  math::Ragged<uint32_t> lists;
  auto pair = pairs.begin();
  for (uint32_t user = 0; user < users; ++user) {
    for (; pair != pairs.end() && pair->first == user; ++pair) lists.values.push_back(pair->second);
    lists.close();
  }
  return lists;
}

}  // namespace

math::Ragged<uint32_t> Dataset::items_of_users(bool with_validation) const {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (size_t row = 0; row < log.size(); ++row)
    if (trains(row, with_validation)) pairs.emplace_back(user_row[log.user[row]], item_row[log.item[row]]);
  return lists_of(std::move(pairs), users.size());
}

std::optional<math::Ragged<uint32_t>> Dataset::impressions_of_users(bool with_validation) const {
  const auto& shown = log.shown;
  if (shown.size() == 0) return std::nullopt;
  const KnownEvents known(*this, shown, with_validation);
  const auto clicked = items_of_users(with_validation);
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  size_t outside = 0;
  for (size_t row = 0; row < shown.size(); ++row) {
    if (!known(row)) continue;
    const auto user = users.find(shown.users[shown.user[row]]), item = catalogue.find(shown.items[shown.item[row]]);
    if (item == columns::Interner::kNone) ++outside;
    if (user == columns::Interner::kNone || item == columns::Interner::kNone) continue;
    const auto own = clicked[user];
    if (!std::binary_search(own.begin(), own.end(), item)) pairs.emplace_back(user, item);
  }
  if (outside > 0)
    log_warning("{} of {} impressions are of items outside the catalogue and left out; data.items names what is served",
                outside, shown.size());
  return lists_of(std::move(pairs), users.size());
}

std::vector<uint64_t> Dataset::user_counts(bool with_validation) const {
  std::vector<uint64_t> counts(users.size());
  for (size_t row = 0; row < log.size(); ++row)
    if (trains(row, with_validation)) ++counts[user_row[log.user[row]]];
  return counts;
}

std::vector<features::UserEncoder::Context> Dataset::contexts(bool with_validation) const {
  std::vector<features::UserEncoder::Context> out;
  for (size_t c = 0; c < log.context_names.size(); ++c) {
    std::vector<uint64_t> counts(log.context_values[c].size());
    for (size_t row = 0; row < log.size(); ++row)
      if (trains(row, with_validation)) ++counts[log.context[c][row]];
    out.push_back({log.context_names[c], &log.context_values[c], std::move(counts)});
  }
  return out;
}

std::string fingerprint_of_rows(const data::Interactions& log, const std::function<bool(size_t)>& judged) {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (size_t row = 0; row < log.size(); ++row)
    if (judged(row)) pairs.emplace_back(log.user[row], log.item[row]);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  if (pairs.empty()) return "";
  uint64_t sum = 0;  // of each pair's checksum: the same in any order
  for (const auto& [user, item] : pairs) {
    ByteWriter bytes;
    bytes.text(log.users[user]);
    bytes.text(log.items[item]);
    sum += checksum(bytes.bytes());
  }
  return fmt::format("{:016x}", sum);
}

EvaluationCoverage evaluation_coverage(const Dataset& data, const Relevant& validation, Repeats repeats) {
  const auto histories = data.items_of_users(false);
  EvaluationCoverage out;
  for (size_t i = 0; i < validation.users.size(); ++i) {
    const auto user = data.user_row[validation.users[i]];
    ++out.users;
    if (user == columns::Interner::kNone || histories[user].empty()) continue;
    ++out.with_history;
    const auto relevant = validation.items[i];
    const auto again = static_cast<size_t>(std::ranges::count_if(
        relevant, [&](uint32_t item) { return std::ranges::binary_search(histories[user], item); }));
    out.pairs += relevant.size() + validation.outside[i];
    out.repeats += again;
    out.reachable += relevant.size() > (repeats == Repeats::miss ? again : 0);
  }
  return out;
}

Relevant relevant_items(const Dataset& data, data::Part part) {
  return relevant_items(data.log, data.item_row, [&](size_t row) { return data.parts[row] == part; });
}

Relevant relevant_items(const data::Interactions& log, std::span<const uint32_t> item_row,
                        const std::function<bool(size_t)>& judged) {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;  // (user, item) of the log
  std::vector<uint32_t> earliest(log.users.size(), columns::Interner::kNone);
  for (uint32_t row = 0; row < log.size(); ++row) {
    if (!judged(row)) continue;
    pairs.emplace_back(log.user[row], log.item[row]);
    auto& first = earliest[log.user[row]];
    if (first == columns::Interner::kNone || log.time_of(row) < log.time_of(first)) first = row;
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  Relevant r;
  for (size_t i = 0; i < pairs.size();) {
    const auto user = pairs[i].first;
    const size_t first = r.items.values.size();
    uint32_t outside = 0;
    for (; i < pairs.size() && pairs[i].first == user; ++i) {
      const auto row = item_row[pairs[i].second];
      if (row == columns::Interner::kNone)
        ++outside;
      else
        r.items.values.push_back(row);
    }
    std::sort(r.items.values.begin() + static_cast<ptrdiff_t>(first), r.items.values.end());
    r.items.close();
    r.users.push_back(user);
    r.outside.push_back(outside);
    r.first_row.push_back(earliest[user]);
  }
  return r;
}

}  // namespace pagoda::dataset
