#include "evaluate/ensemble_weights.h"

#include <algorithm>

#include "core/log.h"
#include "evaluate/bundle_evaluation.h"
#include "evaluate/evaluation.h"
#include "evaluate/metric_name.h"
#include "math/kernels.h"
#include "nn/normalise.h"

namespace pagoda::evaluate {

namespace {

constexpr int kSteps = 20;  // a share of the sum is tried in steps of 1 / kSteps

// The ensemble of all parts before it is weighted, and the users it is judged by.
class Trial {
 public:
  Trial(ThreadPool& pool, const std::vector<model::EnsemblePart>& parts, const std::string& metric);
  double value(ThreadPool& pool, std::span<const double> weights) const;

 private:
  void read_validation(const model::Bundle& first);
  void check_kinds(const model::Bundle& bundle) const;

  const model::Bundle& first_;
  MetricName metric_;
  dataset::Repeats repeats_ = dataset::Repeats::miss;
  dataset::Dataset data_;
  model::UserStates states_;  // at the end of training; histories in rows of the first bundle
  std::vector<uint32_t> users_, outside_;
  JudgedRequests requests_;
  std::vector<size_t> judged_;  // the number of each of users_ in requests_
  math::Ragged<uint32_t> relevant_;
  ItemPopularity popularity_;
  std::vector<size_t> begins_{0};  // part p has the columns begins_[p] .. begins_[p + 1]
  math::Matrix<float> user_vectors_, item_vectors_;
};

Trial::Trial(ThreadPool& pool, const std::vector<model::EnsemblePart>& parts, const std::string& metric)
    : first_(*parts[0].bundle), metric_(parse_metric(metric)),
      popularity_({first_.item_counts().begin(), first_.item_counts().end()}) {
  for (const auto& part : parts) {
    if (part.bundle->info().refit)
      fail(ErrorKind::usage,
           "{}: was refit on its validation part, which can choose nothing any more; train with train.refit = false, "
           "choose, and give the weights to the bundles that are refit with --weights",
           part.bundle->file().path());
    begins_.push_back(begins_.back() + part.bundle->item_vectors().cols());
  }
  read_validation(first_);
  user_vectors_.resize(users_.size(), begins_.back());
  item_vectors_.resize(first_.item_ids().size(), begins_.back());
  for (size_t p = 0; p < parts.size(); ++p) {
    const auto& bundle = *parts[p].bundle;
    check_kinds(bundle);
    auto users = model::joined_user_vectors(pool, bundle, [&](const model::Member& m) {
      std::vector<model::UserRequest> requests(users_.size());
      for (size_t i = 0; i < requests.size(); ++i)
        requests[i] = {.user = users_[i],
                       .cell = m.user_ids.find(data_.users[users_[i]]),
                       .history = {},
                       .recent = {},
                       .events = {},
                       .context = {},
                       .moment_us = states_.moment_us};
      if (!requests_.none())
        for (size_t i = 0; i < requests.size(); ++i)
          requests_.put(judged_[i], m.model.user_encoder.context_names(), requests[i]);
      std::vector<uint32_t> id_rows;
      for (uint32_t item = 0; item < first_.item_ids().size(); ++item)
        id_rows.push_back(m.model.item_encoder.id_vocabulary().row(first_.item_ids()[item]));
      return model::request_vectors(pool, m.model, m.user_cells, states_, id_rows, requests);
    });
    math::Matrix<float> items(first_.item_ids().size(), users.cols());
    for (uint32_t item = 0; item < items.rows(); ++item)
      bundle.item_vectors().read(bundle.item_ids().find(first_.item_ids()[item]), items[item]);
    if (!bundle.ensemble() && !bundle.members()[0].unit_length) {
      std::vector<float> lengths;
      nn::normalise_rows(pool, users.view(), lengths);
      nn::normalise_rows(pool, items.view(), lengths);
    }
    for (size_t i = 0; i < users.rows(); ++i) std::copy_n(users[i], users.cols(), user_vectors_[i] + begins_[p]);
    for (size_t i = 0; i < items.rows(); ++i) std::copy_n(items[i], items.cols(), item_vectors_[i] + begins_[p]);
  }
}

void Trial::check_kinds(const model::Bundle& bundle) const {
  for (const auto& member : bundle.members())
    for (const auto& kind : member.model.user_encoder.own_histories())
      if (std::ranges::find(states_.event_names, kind) == states_.event_names.end())
        fail(
            ErrorKind::usage,
            "{}: reads events of the kind '{}', which the data of the first model does not name; put it first, or give "
            "the weights with --weights",
            bundle.file().path(), kind);
}

void Trial::read_validation(const model::Bundle& first) {
  const auto options = bundle_options(first, {});
  repeats_ = options.evaluate.repeats;
  data_ = dataset::load_dataset(options.data);
  std::vector<uint32_t> row_of(data_.log.items.size());
  for (uint32_t item = 0; item < row_of.size(); ++item) row_of[item] = first.item_ids().find(data_.log.items[item]);
  auto relevant = dataset::relevant_items(data_.log, row_of,
                                          [&](size_t row) { return data_.parts[row] == data::Part::validation; });
  if (options.evaluate.context == dataset::JudgedContext::request)
    requests_ = JudgedRequests(data_.log, relevant.first_row);
  states_ = user_states(data_, data_.events(false), data_.train_end_us, data_.event_histories(false));
  const auto in_rows_of_first = [&](math::Ragged<uint32_t>& histories) {
    math::Ragged<uint32_t> moved;
    for (size_t user = 0; user < histories.size(); ++user) {
      for (auto item : std::as_const(histories)[user])
        if (const auto row = first.item_ids().find(data_.catalogue[item]); row != columns::Interner::kNone)
          moved.values.push_back(row);
      moved.close();
    }
    histories = std::move(moved);
  };
  in_rows_of_first(states_.histories);
  for (auto& of_kind : states_.event_histories) in_rows_of_first(of_kind);
  for (size_t i = 0; i < relevant.users.size(); ++i) {
    const auto user = data_.user_row[relevant.users[i]];
    if (states_.histories[user].empty()) continue;
    users_.push_back(user);
    outside_.push_back(relevant.outside[i]);
    relevant_.push(relevant.items[i]);
    judged_.push_back(i);
  }
  if (users_.empty())
    fail(ErrorKind::usage, "{}: its data has no validation part to choose weights on; give them with --weights",
         first.file().path());
}

double Trial::value(ThreadPool& pool, std::span<const double> weights) const {
  math::Matrix<float> queries = user_vectors_;
  for (size_t i = 0; i < queries.rows(); ++i)
    for (size_t p = 0; p < weights.size(); ++p)
      math::scale(static_cast<float>(weights[p]), queries[i] + begins_[p], begins_[p + 1] - begins_[p]);
  const auto index = index::make_exact_index(item_vectors_);
  const auto report =
      rank_users(pool, *index, queries, states_, {users_, &relevant_, outside_, repeats_}, {metric_.k}, popularity_);
  return report.named(metric_.kind)[0];
}

// The weights with part p's share of the sum set to `share`; the others keep their proportions.
std::vector<double> with_share(std::vector<double> weights, size_t p, double share) {
  const double others = 1 - weights[p];
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = i == p ? share : weights[i] * (1 - share) / others;
  return weights;
}

}  // namespace

ChosenWeights choose_weights(ThreadPool& pool, const std::vector<model::EnsemblePart>& parts,
                             const std::string& asked) {
  const size_t n = parts.size();
  const auto metric = telling_metric(asked, {}, static_cast<int64_t>(parts[0].bundle->item_ids().size()));
  if (metric != asked)
    log_warning("{} cannot tell models apart among {} items: a list so long holds nearly all there is; {} chooses",
                asked, parts[0].bundle->item_ids().size(), metric);
  const Trial trial(pool, parts, metric);
  ChosenWeights best;
  const auto tries = [&](const std::vector<double>& weights) {
    const double value = trial.value(pool, weights);
    std::string text;
    for (auto w : weights) text += fmt::format("{:.4f}  ", w);
    log_info("  {}{} {:.4f}", text, metric, value);
    if (best.weights.empty() || value > best.value) {
      best.weights = weights;
      best.value = value;
    }
    return value;
  };
  tries(std::vector<double>(n, 1.0 / static_cast<double>(n)));
  for (size_t p = 0; p < n; ++p) {
    std::vector<double> alone(n, 0.0);
    alone[p] = 1;
    best.best_alone = std::max(best.best_alone, tries(alone));
  }
  // With two parts the share of the first says all.
  for (bool better = n > 1; better;) {
    const double before = best.value;
    for (size_t p = 0; p < (n == 2 ? 1 : n); ++p) {
      auto from = best.weights;
      if (from[p] == 1) from.assign(n, 1.0 / static_cast<double>(n));  // the others have no proportions to keep
      for (int step = 1; step < kSteps; ++step) tries(with_share(from, p, static_cast<double>(step) / kSteps));
    }
    better = n > 2 && best.value > before;
  }
  return best;
}

}  // namespace pagoda::evaluate
