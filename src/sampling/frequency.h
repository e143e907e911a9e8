// How often each item is drawn: q of the sampling-bias correction.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/bytes.h"
#include "core/fields.h"

namespace pagoda {

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
};

void describe(Fields& fields, FrequencyOptions& options);
void validate(const FrequencyOptions& options);

// log p(item): the log probability that one draw from the training stream is that item (clock = example), or that it is
// in the next batch (clock = step, the paper's). observe() is called by one thread, in stream order; log_probability
// may be shared between threads while nobody observes.
class Frequency {
 public:
  virtual ~Frequency() = default;
  virtual void observe(std::span<const uint32_t> items) = 0;  // one batch
  virtual double log_probability(uint32_t item) const = 0;    // finite for every item, seen or not
  virtual void save(ByteWriter& out) const = 0;               // state for checkpoint and bundle
  virtual void load(ByteReader& in) = 0;
};

// Exact: p = (count + floor) / (total + floor n); an item never seen gets half a count's worth (floor from the data,
// not 1e-6). observe() does nothing.
std::unique_ptr<Frequency> make_counts(std::span<const uint64_t> counts);

// Algorithm 2 (m = 1) and 3 of Yi 2019: A the last tick seen, B the mean gap,
//   B[h(y)] <- (1 - a) B[h(y)] + a (t - A[h(y)]);  A[h(y)] <- t;   p(y) = 1 / max_k B_k[h_k(y)]
// with the errata of ALGORITHMS.md section 3: a bucket's first sight only seeds A; a bucket is updated at most once a
// tick; at read time the gap is max(B, t - A), so a vanished item decays; 1/B's upward bias divided out.
// An item whose buckets have had no gap yet reads as one draw in all the ticks so far.
std::unique_ptr<Frequency> make_streaming(const FrequencyOptions& options, uint64_t seed);

}  // namespace pagoda
