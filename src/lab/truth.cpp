#include "lab/truth.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "formats/reader.h"
#include "math/bootstrap.h"
#include "math/gemm.h"
#include "model/ensemble.h"

namespace pagoda::lab {

namespace {

bool among(std::span<const uint32_t> rising, uint32_t row) {
  return std::binary_search(rising.begin(), rising.end(), row);
}

std::vector<uint32_t> sorted(std::span<const uint32_t> rows) {
  std::vector<uint32_t> out(rows.begin(), rows.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// "true" and "1" in text formats; booleans in Parquet.
std::optional<bool> as_flag(const columns::Column& column, size_t row) {
  if (const auto number = column.as_number(row)) return *number != 0;
  std::string scratch;
  const auto text = column.as_text(row, scratch);
  if (text == "true" || text == "True") return true;
  if (text == "false" || text == "False") return false;
  return std::nullopt;
}

// Recall for the users that have any such item; NaN for the others.
struct Recalls {
  evaluate::AtK mean;
  std::vector<std::vector<double>> of_users;  // [K][user]
};
Recalls recalls(ThreadPool& pool, const index::Index& index, math::MatrixView<const float> user_vectors,
                const model::UserStates& states, const TruthUsers& truth, const math::Ragged<uint32_t>& items,
                std::span<const uint32_t> outside, const std::vector<int64_t>& ks,
                const evaluate::ItemPopularity& popularity) {
  std::vector<uint32_t> rows, users, missing;
  math::Ragged<uint32_t> relevant;
  for (uint32_t i = 0; i < truth.users.size(); ++i)
    if (!items[i].empty() || outside[i] > 0) {
      rows.push_back(i);
      users.push_back(truth.users[i]);
      missing.push_back(outside[i]);
      relevant.push(items[i]);
    }
  math::Matrix<float> vectors(rows.size(), user_vectors.cols());
  for (size_t i = 0; i < rows.size(); ++i) std::ranges::copy(user_vectors.row(rows[i]), vectors.row(i).begin());
  evaluate::UserMetrics kept;
  const auto report =
      evaluate::rank_users(pool, index, vectors, states, {users, &relevant, missing}, ks, popularity, nullptr, &kept);
  Recalls out{report.recall, {ks.size(), std::vector<double>(truth.users.size(), NAN)}};
  for (size_t k = 0; k < ks.size(); ++k)
    for (size_t i = 0; i < rows.size(); ++i) out.of_users[k][rows[i]] = kept.recall[k][i];
  return out;
}

// The rank of each of a user's never-shown good items: 0 first, 1 last.
std::vector<double> ranks(std::span<const float> scores, std::span<const uint32_t> history,
                          std::span<const uint32_t> items) {
  std::vector<double> out;
  const double others = static_cast<double>(scores.size() - history.size()) - 1;
  for (const auto item : items) {
    const float score = scores[item];
    size_t better = 0, equal = 0;
    for (const float other : scores) {
      better += other > score;
      equal += other == score;
    }
    for (const auto row : history) {
      better -= scores[row] > score;
      equal -= scores[row] == score;
    }
    const double before = static_cast<double>(better) + static_cast<double>(equal - 1) / 2;
    out.push_back(std::isnan(score) || others < 1 ? 1.0 : before / others);
  }
  return out;
}

double mean_of(std::span<const double> values) {
  double sum = 0, n = 0;
  for (const double value : values)
    if (!std::isnan(value)) {
      sum += value;
      ++n;
    }
  return n > 0 ? sum / n : NAN;
}

}  // namespace

Truth read_truth(const std::string& path) {
  const auto reader = formats::open_reader({.paths = {path}, .columns = {"user_id", "item_id", "rank", "shown"}});
  struct Row {
    uint32_t user, item;
    double rank;
    bool shown;
  };
  std::vector<Row> rows;
  Truth truth;
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch))
    for (size_t row = 0; row < batch.rows; ++row) {
      const auto refuse = [&](const char* what) {
        fail(ErrorKind::input, "{}: {}; a truth has the columns user_id, item_id, rank and shown",
             reader->place(batch.file, batch.first_record + row), what);
      };
      const auto rank = batch.columns[2].as_number(row);
      const auto shown = as_flag(batch.columns[3], row);
      if (!rank || *rank < 1) refuse("'rank' is not a number from 1");
      if (!shown) refuse("'shown' is neither true nor false");
      const auto user = truth.users.add(batch.columns[0].as_text(row, scratch));
      rows.push_back({user, truth.items.add(batch.columns[1].as_text(row, scratch)), *rank, *shown});
    }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.user != b.user ? a.user < b.user : a.rank < b.rank; });
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && rows[i].user == rows[i - 1].user && rows[i].rank == rows[i - 1].rank)
      fail(ErrorKind::input, "{}: user '{}' has two items of rank {}", path, truth.users[rows[i].user], rows[i].rank);
    if (i > 0 && rows[i].user != rows[i - 1].user) truth.liked.close();
    truth.liked.values.push_back({rows[i].item, rows[i].shown});
  }
  if (rows.empty()) fail(ErrorKind::input, "{}: holds no row", path);
  truth.liked.close();
  return truth;
}

TruthUsers truth_users(const model::Bundle& bundle, const Truth& truth, int64_t good) {
  std::vector<uint32_t> catalogue_row(truth.items.size());
  for (uint32_t i = 0; i < truth.items.size(); ++i) catalogue_row[i] = bundle.item_ids().find(truth.items[i]);
  TruthUsers out;
  for (uint32_t u = 0; u < truth.users.size(); ++u) {
    const auto user = bundle.user_ids().find(truth.users[u]);
    if (user == columns::Interner::kNone || bundle.user_states().histories[user].empty()) continue;
    const auto history = sorted(bundle.user_states().histories[user]);
    std::vector<uint32_t> listed, liked, never_shown;
    uint32_t outside = 0, unseen_outside = 0;
    const auto of_user = truth.liked[u];
    for (size_t rank = 0; rank < of_user.size(); ++rank) {
      const auto row = catalogue_row[of_user[rank].item];
      const bool is_good = rank < static_cast<size_t>(good);
      if (row == columns::Interner::kNone) {
        outside += is_good;
        unseen_outside += is_good && !of_user[rank].shown;
        continue;
      }
      listed.push_back(row);
      if (!is_good || among(history, row)) continue;
      liked.push_back(row);
      if (!of_user[rank].shown) never_shown.push_back(row);
    }
    out.ids.emplace_back(truth.users[u]);
    out.users.push_back(user);
    out.listed.push(sorted(listed));
    out.good.push(sorted(liked));
    out.never_shown.push(sorted(never_shown));
    out.good_outside.push_back(outside);
    out.unseen_outside.push_back(unseen_outside);
  }
  if (out.users.empty())
    fail(ErrorKind::input, "none of the truth's {} users has a history in the data; is it the truth of another world?",
         truth.users.size());
  return out;
}

TruthReport evaluate_truth(ThreadPool& pool, math::MatrixView<const float> item_vectors,
                           math::MatrixView<const float> user_vectors, const model::UserStates& states,
                           const TruthUsers& truth, std::span<const uint64_t> counts, const std::vector<int64_t>& ks) {
  constexpr size_t kBlock = 64;  // users whose scores of all items are held at once
  const size_t users = truth.users.size(), items = item_vectors.rows();
  TruthReport report;
  report.ks.assign(ks.begin(), ks.end());
  report.users = users;
  report.good = truth.good.values.size();
  report.never_shown = truth.never_shown.values.size();
  for (const auto outside : truth.good_outside) report.outside_catalogue += outside;

  const auto index = index::make_exact_index(item_vectors);
  const evaluate::ItemPopularity popularity({counts.begin(), counts.end()});
  const auto recall =
      recalls(pool, *index, user_vectors, states, truth, truth.good, truth.good_outside, ks, popularity);
  const auto unseen =
      recalls(pool, *index, user_vectors, states, truth, truth.never_shown, truth.unseen_outside, ks, popularity);
  report.recall = recall.mean;
  report.never_shown_recall = unseen.mean;

  std::vector<std::vector<double>> intrusion(ks.size(), std::vector<double>(users, NAN)), stands(users);
  std::vector<double> chance(users), mean_rank(users, NAN);
  math::Matrix<float> scores(std::min(kBlock, users), items);
  for (size_t begin = 0; begin < users; begin += kBlock) {
    const size_t end = std::min(users, begin + kBlock);
    std::vector<std::vector<uint32_t>> histories;
    math::Ragged<uint32_t> excluded;
    for (size_t i = begin; i < end; ++i) {
      histories.push_back(sorted(states.histories[truth.users[i]]));
      excluded.push(histories.back());
    }
    const auto block = user_vectors.slice_rows(begin, end);
    math::gemm<float>(pool, math::Op::none, math::Op::transpose, 1.f, block, item_vectors, 0.f,
                      scores.view().slice_rows(0, end - begin));
    const auto found = index->search(pool, block, {.k = report.ks.back(), .excluded = &excluded});
    pool.run(end - begin, [&](size_t b) {
      const size_t i = begin + b;
      const auto intrudes = [&](uint32_t item) { return counts[item] == 0 && !among(truth.listed[i], item); };
      const auto list = found.items[b];
      for (size_t k = 0; k < ks.size(); ++k) {
        const auto first = list.first(std::min(list.size(), report.ks[k]));
        if (!first.empty())
          intrusion[k][i] =
              static_cast<double>(std::ranges::count_if(first, intrudes)) / static_cast<double>(first.size());
      }
      size_t candidates = 0, intruders = 0;
      for (uint32_t item = 0; item < items; ++item)
        if (!among(histories[b], item)) {
          ++candidates;
          intruders += intrudes(item);
        }
      chance[i] = candidates ? static_cast<double>(intruders) / static_cast<double>(candidates) : NAN;
      stands[i] = ranks(std::as_const(scores).row(b), histories[b], truth.never_shown[i]);
      mean_rank[i] = mean_of(stands[i]);
    });
  }
  std::vector<double> all;
  for (const auto& of_user : stands) all.insert(all.end(), of_user.begin(), of_user.end());
  std::sort(all.begin(), all.end());
  report.never_shown_rank = mean_of(mean_rank);
  report.never_shown_rank_median = all.empty() ? NAN : math::quantile(all, 0.5);
  report.intrusion_by_chance = mean_of(chance);

  auto& table = report.of_users;
  table.users = truth.ids;
  for (size_t k = 0; k < ks.size(); ++k) {
    report.intrusion.push_back(mean_of(intrusion[k]));
    for (const auto& [name, values] : {std::pair{"recall", &recall.of_users[k]},
                                       {"never_shown_recall", &unseen.of_users[k]},
                                       {"intrusion", &intrusion[k]}}) {
      table.names.push_back(fmt::format("{}@{}", name, ks[k]));
      table.columns.push_back(*values);
    }
  }
  table.names.emplace_back("never_shown_rank");
  table.columns.push_back(mean_rank);
  return report;
}

TruthReport evaluate_truth(ThreadPool& pool, const model::Bundle& bundle, const TruthUsers& truth,
                           const std::vector<int64_t>& ks) {
  const auto vectors = model::known_user_vectors(pool, bundle, bundle.user_ids(), truth.users);
  math::Matrix<float> room;
  return evaluate_truth(pool, math::as_floats(bundle.item_vectors(), room), vectors, bundle.user_states(), truth,
                        bundle.item_counts(), ks);
}

std::string truth_json(const TruthReport& report) {
  nlohmann::ordered_json json{{"users", report.users},
                              {"good_items", report.good},
                              {"never_shown_good_items", report.never_shown},
                              {"good_items_outside_catalogue", report.outside_catalogue}};
  for (const auto& [name, values] : {std::pair{"recall", &report.recall},
                                     {"never_shown_recall", &report.never_shown_recall},
                                     {"intrusion", &report.intrusion}})
    for (size_t k = 0; k < report.ks.size(); ++k) json[fmt::format("{}@{}", name, report.ks[k])] = (*values)[k];
  json["intrusion_by_chance"] = report.intrusion_by_chance;
  json["never_shown_rank"] = report.never_shown_rank;
  json["never_shown_rank_median"] = report.never_shown_rank_median;
  return json.dump(1);
}

}  // namespace pagoda::lab
