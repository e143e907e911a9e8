#include "stream/stream_metrics.h"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <chrono>

namespace pagoda::stream {

namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

// Gauges all: what was counted is taken up from the checkpoint, and does not begin at 0.
struct StreamMetrics::Series {
  prometheus::Registry registry;

  prometheus::Family<prometheus::Gauge>& family(const std::string& name, const std::string& help) {
    return prometheus::BuildGauge().Name("pagoda_stream_" + name).Help(help).Register(registry);
  }
  prometheus::Gauge& gauge(const std::string& name, const std::string& help) { return family(name, help).Add({}); }

  prometheus::Gauge& events = gauge("events", "Events learnt, over all runs");
  prometheus::Gauge& late = gauge("late_events", "Events that came later than stream.lateness");
  prometheus::Gauge& bad = gauge("bad_messages", "Messages that could not be used");
  prometheus::Gauge& not_positive = gauge("not_positive", "Events that are no positives by the config");
  prometheus::Gauge& segments = gauge("segments", "Segments learnt");
  prometheus::Gauge& steps = gauge("steps", "Optimizer steps of the model");
  prometheus::Gauge& learnt_time =
      gauge("learnt_event_time_seconds", "Event time of the last event learnt, since 1970");
  prometheus::Gauge& watermark_time = gauge("watermark_seconds", "Event time up to which all has come, since 1970");
  prometheus::Gauge& lag_messages = gauge("lag_messages", "Messages not read yet; bytes, of files");
  prometheus::Gauge& lag_seconds = gauge("lag_seconds", "Event time between the watermark and the last event learnt");
  prometheus::Gauge& waiting = gauge("waiting_events", "Events read and not learnt");
  prometheus::Gauge& rate = gauge("events_per_second", "Of the last segment, while it was learnt");
  prometheus::Gauge& step_seconds = gauge("step_seconds", "Mean time of a step in the last segment");
  prometheus::Gauge& loss = gauge("loss", "Mean loss of the last segment");
  prometheus::Family<prometheus::Gauge>& recall = family("recall", "Of the last segment, before it was learnt, by k");
  prometheus::Family<prometheus::Gauge>& popularity =
      family("popularity_recall", "The same of lists of the most popular items");
  prometheus::Gauge& judged = gauge("judged_users", "Users of the last segment that were judged");
  prometheus::Gauge& checkpoint = gauge("checkpoint_seconds", "When the last checkpoint was written, since 1970");
  prometheus::Gauge& version = gauge("published_version", "The version that was published last");
  prometheus::Gauge& publication = gauge("published_seconds", "When that was, since 1970");
};

StreamMetrics::StreamMetrics() : series_(std::make_unique<Series>()) {}
StreamMetrics::~StreamMetrics() = default;

void StreamMetrics::standing(const Checkpoint& checkpoint) {
  auto& s = *series_;
  const auto& standing = checkpoint.standing;
  s.events.Set(static_cast<double>(standing.events));
  s.late.Set(static_cast<double>(standing.late));
  s.bad.Set(static_cast<double>(standing.bad));
  s.not_positive.Set(static_cast<double>(standing.not_positive));
  s.segments.Set(static_cast<double>(checkpoint.segments));
  s.steps.Set(static_cast<double>(checkpoint.steps));
  if (standing.events > 0) s.learnt_time.Set(static_cast<double>(standing.learnt_us) * 1e-6);
  s.checkpoint.Set(now_seconds());
}

void StreamMetrics::segment(double events_per_second, double seconds_a_step, double loss,
                            const SegmentJudgement& judged) {
  auto& s = *series_;
  s.rate.Set(events_per_second);
  s.step_seconds.Set(seconds_a_step);
  s.loss.Set(loss);
  s.judged.Set(static_cast<double>(judged.users));
  for (size_t i = 0; i < judged.recall.size(); ++i) {
    const auto k = std::to_string(judged.ks[i]);
    s.recall.Add({{"k", k}}).Set(judged.recall[i]);
    s.popularity.Add({{"k", k}}).Set(judged.popularity[i]);
  }
}

void StreamMetrics::published(uint64_t version) {
  series_->version.Set(static_cast<double>(version));
  series_->publication.Set(now_seconds());
}

void StreamMetrics::lag(int64_t messages, double seconds, size_t waiting) {
  series_->lag_messages.Set(static_cast<double>(messages));
  series_->lag_seconds.Set(seconds);
  series_->waiting.Set(static_cast<double>(waiting));
}

void StreamMetrics::watermark(int64_t time_us) { series_->watermark_time.Set(static_cast<double>(time_us) * 1e-6); }

std::string StreamMetrics::text() const { return prometheus::TextSerializer().Serialize(series_->registry.Collect()); }

}  // namespace pagoda::stream
