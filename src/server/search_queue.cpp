#include "server/search_queue.h"

#include <algorithm>
#include <limits>

#include "core/log.h"

namespace pagoda::server {
namespace {

constexpr double kNewest = 0.1;  // weight of a batch in the running mean
// In a queue that has been long for kBurst, a search may wait for this share of the time to its deadline, or
// kStandingS.
constexpr std::chrono::milliseconds kBurst{100};
constexpr double kPatience = 0.125, kStandingS = 0.025;
// Share of the time to a deadline that a search may wait; the wait is an estimate, and the response must be sent, too.
constexpr double kSure = 0.6;

double seconds_between(SteadyClock::time_point from, SteadyClock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// Whether one call of Retrieval can answer both. A search with an explanation is answered alone.
bool go_together(const SearchTask& a, const SearchTask& b) {
  if (a.snapshot != b.snapshot || a.payload.index() != b.payload.index()) return false;
  if (const auto* similar = std::get_if<SimilarQuery>(&a.payload))
    return similar->k == std::get<SimilarQuery>(b.payload).k;
  const auto* one = std::get_if<CandidateQuery>(&a.payload);
  if (!one) return false;
  const auto& other = std::get<CandidateQuery>(b.payload);
  return one->options == other.options && !one->options.explain && one->vector.empty() == other.vector.empty();
}

std::vector<SearchOutcome> lists_of(const index::SearchResult& found) {
  std::vector<SearchOutcome> outcomes(found.items.size());
  for (size_t q = 0; q < outcomes.size(); ++q) {
    const auto items = found.items[q];
    const auto scores = found.scores.begin() + static_cast<ptrdiff_t>(found.items.offsets[q]);
    outcomes[q].items.assign(items.begin(), items.end());
    outcomes[q].scores.assign(scores, scores + static_cast<ptrdiff_t>(items.size()));
  }
  return outcomes;
}

std::vector<SearchOutcome> candidates(ThreadPool& pool, std::vector<SearchTask>& batch) {
  const auto& retrieval = batch[0].snapshot->retrieval;
  const auto& first = std::get<CandidateQuery>(batch[0].payload);
  retrieval::RetrieveAnswer answer;
  if (first.vector.empty()) {
    std::vector<retrieval::RetrieveRequest> requests;
    for (auto& query : batch) requests.push_back(std::move(std::get<CandidateQuery>(query.payload).request));
    answer = retrieval.retrieve(pool, requests, first.options);
  } else {
    math::Matrix<float> vectors(batch.size(), first.vector.size());
    for (size_t q = 0; q < batch.size(); ++q)
      std::ranges::copy(std::get<CandidateQuery>(batch[q].payload).vector, vectors[q]);
    answer = retrieval.retrieve(pool, vectors, first.options);
  }
  auto outcomes = lists_of(answer.found);
  for (size_t q = 0; q < outcomes.size(); ++q) {
    outcomes[q].user_known = answer.user_known[q];
    const auto& query = std::get<CandidateQuery>(batch[q].payload);
    outcomes[q].live_events = query.live_events;
    outcomes[q].live = query.live;
    outcomes[q].times = answer.times;
    outcomes[q].explain = answer.explain;
  }
  return outcomes;
}

std::vector<SearchOutcome> similar(ThreadPool& pool, const std::vector<SearchTask>& batch) {
  std::vector<uint32_t> items;
  for (const auto& query : batch) items.push_back(std::get<SimilarQuery>(query.payload).item);
  return lists_of(batch[0].snapshot->retrieval.similar(pool, items, std::get<SimilarQuery>(batch[0].payload).k));
}

std::vector<SearchOutcome> item_vectors(ThreadPool& pool, const retrieval::Retrieval& retrieval,
                                        const ItemVectorsQuery& query) {
  const size_t dim = retrieval.bundle().item_vectors().cols();
  math::Matrix<float> vectors(query.rows.size(), dim), brought;
  if (query.provided.rows() > 0) brought = retrieval.item_vectors(pool, query.provided.ids, &query.provided);
  size_t next = 0;
  for (size_t i = 0; i < query.rows.size(); ++i) {
    if (query.rows[i] != columns::Interner::kNone)
      retrieval.item_vector(query.rows[i], vectors[i]);
    else
      std::copy_n(brought[next++], dim, vectors[i]);
  }
  std::vector<SearchOutcome> outcomes(1);
  outcomes[0].vectors = std::move(vectors);
  return outcomes;
}

std::vector<SearchOutcome> outcomes_of(ThreadPool& pool, std::vector<SearchTask>& batch) {
  auto& what = batch[0].payload;
  if (std::holds_alternative<CandidateQuery>(what)) return candidates(pool, batch);
  if (std::holds_alternative<SimilarQuery>(what)) return similar(pool, batch);
  if (const auto* items = std::get_if<ItemVectorsQuery>(&what))
    return item_vectors(pool, batch[0].snapshot->retrieval, *items);
  std::vector<SearchOutcome> outcomes(1);
  outcomes[0].vectors = batch[0].snapshot->retrieval.user_vectors(pool, std::get<UserVectorsQuery>(what).users);
  return outcomes;
}

}  // namespace

SearchQueue::SearchQueue(const SearchQueueOptions& options, ServeMetrics& metrics, ForegroundLoad* foreground)
    : options_(options), metrics_(metrics), foreground_(foreground), pool_(options.threads),
      thread_([this] { loop(); }) {}

SearchQueue::~SearchQueue() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  filled_.notify_all();
  thread_.join();
}

bool SearchQueue::push(std::vector<SearchTask> queries) {
  const auto now = SteadyClock::now();
  double left_s = std::numeric_limits<double>::infinity();
  for (const auto& query : queries)
    if (query.deadline != SteadyClock::time_point::max())
      left_s = std::min(left_s, seconds_between(now, query.deadline));
  const double patience_s = std::max(kStandingS, kPatience * left_s);
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < options_.batch) short_at_ = now;
    const bool too_long = stays_long(now) && wait_s(0) > patience_s;
    patience_s_ = too_long ? patience_s : std::max(patience_s_, patience_s);
    full_ = is_full(now);
    if (too_long || waiting_.size() + queries.size() > options_.limit) return false;
    // Less than a batch waits, so the mean says little about the next batch.
    if (waiting_.size() >= options_.batch && wait_s(queries.size()) > kSure * left_s) return false;
    for (auto& query : queries) {
      query.queued = now;
      waiting_.push_back(std::move(query));
    }
    full_ = is_full(now);
    metrics_.queue_length(waiting_.size());
    if (foreground_) foreground_->add(static_cast<int64_t>(queries.size()));
  }
  filled_.notify_one();
  return true;
}

// The expected wait of the last one of `more` additional searches, in seconds.
double SearchQueue::wait_s(size_t more) const {
  return search_s_ * static_cast<double>(under_way_ + waiting_.size() + more);
}

// Two waiting batches are enough to keep the search busy.
bool SearchQueue::stays_long(SteadyClock::time_point now) const {
  return waiting_.size() >= 2 * options_.batch && now - short_at_ >= kBurst;
}

bool SearchQueue::is_full(SteadyClock::time_point now) const {
  return waiting_.size() >= options_.limit || (stays_long(now) && wait_s(0) > patience_s_);
}

std::vector<SearchTask> SearchQueue::take() {
  std::vector<SearchTask> batch;
  std::unique_lock lock(mutex_);
  under_way_ = 0;
  filled_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
  if (waiting_.empty()) return batch;
  // A lone client never waits for others. The queue waits for them only if the last batch had several searches.
  if (others_about_ && !closed_)
    filled_.wait_until(lock, waiting_.front().queued + options_.wait,
                       [&] { return closed_ || waiting_.size() >= options_.batch; });
  batch.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  for (auto at = waiting_.begin(); at != waiting_.end() && batch.size() < options_.batch;) {
    if (go_together(batch[0], *at)) {
      batch.push_back(std::move(*at));
      at = waiting_.erase(at);
    } else {
      ++at;
    }
  }
  others_about_ = batch.size() > 1 || !waiting_.empty();
  under_way_ = batch.size();
  const auto now = SteadyClock::now();
  if (waiting_.size() < options_.batch) short_at_ = now;
  full_ = is_full(now);
  metrics_.queue_length(waiting_.size());
  return batch;
}

void SearchQueue::loop() {
  for (auto batch = take(); !batch.empty(); batch = take()) {
    const auto now = SteadyClock::now();
    const auto size = static_cast<int64_t>(batch.size());
    for (const auto& query : batch) metrics_.stage(Stage::queue, seconds_between(query.queued, now));
    const auto late =
        std::stable_partition(batch.begin(), batch.end(), [&](const SearchTask& q) { return q.deadline > now; });
    for (auto query = late; query != batch.end(); ++query) query->done({.error = SearchOutcome::Error::timed_out});
    batch.erase(late, batch.end());
    if (!batch.empty()) answer(std::move(batch));
    if (foreground_) foreground_->add(-size);
  }
}

void SearchQueue::answer(std::vector<SearchTask> batch) {
  const auto began = SteadyClock::now();
  std::vector<SearchOutcome> outcomes;
  SearchOutcome failure;
  try {
    outcomes = outcomes_of(pool_, batch);
  } catch (const retrieval::RequestError& e) {
    failure = {.error = SearchOutcome::Error::invalid, .message = e.what(), .field = e.field()};
  } catch (const std::exception& e) {
    log_warning("a search failed: {}", e.what());
    failure = {.error = SearchOutcome::Error::failed};
  }
  metrics_.batch(batch.size());
  if (!outcomes.empty() && std::holds_alternative<CandidateQuery>(batch[0].payload)) {
    const auto& times = outcomes[0].times;
    metrics_.stage(Stage::encode, times.encode_s);
    metrics_.stage(Stage::filter, times.filter_s);
    metrics_.stage(Stage::search, times.search_s);
  }
  const auto ended = SteadyClock::now();
  {
    const std::lock_guard lock(mutex_);
    const double share_s = seconds_between(began, ended) / static_cast<double>(batch.size());
    search_s_ += (share_s - search_s_) * kNewest;
  }
  for (size_t q = 0; q < batch.size(); ++q) {
    if (batch[q].deadline <= ended) {
      batch[q].done({.error = SearchOutcome::Error::timed_out});
    } else if (outcomes.empty()) {
      batch[q].done(failure);
    } else {
      outcomes[q].queue_s = seconds_between(batch[q].queued, began);
      batch[q].done(std::move(outcomes[q]));
    }
  }
}

}  // namespace pagoda::server
