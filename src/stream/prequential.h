// Judged before it is learnt from: the events of a segment are what a model that has not seen them should foretell.
#pragma once

#include <cstdint>
#include <vector>

#include "core/thread_pool.h"
#include "dataset/options.h"
#include "model/bundle.h"
#include "stream/event.h"

namespace pagoda::stream {

struct SegmentJudgement {
  uint64_t users = 0;  // judged: known to the model, with an item in the segment that a list may hold
  std::vector<int64_t> ks;
  std::vector<double> recall, popularity;  // per k; popularity: of lists of the most popular items
};

// Of at most `most_users` users, the first in the segment, by exact search. A user's relevant items are those of its
// events in the segment.
SegmentJudgement judge_segment(ThreadPool& pool, const model::Bundle& bundle, const std::vector<Event>& events,
                               const dataset::EvaluateOptions& options, size_t most_users);

}  // namespace pagoda::stream
