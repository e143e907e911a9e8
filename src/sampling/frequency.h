// Estimates how often each item is drawn: q of the sampling-bias correction.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/bytes.h"
#include "core/option_visitor.h"

namespace pagoda::sampling {

enum class FrequencyKind {
  counts,     // exact counts of the training part: right for shuffled epochs
  streaming,  // hash arrays over a moving stream (Yi 2019, Algorithms 2 and 3)
};
enum class FrequencyClock { example, step };

struct FrequencyOptions {
  FrequencyKind kind = FrequencyKind::counts;
  double learning_rate = 0.01;  // a: higher adapts faster and is noisier
  int64_t buckets = 1 << 20;    // H of each hash
  int64_t hashes = 2;           // m
  FrequencyClock clock = FrequencyClock::example;
  bool bias_correction = true;  // divides out the upward bias of 1/B, 1 + a/(2-a)(1-p)
  // Above 0: starts and reads as Yi 2019 prints it, A = 0, B = this, p = 1/B, to repeat the paper's simulation. It is
  // no config key.
  double initial_gap = 0;
};

void describe(OptionVisitor& visitor, FrequencyOptions& options);
// Error{usage}: a learning rate outside (0, 1], no bucket, no hash or more than 16.
void validate(const FrequencyOptions& options);

// log p(item): the log probability that one draw from the training stream is that item (clock = example), or that the
// next batch contains it (clock = step, as in the paper). One thread calls observe(), in the order of the stream;
// several may call log_probability() while nobody observes.
class Frequency {
 public:
  virtual ~Frequency() = default;
  virtual void observe(std::span<const uint32_t> items) = 0;  // one batch
  virtual double log_probability(uint32_t item) const = 0;    // finite for every item, seen or not; at most 0
  virtual FrequencyClock clock() const = 0;                   // what log_probability() refers to
  virtual void save(ByteWriter& out) const = 0;               // the state, for checkpoint and bundle
  virtual void load(ByteReader& in) = 0;                      // Error{failed}: the state of another kind or size
};

// The estimator that the options name. `counts` [items]: rows of the training part on each item (kind = counts);
// `seed` draws the hashes (kind = streaming).
std::unique_ptr<Frequency> make_frequency(const FrequencyOptions& options, std::span<const uint64_t> counts,
                                          uint64_t seed);

// Exact: p = (count + floor) / (total + floor n). The floor is half a count, which an item that was never seen gets.
// observe() does nothing.
std::unique_ptr<Frequency> make_counts(std::span<const uint64_t> counts);

// Algorithm 2 (m = 1) and 3 of Yi 2019: A the last tick seen, B the mean gap,
//   B[h(y)] <- (1 - a_n) B[h(y)] + a_n (t - A[h(y)]);  A[h(y)] <- t;   p(y) = 1 / max_k B_k[h_k(y)]
// with these corrections: the first sight of a bucket only sets A; a bucket is updated at most once a tick; the gap is
// read as max(B, (t - A) / 4), so that a vanished item decays; the upward bias of 1/B is divided out.
// The n-th gap of a bucket has the weight a_n = max(a, 1/n). B is thus the plain mean of the gaps until there are 1/a
// of them: it starts without bias (d0 = d), and rare items, most of a catalogue, are read from all the gaps they have.
// An item whose buckets have no gap yet reads as one draw in all ticks so far.
// Why a quarter: one gap in e is longer than the mean, so max(B, t - A) would read 15% low on average at a moment
// unrelated to the item. Only one gap in 55 is longer than four means, so the bias stays below 1%.
//
// Every bucket has an owner, identified by 16 bits of its hash, and holds the gaps of that item alone. In the printed
// algorithm all items of a bucket share A: a new item's first gap is then the time since another item was last seen
// there, perhaps months, and the longest of m such gaps is what is read. Here a bucket counts votes, up to three (the
// majority vote of Boyer and Moore 1981): each sight of the owner adds one, each sight of another item removes one. An
// item that comes when no vote is left becomes the owner, and the bucket starts anew. An item is read from the bucket
// that it owns and that has the most gaps. An item that owns none is rarer than the owners of its buckets, and is read
// as the rarest of them. docs/experiments/yi-frequency-real.md has the figures. Memory: 16 bytes per bucket and hash. A
// learning rate below 1/16383 acts as 1/16383.
std::unique_ptr<Frequency> make_streaming(const FrequencyOptions& options, uint64_t seed);

}  // namespace pagoda::sampling
