// The metrics of a stream, for Prometheus.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "stream/checkpoint.h"
#include "stream/prequential.h"

namespace pagoda::stream {

// Thread-safe.
class StreamMetrics {
 public:
  StreamMetrics();
  ~StreamMetrics();

  void standing(const Checkpoint& checkpoint);  // what has been learnt, and counted
  void segment(double events_per_second, double seconds_a_step, double loss, const SegmentJudgement& judged);
  void published(uint64_t version);
  // Messages (bytes, of files) and seconds of event time between what has come and what is learnt; events that wait.
  void lag(int64_t messages, double seconds, size_t waiting);
  void watermark(int64_t time_us);

  std::string text() const;  // in Prometheus' text format

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace pagoda::stream
