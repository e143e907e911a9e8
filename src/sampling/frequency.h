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
  bool bias_correction = true;  // 1/B is read too high by 1 + a/(2-a)(1-p): divide it out
  // Above 0: the start and the reading as Yi 2019 prints them, A = 0, B = this, p = 1/B, for the paper's simulation.
  // It is no config key.
  double initial_gap = 0;
};

void describe(OptionVisitor& visitor, FrequencyOptions& options);
// Error{usage}: a learning rate outside (0, 1], no bucket, no hash or more than 16.
void validate(const FrequencyOptions& options);

// log p(item): the log probability that one draw from the training stream is that item (clock = example), or that it is
// in the next batch (clock = step, the paper's). observe() is called by one thread, in stream order; log_probability
// may be shared between threads while nobody observes.
class Frequency {
 public:
  virtual ~Frequency() = default;
  virtual void observe(std::span<const uint32_t> items) = 0;  // one batch
  virtual double log_probability(uint32_t item) const = 0;    // finite for every item, seen or not; at most 0
  virtual FrequencyClock clock() const = 0;                   // what log_probability speaks of
  virtual void save(ByteWriter& out) const = 0;               // state for checkpoint and bundle
  virtual void load(ByteReader& in) = 0;                      // Error{failed}: the state of another kind or size
};

// The estimator that the options name. `counts` [items]: rows of the training part on each item (kind = counts);
// `seed` draws the hashes (kind = streaming).
std::unique_ptr<Frequency> make_frequency(const FrequencyOptions& options, std::span<const uint64_t> counts,
                                          uint64_t seed);

// Exact: p = (count + floor) / (total + floor n); an item never seen gets half a count's worth (floor from the data,
// not 1e-6). observe() does nothing.
std::unique_ptr<Frequency> make_counts(std::span<const uint64_t> counts);

// Algorithm 2 (m = 1) and 3 of Yi 2019: A the last tick seen, B the mean gap,
//   B[h(y)] <- (1 - a_n) B[h(y)] + a_n (t - A[h(y)]);  A[h(y)] <- t;   p(y) = 1 / max_k B_k[h_k(y)]
// with these errata: a bucket's first sight only seeds A; a bucket is updated at most once a
// tick; at read time the gap is max(B, (t - A) / 4), so a vanished item decays; 1/B's upward bias divided out.
// The n-th gap of a bucket weighs a_n = max(a, 1/n): B is the plain mean of the gaps until there are 1/a of them, which
// starts it without bias (d0 = d), and rare items, most of a catalogue, are read from all the gaps they have.
// An item whose buckets have had no gap yet reads as one draw in all ticks so far.
// Why a quarter: one gap in e is longer than the mean, so max(B, t - A) itself would read low by 15% on average at a
// moment that has nothing to do with the item; only one in 55 is longer than four means, and the bias is below 1%.
//
// Every bucket has an owner, told by 16 bits of its hash, and holds that item's gaps alone. In the printed algorithm
// all items of a bucket share A: then a new item's first gap is the silence since some other was last there, months
// perhaps, and the longest of m such gaps is what is read. Here a sight of another is a vote against the owner, one of
// the owner a vote for it, up to three (the majority vote of Boyer and Moore 1981); who comes when there is none left
// takes the bucket over and begins anew. An item is read from the bucket of its own with the most gaps; one that owns
// none is rarer than those that do, and is read as the rarest of them. Measured in
// docs/experiments/yi-frequency-real.md. 16 bytes a bucket and hash. A learning rate below 1/16383 acts as that.
std::unique_ptr<Frequency> make_streaming(const FrequencyOptions& options, uint64_t seed);

}  // namespace pagoda::sampling
