// The stop rule of an IVF index: after how many inverted lists (nprobe) a search may stop and still reach a wanted
// recall, at any k and under any filter.
//
// A fixed nprobe gives easy and hard queries the same work. Here each query stops by itself, once the rows that it has
// not found yet are expected to be few for the work done so far. A search probes the lists in descending order of their
// centroids' scores, in rounds, and applies the rule between rounds.
//
// For one query q, with all scores being inner products:
//     n        items of the index; `matching` of them pass the filter (n without one)
//     k        items that the search returns
//     rows_l   rows of list l
//     c_l      <q, centroid of l>, the score of the list's centroid
//     sigma_l  standard deviation of the list's rows about their mean, in one direction (Partitions::stddevs)
//     t        the k-th best score found so far; it only rises
//     z_l      = (t - c_l) / (sigma_l |q|), the gap: by how many standard deviations a row of list l must beat its
//              centroid to score at least t
//     p(z)     share of a list's rows that score at least t, given the gap. It depends on z and k almost alone; a
//              GapHistogram holds it for each k, measured with calibration queries.
//     r        correction for this query and its filter, from the lists of the last round:
//              (hits + 16 f) / (promised + 16). `hits` counts their rows that pass the filter and score at least t;
//              `promised` is the sum of their rows_l * p(z_l); f, the prior, is the share of rows that pass the filter.
//     M        = r * sum over the lists not probed of rows_l * p(z_l): the expected number of missing rows, which
//              would enter the top k. As t only rises, M only falls.
//     R        rows scored so far
//     s        the stop slack
// The search stops when
//     M <= s * k * R / sqrt(k n)                            without a filter
//     M <= s * k * min(R, R_mean) / (n sqrt(k / matching))  under a filter
//
// Why M / R: M falls with R about as exp(-R / h), where h says how hard the query is. Stopping every query at the same
// M / R stops each where one more scored row promises it as much as any other query's next row; no other division of
// the same total work gives a higher mean recall. A hard query thus gives up a little recall instead of taking a
// multiple of the others' time. The factor k / sqrt(k n) makes s comparable between k: R lies between k and n, whose
// geometric mean is sqrt(k n); under a filter it lies between k n / matching and n.
//
// Why min(R, R_mean): under a filter, all matches may be far from the query, and a large R would excuse a large M. So R
// counts only up to R_mean, the rows that the calibration queries scored on average at this recall and k n / matching.
//
// Which s gives which recall is measured, too: calibration searches with each of several slacks, and RecallCurve holds
// the recall and the share of rows scored. A negative slack means: probe every list.
//
// Not thread-safe while being built; const members may be called from several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace pagoda::index {

// p(z): the share of a list's rows that score at least t, by the gap z in bins.
class GapHistogram {
 public:
  static constexpr size_t kBins = 160;
  static constexpr float kLeast = -8.0f, kPerUnit = 8.0f;  // gaps from -8 to 12, eight bins per unit

  GapHistogram() : shares_(kBins, 1.0f) {}
  // Adds a list with that gap: `hits` of its `rows` rows scored at least t.
  void observe(float gap, uint64_t rows, uint64_t hits);
  // Computes the shares from what was observed, made non-increasing in the gap. Call it once, after the last observe().
  void fit();

  float share(float gap) const {
    const float at = (gap - kLeast) * kPerUnit;
    return at < kBins ? shares_[at > 0 ? static_cast<size_t>(at) : 0] : 0;
  }
  // The gap from which on the share is 0.
  float end() const { return end_; }

  void save(ByteWriter& out) const { out.array(shares_); }
  static GapHistogram load(ByteReader& in);  // Error{failed}: damaged

 private:
  void find_end();
  std::vector<float> shares_;
  std::vector<uint64_t> rows_, hits_;
  float end_ = kLeast + kBins / kPerUnit;
};

// What calibration measured: the recall and the share of all rows scored, for each k and each stop slack.
struct RecallCurve {
  std::vector<uint64_t> ks;              // ascending
  std::vector<GapHistogram> histograms;  // [ks]
  std::vector<float> stop_slacks;        // ascending
  std::vector<float> recalls;            // [ks, stop_slacks], 0 to 1
  std::vector<float> rows;               // [ks, stop_slacks], share of the index's rows that were scored, 0 to 1

  // The histogram of the measured k that is nearest to k, in logarithms. Requires that `ks` is not empty.
  const GapHistogram& histogram(double k) const;
  // The stop slack with which a search for k items reaches that recall; negative: it must probe every list. Between two
  // measured k, the smaller of their slacks; beyond the measured k, that of the nearest one.
  float stop_slack(double k, double recall) const;
  // The share of the rows that such a search scores, 0 to 1.
  double rows_scored(double k, double recall) const;

  void save(ByteWriter& out) const;
  static RecallCurve load(ByteReader& in);  // Error{failed}: damaged
};

}  // namespace pagoda::index
