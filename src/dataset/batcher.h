// Training examples in the order they are learnt from, encoded ahead of the step.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "core/bounded_queue.h"
#include "core/rng.h"
#include "dataset/dataset.h"
#include "sampling/positives.h"

namespace pagoda::dataset {

struct TrainBatch {
  uint64_t step = 0;  // from 0, over the whole run
  bool ends_epoch = false;
  std::vector<uint32_t> users;         // per example: row of Dataset::users
  math::Ragged<uint32_t> positives;    // per example: catalogue rows, rising; one of them with rows = "interaction"
  std::vector<double> weights;         // parallel to positives.values: the reward of each
  math::Ragged<uint32_t> known;        // with mask_history_items: what the user had before; may hold targets
  std::vector<int64_t> timestamps_us;  // per example
  features::EncodedBatch encoded;      // the user tower's side
};

// What batches are made from; borrowed, immutable.
struct BatchSource {
  const TrainOptions* options;
  const Dataset* data;
  const Events* events;
  const std::vector<bool>* skipped = nullptr;  // which events are no examples; nullptr: none
  const features::UserEncoder* encoder;
  const features::EncodedUsers* cells;
  std::vector<uint32_t> id_row_of_item;  // catalogue row -> row of the id vocabulary, for histories
  const sampling::PositiveDownsampling* downsampling = nullptr;  // which events are positives in an epoch; nullptr: all
  int64_t half_life_us = 0;  // of an event's weight, by its age (half_life.h); 0: none
  // Per kind of the encoder's own_histories(); nullptr: there is none.
  const std::vector<EventHistory>* event_histories = nullptr;
};

// Batch `step` is a function of (source, seed, step) alone, so a resumed run sees the same ones. Immutable: several
// threads may call make().
//
// With rows = "interaction", the examples are the events that are not `skipped`. An epoch is a permutation of them (or
// their order in time, or one of sequences), cut into whole batches; the remainder is dropped, and differs in the next
// epoch. With rows = "user", an epoch is a permutation of the users who have an event that is not skipped. With targets
// = "window", each batch draws a moment, and users who were active after it.
class Batcher {
 public:
  explicit Batcher(BatchSource source);  // Error{input}: all events are skipped
  uint64_t steps_per_epoch() const { return steps_per_epoch_; }
  size_t batch_rows() const { return batch_; }
  TrainBatch make(uint64_t step, const std::vector<uint32_t>& order) const;
  std::vector<uint32_t> epoch_order(uint64_t epoch) const;

 private:
  bool skipped(uint32_t event) const;
  bool kept(uint64_t epoch, uint32_t event) const;
  double expected_events() const;
  size_t sequence_begin(size_t position) const;  // where the history of a user's event `position` begins
  void shuffle_sequences(Rng& rng, std::vector<uint32_t>& events) const;
  double weight_of(uint32_t event) const;
  void add_interaction(uint32_t event, TrainBatch& batch, std::vector<uint32_t>& history) const;
  bool add_half(uint32_t user, uint64_t epoch, TrainBatch& batch, std::vector<uint32_t>& history) const;
  bool add_window(uint32_t user, int64_t moment, TrainBatch& batch, std::vector<uint32_t>& history) const;
  // The events of other kinds that example `example` of the batch knows, one history a kind: those before its moment.
  // Where moments are not known, all but those of its targets.
  void add_event_histories(const TrainBatch& batch, size_t example, math::Ragged<uint32_t>& histories) const;
  void add_targets(std::vector<uint32_t>& events, TrainBatch& batch) const;

  BatchSource source_;
  size_t batch_ = 0;
  uint64_t steps_per_epoch_ = 0;
  int64_t window_us_ = 0, newest_us_ = 0;  // newest_us_: the time of the newest event
  std::vector<uint32_t> by_time_;          // targets = "window": events in order of time, without those skipped
  std::vector<uint32_t> users_;            // rows = "user": users with at least one event that is not skipped
  std::vector<uint32_t> examples_;         // rows = "interaction": the events that are not skipped; in order of time
                                           // where order = "time"
  std::vector<float> balance_;             // rows = "interaction": per user, the weight of its examples; empty: 1
};

// Makes batches on a thread of its own, at most `ahead` in advance.
class BatchStream {
 public:
  BatchStream(const Batcher& batcher, uint64_t first_step, uint64_t end_step, size_t ahead = 4);
  ~BatchStream();
  std::optional<TrainBatch> next() { return queue_.pop(); }  // nothing at end_step
  double seconds_making() const { return seconds_making_; }  // of the thread so far, without waiting

 private:
  BoundedQueue<TrainBatch> queue_;
  std::atomic<double> seconds_making_ = 0;
  std::thread thread_;
};

}  // namespace pagoda::dataset
