#include "server/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <shared_mutex>

namespace pagoda::server {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets kSeconds{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5};
const Buckets kSizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
const Buckets kShares{0, .1, .25, .5, .75, .9, .99, 1};

}  // namespace

struct ServeMetrics::Series {
  prometheus::Registry registry;

  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("pagoda_requests_total")
                                                          .Help("Requests answered, by call and HTTP status")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& request_seconds = prometheus::BuildHistogram()
                                                                   .Name("pagoda_request_seconds")
                                                                   .Help("From a whole request to its answer, by call")
                                                                   .Register(registry);
  prometheus::Family<prometheus::Histogram>& stage_seconds =
      prometheus::BuildHistogram()
          .Name("pagoda_stage_seconds")
          .Help("Time of a stage: queue a search, filter, encode and search a batch")
          .Register(registry);
  std::array<prometheus::Histogram*, 4> stages{
      &stage_seconds.Add({{"stage", "queue"}}, kSeconds), &stage_seconds.Add({{"stage", "filter"}}, kSeconds),
      &stage_seconds.Add({{"stage", "encode"}}, kSeconds), &stage_seconds.Add({{"stage", "search"}}, kSeconds)};
  prometheus::Histogram& batch_size = prometheus::BuildHistogram()
                                          .Name("pagoda_batch_size")
                                          .Help("Searches that were answered together")
                                          .Register(registry)
                                          .Add({}, kSizes);
  prometheus::Gauge& queue_length =
      prometheus::BuildGauge().Name("pagoda_queue_length").Help("Searches that wait").Register(registry).Add({});
  prometheus::Histogram& fill = prometheus::BuildHistogram()
                                    .Name("pagoda_fill")
                                    .Help("Items of an answer as a share of the k that were asked for")
                                    .Register(registry)
                                    .Add({}, kShares);
  prometheus::Counter& unknown_users = prometheus::BuildCounter()
                                           .Name("pagoda_unknown_users_total")
                                           .Help("Lists for users whom the bundle does not know")
                                           .Register(registry)
                                           .Add({});
  prometheus::Family<prometheus::Counter>& reloads = prometheus::BuildCounter()
                                                         .Name("pagoda_reloads_total")
                                                         .Help("New bundles, by what became of them")
                                                         .Register(registry);
  prometheus::Counter& reloads_taken = reloads.Add({{"outcome", "taken"}});
  prometheus::Counter& reloads_refused = reloads.Add({{"outcome", "refused"}});
  prometheus::Gauge& added_items = prometheus::BuildGauge()
                                       .Name("pagoda_added_items")
                                       .Help("Items that were added since the bundle was made")
                                       .Register(registry)
                                       .Add({});
  prometheus::Gauge& fresh_items = prometheus::BuildGauge()
                                       .Name("pagoda_fresh_items")
                                       .Help("Added items that are not merged yet")
                                       .Register(registry)
                                       .Add({});
  prometheus::Gauge& live_events = prometheus::BuildGauge()
                                       .Name("pagoda_live_events")
                                       .Help("Events of users that are held")
                                       .Register(registry)
                                       .Add({});
  prometheus::Gauge& live_users =
      prometheus::BuildGauge().Name("pagoda_live_users").Help("Users with such events").Register(registry).Add({});
  prometheus::Gauge& live_users_let_go = prometheus::BuildGauge()
                                             .Name("pagoda_live_users_let_go")
                                             .Help("Users whose events were let go, because there were too many")
                                             .Register(registry)
                                             .Add({});
  prometheus::Family<prometheus::Counter>& events = prometheus::BuildCounter()
                                                        .Name("pagoda_events_total")
                                                        .Help("Events taken, by whether their ids were held already")
                                                        .Register(registry);
  prometheus::Counter& new_events = events.Add({{"outcome", "new"}});
  prometheus::Counter& repeated_events = events.Add({{"outcome", "repeated"}});
  prometheus::Gauge& connections =
      prometheus::BuildGauge().Name("pagoda_connections").Help("Open connections").Register(registry).Add({});

  // Finding a series by its labels takes longer than rejecting a request, so known series are cached.
  struct OfCall {
    prometheus::Counter* requests;
    prometheus::Histogram* seconds;
  };
  OfCall of(std::string_view call, int status) {
    const std::pair key(call, status);
    {
      const std::shared_lock lock(mutex);
      if (const auto found = known.find(key); found != known.end()) return found->second;
    }
    const std::string name(call);
    const OfCall series{&requests.Add({{"call", name}, {"status", std::to_string(status)}}),
                        &request_seconds.Add({{"call", name}}, kSeconds)};
    const std::unique_lock lock(mutex);
    known.emplace(key, series);
    return series;
  }
  std::shared_mutex mutex;
  std::map<std::pair<std::string_view, int>, OfCall> known;  // the call's name is a static string
};

ServeMetrics::ServeMetrics() : series_(std::make_unique<Series>()) {}
ServeMetrics::~ServeMetrics() = default;

void ServeMetrics::answered(std::string_view call, int status, double seconds) {
  const auto [requests, request_seconds] = series_->of(call, status);
  requests->Increment();
  request_seconds->Observe(seconds);
}

void ServeMetrics::refused(std::string_view call, int status) { series_->of(call, status).requests->Increment(); }

void ServeMetrics::stage(Stage stage, double seconds) { series_->stages[static_cast<size_t>(stage)]->Observe(seconds); }
void ServeMetrics::batch(size_t searches) { series_->batch_size.Observe(static_cast<double>(searches)); }
void ServeMetrics::queue_length(size_t waiting) { series_->queue_length.Set(static_cast<double>(waiting)); }
void ServeMetrics::list(size_t items, size_t k) {
  series_->fill.Observe(static_cast<double>(items) / static_cast<double>(k));
}
void ServeMetrics::unknown_user() { series_->unknown_users.Increment(); }
void ServeMetrics::reload(bool taken) { (taken ? series_->reloads_taken : series_->reloads_refused).Increment(); }
void ServeMetrics::connections(int change) { series_->connections.Increment(change); }

void ServeMetrics::added_items(size_t items, size_t fresh) {
  series_->added_items.Set(static_cast<double>(items));
  series_->fresh_items.Set(static_cast<double>(fresh));
}

void ServeMetrics::live_events(size_t events, size_t users, uint64_t users_let_go) {
  series_->live_events.Set(static_cast<double>(events));
  series_->live_users.Set(static_cast<double>(users));
  series_->live_users_let_go.Set(static_cast<double>(users_let_go));
}

void ServeMetrics::took_events(size_t new_ones, size_t repeated) {
  series_->new_events.Increment(static_cast<double>(new_ones));
  series_->repeated_events.Increment(static_cast<double>(repeated));
}

std::string ServeMetrics::text() const { return prometheus::TextSerializer().Serialize(series_->registry.Collect()); }

}  // namespace pagoda::server
