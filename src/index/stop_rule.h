// When a search of a partitioned index may stop, so that a wanted recall holds at any k and under any filter.
//
// Lists are probed from the nearest centre on. Of a list whose centre scores c against the query, the rows of which lie
// about it with deviation s in a direction, the share of rows that score at least t depends on the gap z = (t - c) / (s |q|)
// and on k almost alone: GapHistogram holds it, measured. With t the k-th best score so far, the rows that are still missing number
// about
//     M = r * sum over the lists not probed of rows(l) * share(z_l).
// r corrects for this query and its filter: it is what the lists probed last held over what their shares had promised. As t only
// rises, M only falls. The search stops when
//     M <= slack * k * R / sqrt(k n),
// R being the rows scored so far and k n, of n items, the square of what is between the fewest and the most that can be (under
// a filter n^2 k / matching). M falls with R about as exp(-R / h), where h says how hard a query is. So at M / R = const every
// query stops where one more row promises it as much, and no other way of sharing out the rows gives a higher mean recall: a
// hard query is let off with a little less recall instead of taking a multiple of the others' time. Not so under a filter, which
// may let in only what lies far away: there R counts up to the mean of the queries. RecallCurve holds which slack gives which
// recall, measured by searching with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace pagoda::index {

class GapHistogram {
 public:
  static constexpr size_t kBins = 160;
  static constexpr float kLeast = -8.0f, kPerUnit = 8.0f;  // gaps from -8 to 12, eight bins a unit

  GapHistogram() : shares_(kBins, 1.0f) {}
  // A list with that gap had `hits` among its `rows` rows.
  void observe(float gap, uint64_t rows, uint64_t hits);
  // From what was observed: never rising with the gap.
  void fit();

  float share(float gap) const {
    const float at = (gap - kLeast) * kPerUnit;
    return at < kBins ? shares_[at > 0 ? static_cast<size_t>(at) : 0] : 0;
  }
  // From this gap on the share is 0.
  float end() const { return end_; }

  void save(ByteWriter& out) const { out.array(shares_); }
  static GapHistogram load(ByteReader& in);

 private:
  void find_end();
  std::vector<float> shares_;
  std::vector<uint64_t> rows_, hits_;
  float end_ = kLeast + kBins / kPerUnit;
};

// What was measured: recall and the share of all rows scored, for each k and each slack.
struct RecallCurve {
  std::vector<uint64_t> ks;              // rising
  std::vector<GapHistogram> histograms;  // of each k
  std::vector<float> stop_slacks;        // rising
  std::vector<float> recalls;            // [ks, slacks], 0 to 1
  std::vector<float> rows;               // [ks, slacks], 0 to 1

  // The tail of the measured k that is nearest to k; there must be one.
  const GapHistogram& histogram(double k) const;
  // The slack with which k items are found with that recall; negative: only by probing every list. Between two k that were
  // measured, the smaller slack of theirs; beyond them the last one holds.
  float stop_slack(double k, double recall) const;
  // The share of the rows that such a search scores.
  double rows_scored(double k, double recall) const;

  void save(ByteWriter& out) const;
  static RecallCurve load(ByteReader& in);
};

}  // namespace pagoda::index
